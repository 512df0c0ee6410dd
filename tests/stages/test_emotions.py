"""classify-emotions on hand-made tables, with a small real network where there is something to classify."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fercli import tables
from fercli.config import EmotionsParams
from fercli.errors import ConfigError, UnknownModel, WeightsError
from fercli.expressions.segments import make_segments
from fercli.expressions.windows import make_windows
from fercli.hashing import sha256_file
from fercli.labels import EMOTIONS
from fercli.media import images
from fercli.models.classifier import EmotionClassifier, FaceView
from fercli.models.covered import LIMITS, CoveredFaces
from fercli.models.registry import MODELS
from fercli.models.weights import Head, read_header
from fercli.stages import emotions
from fercli.stages import emotions as emotions_stage
from fercli.tables import windows_schema
from fercli.workspace import Workspace
from tests.expressions.tracks import PTS
from tests.failing import fails
from tests.models.tiny import write_tiny_classifier
from tests.workspaces import (
    add_receipt,
    crops_table,
    face_row,
    faces_table,
    frames_table,
    make_workspace,
    noise_crops,
    stage_context,
    tracks_table,
)


@pytest.fixture(autouse=True)
def nothing_covered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Noise for crops is not to look covered."""
    monkeypatch.setattr(CoveredFaces, "probabilities", lambda self, faces: np.zeros((len(faces), 2), np.float32))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    write_tiny_classifier(path)
    return str(path)


def film(path: Path, faces: list[dict[str, Any]], members: dict[int, list[int]], row_group: int = 4) -> Workspace:
    """A workspace with noise for crops, in row groups of a few."""
    workspace = make_workspace(path, frames=frames_table(PTS), faces=faces_table(faces), tracks=tracks_table(members))
    crops = crops_table(noise_crops(len(faces)))
    parts = [crops.slice(start, row_group) for start in range(0, len(faces), row_group)]
    tables.write_table(workspace.table("crops"), parts, tables.CROPS)
    add_receipt(workspace, "faces", crop_scale=1.5)
    return workspace


def long_film(path: Path) -> Workspace:
    """Two tracks over ten frames, faces 8 and 10 of the first too small."""
    rows = [face_row(frame, **(SMALL if face in (8, 10) else {})) for face, frame in enumerate(np.repeat(range(10), 2))]
    rows = [{**row, "frame": int(row["frame"])} for row in rows]
    return film(path, rows, {0: list(range(0, 20, 2)), 1: list(range(1, 20, 2))})


def by_hand(workspace: Workspace, model: str, clips: list[list[int]]) -> NDArray[np.float32]:
    """Probabilities of clips from the stored crops, without the stage."""
    view = FaceView(read_header(Path(model)), 1.5)
    crops = tables.read_table(workspace.table("crops"), tables.CROPS)["jpeg"].to_pylist()
    pixels = np.stack([[view(images.decode_jpeg(crops[face])) for face in clip] for clip in clips])
    return EmotionClassifier(Path(model), "cpu").classify(pixels)


def test_windows_get_the_networks_probabilities_and_unassessable_ones_get_none(tmp_path: Path, model: str) -> None:
    workspace = long_film(tmp_path / "w")
    context = stage_context(workspace, batch=3)
    params = EmotionsParams(model=model, stride=2, thorough=True)
    counts = emotions_stage.run(context, params)
    table = tables.read_table(context.out / "emotions.parquet", windows_schema(EMOTIONS))
    windows = make_windows(context.workspace, params, 4)
    assert table["track"].to_pylist() == windows.track.tolist()
    assert table["face"].to_pylist() == windows.first.tolist()
    assert table["reason"].to_pylist() == windows.reason
    assert windows.reason.count("too small") == 1  # faces 8 and 10 are half of what one window shows
    found = np.array([[row[label] for label in EMOTIONS] for row in table.to_pylist()], dtype=float)
    known = np.array([not reason for reason in windows.reason])
    assert np.isnan(found[~known]).all()
    np.testing.assert_allclose(found[known], by_hand(workspace, model, windows.clip[known].tolist()), atol=1e-5)
    assert np.ptp(found[known], axis=0).max() > 0.01  # the network does tell them apart
    segments = tables.read_table(context.out / "segments.parquet", tables.SEGMENTS)
    assert segments.equals(make_segments(table, params))
    assert counts == {"windows": 10, "not_assessable": 1, "segments": segments.num_rows}


