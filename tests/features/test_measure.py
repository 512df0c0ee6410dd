"""Features of a hand-made workspace, with a small real network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from fercli import tables
from fercli.cli.entry import main
from fercli.config import EmotionsParams
from fercli.errors import ConfigError
from fercli.expressions.windows import make_windows
from fercli.features.file import read_facts, read_features
from fercli.features.measure import KINDS, Request, measure, on_steps, on_windows
from fercli.labels import BLENDSHAPES, EMOTIONS
from fercli.models.classifier import EmotionClassifier, FaceView
from fercli.models.networks import build_network
from fercli.models.weights import load_state, save_classifier
from fercli.workspace import Workspace
from tests.models.tiny import HEADER, write_tiny_classifier
from tests.workspaces import (
    attributes_table,
    crops_table,
    face_row,
    faces_table,
    frames_table,
    make_workspace,
    noise_crops,
    persons_table,
    segments_table,
    tracks_table,
)

FRAMES = 20
STEP = 0.1


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    write_tiny_classifier(path, architecture="resnet18", n_frames=1)
    return str(path)


def film(path: Path, **content: Any) -> Workspace:
    """Two seconds of one face, track 3, that turns; its mesh is not found in frames 5 to 9."""
    yaw: list[float | None] = [float(k) if not 5 <= k < 10 else None for k in range(FRAMES)]
    rows = [
        {"track": 3, "face": k, "start_s": STEP * k, "end_s": STEP * (k + 1), "reason": ""} for k in range(0, FRAMES)
    ]
    windows = pa.Table.from_pylist(
        [{**row, **dict.fromkeys(EMOTIONS, 1 / 7)} for row in rows], schema=tables.windows_schema(EMOTIONS)
    )
    made = {
        "frames": frames_table([STEP * k for k in range(FRAMES)]),
        "faces": faces_table([face_row(k) for k in range(FRAMES)]),
        "crops": crops_table(noise_crops(FRAMES)),
        "attributes": attributes_table(FRAMES, yaw=yaw),
        "tracks": tracks_table({3: list(range(FRAMES))}),
        "persons": persons_table([(3, "Ross", 0.0, 2.0)]),
        "emotions": windows,
        "segments": segments_table([(3, 0.0, 2.0, "happiness", 0.9, "", 0)]),
    }
    return make_workspace(path, **{**made, **content})


def test_pose_is_averaged_onto_steps_and_gaps_are_gaps(tmp_path: Path) -> None:
    measured = measure(film(tmp_path / "w"), Request(("pose",)))
    ((track, starts, ends, (values,)),) = on_steps(measured, 2.0)
    assert track == 3
    assert starts.tolist() == [0.0, 1.0, 1.5]  # from 0.5 to 1 the mesh found nothing
    assert ends.tolist() == [0.5, 1.5, 2.0]
    np.testing.assert_allclose(
        values[:, 0], [np.mean(range(5)), np.mean(range(10, 15)), np.mean(range(15, 20))], rtol=1e-5
    )


def test_blendshapes_are_those_of_the_mesh(tmp_path: Path) -> None:
    shapes = attributes_table(FRAMES, jawOpen=[k / 100 for k in range(FRAMES)])
    (measured,) = measure(film(tmp_path / "w", attributes=shapes), Request(("blendshapes",)))
    assert measured.columns == BLENDSHAPES
    np.testing.assert_allclose(measured.values[:, BLENDSHAPES.index("jawOpen")], np.arange(FRAMES) / 100, rtol=1e-5)


def test_the_trunk_is_what_the_last_layer_sees(tmp_path: Path, model: str) -> None:
    workspace = film(tmp_path / "w")
    (measured,) = measure(workspace, Request(("trunk",), model))
    classifier = EmotionClassifier(Path(model), "cpu")
    view = FaceView(classifier.header, workspace.crop_scale)
    assert measured.modality.size == 512
    state = load_state(Path(model))
    logits = measured.values @ state["fc.weight"].numpy().T + state["fc.bias"].numpy()
    windows = make_windows(workspace, EmotionsParams(), 1)
    assessable = [number for number, reason in enumerate(windows.reason) if not reason]
    assert measured.start_s.tolist() == windows.start_s[assessable].tolist()
    views = [view(crop)[None] for crop in _stored(workspace)]
    clips = np.stack([views[face] for face in windows.clip[assessable, 0]])
    np.testing.assert_allclose(logits, classifier.logits(clips)[0], atol=1e-3)


def test_a_network_of_clips_looks_at_each_face_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "tiny.safetensors"
    write_tiny_classifier(path)  # four faces a clip
    real, seen = EmotionClassifier.features, []

    def features(self: EmotionClassifier, clips: np.ndarray) -> np.ndarray:
        seen.append(clips)
        return real(self, clips)

    monkeypatch.setattr(EmotionClassifier, "features", features)
    (measured,) = measure(film(tmp_path / "w"), Request(("trunk",), str(path)))
    faces = np.concatenate([clips for clips in seen if clips.any()]).reshape(-1, 16 * 16)
    assert len(faces) == len(np.unique(faces, axis=0)) == 12  # of 5 windows two have faces without a mesh
    assert measured.end_s - measured.start_s == pytest.approx(4 * STEP)


def test_the_trunk_of_residual_attention(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network, path = build_network("attention-56-small", len(EMOTIONS)), tmp_path / "attention.safetensors"
    save_classifier(path, network.state_dict(), replace(HEADER, architecture="attention-56-small", n_frames=1))
    (measured,) = measure(film(tmp_path / "w"), Request(("trunk",), str(path)))
    assert measured.modality.size == 1024
    assert np.isfinite(measured.values).all()
    assert measured.values.std(axis=0).max() > 0


def _stored(workspace: Workspace) -> list[Any]:
    from fercli.media.crops import read_crops

    return [crop for _, crop in read_crops(workspace.table("crops"), np.arange(FRAMES))]


def test_windows_are_the_common_intervals_without_a_rate(tmp_path: Path, model: str) -> None:
    measured = measure(film(tmp_path / "w"), Request(("trunk", "pose"), model))
    ((_, starts, _, (trunk, pose)),) = on_windows(measured)
    windows = make_windows(film(tmp_path / "v"), EmotionsParams(), 1)
    assessable = [number for number, reason in enumerate(windows.reason) if not reason]
    assert starts.tolist() == windows.start_s[assessable].tolist()
    assert np.isfinite(trunk).all()
    np.testing.assert_allclose(pose[0, 0], 0.5)  # the mean of the faces 0 and 1


def test_what_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        Request(("trunk", "gaze"))
    assert caught.value.code == "name-unknown"
    assert "gaze" in caught.value.message
    with pytest.raises(ConfigError):
        Request(())
    with pytest.raises(ConfigError):
        Request(("trunk",), layer="last")
    assert set(KINDS) == {"trunk", "emotions", "blendshapes", "pose", "voice"}


def test_the_command_writes_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str], model: str) -> None:
    film(tmp_path / "w.fercli")
    out = tmp_path / "f.parquet"
    words = ["features", str(tmp_path / "w.fercli"), "--of", "trunk,emotions,pose", "--model", model, "--rate", "2"]
    assert main([*words, "-o", str(out)]) == 0
    (found,) = read_features(out)
    assert (found.video, found.track, found.person) == ("épisode 1", 3, "Ross")
    assert [one.name for one in read_facts(out).modalities] == ["trunk", "emotions", "pose"]
    assert read_facts(out).rate == 2.0
    assert "sha256" in read_facts(out).modalities[0].source
    np.testing.assert_allclose(found.values["emotions"], 1 / 7, rtol=1e-5)
    capsys.readouterr()
    assert main([*words, "-o", str(out)]) == 2  # it exists
    assert main([*words, "-o", str(tmp_path / "f.csv")]) == 2
    assert "suffix-unknown" in capsys.readouterr().err


def test_the_command_reads_a_folder_and_leaves_out_ignored_persons(tmp_path: Path) -> None:
    for name in ("a", "b"):
        film(tmp_path / "all" / f"{name}.fercli")
    assert main(["people", "ignore", str(tmp_path / "all" / "b.fercli"), "Ross"]) == 0
    folder = tmp_path / "arrays"
    assert main(["features", str(tmp_path / "all"), "--of", "pose", "-o", f"{folder}/"]) == 0
    assert [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.npy"))] == [
        "a/track-3.npy",
        "a/track-3.times.npy",
    ]