def test_the_prior_is_divided_out_as_the_parameter_says(tmp_path: Path) -> None:
    path = tmp_path / "prior.safetensors"
    shares = (0.05, 0.05, 0.1, 0.2, 0.2, 0.1, 0.3)
    write_tiny_classifier(path, heads=(Head("fer2013", EMOTIONS, 1.0, shares, 0.5),))
    tables_of = {}
    for prior in (0.0, None, 1.0):
        context = stage_context(
            film(tmp_path / f"w{prior}", [face_row(frame) for frame in range(4)], {0: [0, 1, 2, 3]})
        )
        emotions_stage.run(context, EmotionsParams(model=str(path), stride=4, prior=prior))
        (row,) = tables.read_table(context.out / "emotions.parquet", windows_schema(EMOTIONS)).to_pylist()
        tables_of[prior] = np.array([row[label] for label in EMOTIONS])
    for prior, power in ((None, 0.5), (1.0, 1.0)):
        divided = tables_of[0.0] / np.array(shares) ** power
        np.testing.assert_allclose(tables_of[prior], divided / divided.sum(), rtol=1e-4)


def test_a_prior_that_the_file_does_not_know_is_refused_before_any_work(model: str) -> None:
    emotions_stage.check(EmotionsParams(model=model, prior=0.0))
    with fails(WeightsError, "weights-do-not-fit", "--prior 0.5"):
        emotions_stage.check(EmotionsParams(model=model, prior=0.5))


def test_a_lying_face_is_turned_upright_before_it_is_classified(tmp_path: Path, model: str) -> None:
    workspace = film(tmp_path / "w", [face_row(frame, roll=90.0) for frame in range(4)], {0: [0, 1, 2, 3]})
    context = stage_context(workspace)
    emotions_stage.run(context, EmotionsParams(model=model, stride=4))
    table = tables.read_table(context.out / "emotions.parquet", windows_schema(EMOTIONS))
    found = np.array([[row[label] for label in EMOTIONS] for row in table.to_pylist()], dtype=float)
    view = FaceView(read_header(Path(model)), 1.5)
    crops = [
        images.decode_jpeg(jpeg)
        for jpeg in tables.read_table(workspace.table("crops"), tables.CROPS)["jpeg"].to_pylist()
    ]
    clip = np.stack([[view(np.ascontiguousarray(np.rot90(crop))) for crop in crops]])
    np.testing.assert_allclose(found, EmotionClassifier(Path(model), "cpu").classify(clip), atol=1e-3)
    assert np.abs(found - by_hand(workspace, model, [[0, 1, 2, 3]])).max() > 1e-3


@pytest.mark.parametrize(
    ("mouth", "eyes", "expected"),
    [
        ([1.0] * 4, [0.0] * 4, "mouth covered"),
        ([0.0] * 4, [1.0] * 4, "eyes covered"),
        ([1.0] * 4, [1.0] * 4, "mouth covered"),
        ([1.0, 1.0, 0.0, 0.0], [0.0] * 4, "mouth covered"),
        ([1.0, 0.0, 0.0, 0.0], [0.0] * 4, ""),
        ([LIMITS["mouth"] - 0.01] * 4, [LIMITS["eyes"] - 0.01] * 4, ""),
    ],
)
def test_a_window_whose_faces_are_covered_gets_that_reason_and_no_probabilities(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch, mouth: list[float], eyes: list[float], expected: str
) -> None:
    looks = np.stack([mouth, eyes], axis=1).astype(np.float32)
    monkeypatch.setattr(CoveredFaces, "probabilities", lambda self, faces: looks[: len(faces)])
    workspace = film(tmp_path / "w", [face_row(frame) for frame in range(4)], {0: [0, 1, 2, 3]})
    context = stage_context(workspace)
    counts = emotions_stage.run(context, EmotionsParams(model=model, stride=4))
    (row,) = tables.read_table(context.out / "emotions.parquet", windows_schema(EMOTIONS)).to_pylist()
    assert row["reason"] == expected
    assert (row["neutral"] is None) == bool(expected)
    assert counts["not_assessable"] == bool(expected)
    (segment,) = tables.read_table(context.out / "segments.parquet", tables.SEGMENTS).to_pylist()
    assert segment["reason"] == expected


def test_faces_too_small_and_covered_ones_count_together(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    covered = np.array([[0, 0], [1, 0], [0, 0], [0, 0]], np.float32)
    monkeypatch.setattr(CoveredFaces, "probabilities", lambda self, faces: covered)
    workspace = film(
        tmp_path / "w", [face_row(0, **SMALL), *[face_row(frame) for frame in (1, 2, 3)]], {0: [0, 1, 2, 3]}
    )
    context = stage_context(workspace)
    emotions_stage.run(context, EmotionsParams(model=model, stride=4))
    (row,) = tables.read_table(context.out / "emotions.parquet", windows_schema(EMOTIONS)).to_pylist()
    assert row["reason"] == "mouth covered"  # half of its faces are not assessable, each for another reason


def outputs(context: Any) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(context.out.iterdir())}


SMALL = {"size": 5.0}


def test_pieces_in_any_order_give_the_same_bytes(tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emotions, "WINDOWS_PER_CHUNK", 3)
    params = EmotionsParams(model=model)
    whole, split = (stage_context(long_film(tmp_path / name)) for name in ("whole", "split"))
    expected = emotions_stage.run(whole, params)
    for piece in (range(2, 4), range(2)):
        assert emotions_stage.run(replace(split, piece=piece), params) == {}
        assert not list(split.out.iterdir())
    monkeypatch.setattr(emotions, "_classify", None)
    assert emotions_stage.run(split, params) == expected
    assert outputs(split) == outputs(whole)


class Killed(Exception):
    """In place of a SIGKILL."""


def test_a_run_killed_between_chunks_goes_on_and_gives_the_same_bytes(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emotions, "WINDOWS_PER_CHUNK", 3)
    params = EmotionsParams(model=model)
    whole = stage_context(long_film(tmp_path / "whole"))
    emotions_stage.run(whole, params)

    parts = stage_context(long_film(tmp_path / "parts"))
    classify, calls = emotions._classify, []

    def killed_in_the_third(*args: Any) -> NDArray[np.float32]:
        calls.append(args[1].clip[args[2]].tolist())
        if len(calls) == 3:
            raise Killed
        return classify(*args)

    monkeypatch.setattr(emotions, "_classify", killed_in_the_third)
    with pytest.raises(Killed):
        emotions_stage.run(parts, params)
    assert parts.chunks.done == {0, 1}
    emotions_stage.run(parts, params)
    assert outputs(parts) == outputs(whole)
    clips = make_windows(whole.workspace, params, 4).clip.tolist()
    assert calls == [clips[n : n + 3] for n in (0, 3, 6, 6, 9)]  # what was finished is not done again


def test_only_the_crops_that_are_needed_are_decoded(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [face_row(frame, **(SMALL if frame >= 8 else {})) for frame in range(16)]
    workspace = film(tmp_path / "w", rows, {0: list(range(8)), 1: list(range(8, 16))})
    names = {data: face for face, data in enumerate(tables.read_table(workspace.table("crops"))["jpeg"].to_pylist())}
    decoded, ranges = [], []
    decode, read_parts = images.decode_jpeg, tables.read_parts

    def noted(data: bytes) -> NDArray[np.uint8]:
        decoded.append(names[data])
        return decode(data)

    def noted_range(*args: Any, **kwargs: Any) -> Any:
        ranges.append(kwargs.get("rows"))
        return read_parts(*args, **kwargs)

    monkeypatch.setattr(images, "decode_jpeg", noted)
    monkeypatch.setattr(tables, "read_parts", noted_range)
    emotions_stage.run(stage_context(workspace), EmotionsParams(model=model))
    assert decoded == list(range(8))
    assert ranges == [list(range(8))]


def test_a_video_no_person_of_which_is_assessable_reads_no_crop_at_all(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = film(tmp_path / "w", [face_row(frame, **SMALL) for frame in range(5)], {0: list(range(5))})
    workspace.table("crops").unlink()
    context, params = stage_context(workspace), EmotionsParams(model=model)
    assert emotions_stage.run(context, params) == {
        "windows": 3,
        "not_assessable": 3,
        "segments": 1,
    }
    (segment,) = tables.read_table(context.out / "segments.parquet", tables.SEGMENTS).to_pylist()
    assert (segment["class"], segment["reason"]) == ("not assessable", "too small")


@pytest.mark.parametrize("frames", [0, 5])
def test_no_faces_give_valid_empty_tables(tmp_path: Path, model: str, frames: int) -> None:
    workspace = make_workspace(
        tmp_path / "w",
        frames=frames_table(PTS[:frames]),
        faces=faces_table([]),
        crops=crops_table([]),
        tracks=tracks_table({}),
    )
    context, params = stage_context(workspace), EmotionsParams(model=model)
    assert emotions_stage.run(context, params) == {
        "windows": 0,
        "not_assessable": 0,
        "segments": 0,
    }
    for name, schema in (("emotions", windows_schema(EMOTIONS)), ("segments", tables.SEGMENTS)):
        assert tables.read_table(context.out / f"{name}.parquet", schema).num_rows == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stride", 0),
        ("stride", -2),
        ("mean_segment_s", 0.0),
        ("mean_segment_s", math.nan),
        ("mean_segment_s", math.inf),
        ("min_segment_s", -0.1),
        ("min_contrast", -1.0),
        ("doubtful_from", 181.0),
        ("abstain", -0.1),
        ("abstain", 1.1),
        ("prior", -0.1),
        ("prior", 1.1),
    ],
)
def test_parameters_that_cannot_be_used(tmp_path: Path, model: str, name: str, value: float) -> None:
    context = stage_context(film(tmp_path / "w", [face_row(0)], {0: [0]}))
    with pytest.raises(ConfigError, match=name) as caught:
        emotions_stage.run(context, replace(EmotionsParams(model=model), **{name: value}))  # type: ignore[arg-type]
    assert caught.value.hint
    assert not context.chunks.done


def test_the_receipt_names_a_file_given_by_path_by_its_content(tmp_path: Path, model: str) -> None:
    other = tmp_path / "other.safetensors"
    write_tiny_classifier(other, seed=1)
    first, second = (emotions_stage.weights(EmotionsParams(model=path)) for path in (model, str(other)))
    assert first == {"classifier": sha256_file(Path(model)), "covered-faces": MODELS["covered-faces"].sha256}
    assert set(second) == set(first) and second != first


def test_the_training_data_that_the_file_states_go_into_the_receipt(tmp_path: Path, model: str) -> None:
    context = stage_context(film(tmp_path / "w", [face_row(0)], {0: [0]}))
    emotions_stage.run(context, EmotionsParams(model=model))
    assert context.training_data == {"classifier": "noise"}


def test_models_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnknownModel, match="resnet-9000"):
        emotions_stage.weights(EmotionsParams(model="resnet-9000"))
    with fails(WeightsError, "weights-missing", "no-such.safetensors"):
        emotions_stage.weights(EmotionsParams(model=str(tmp_path / "no-such.safetensors")))
