"""The Python API on a video without faces, and on hand-made workspaces."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import fercli
from fercli.api import plan_for
from fercli.config import AudioParams, SpeechParams
from fercli.errors import Cancelled, ConfigError, InputError, MissingDependency, VideoError, WorkspaceError
from fercli.formats import FORMATS
from fercli.formats.arrow import TABLES
from fercli.labels import EMOTIONS, RECORD_NAMES
from fercli.table_rules import rules_of
from fercli.workspace import Workspace
from tests.formats.samples import awkward, nobody
from tests.media_samples import numbered_video
from tests.workspaces import VIDEO


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return numbered_video(tmp_path / "v.mp4", 6, fps="10")


@pytest.fixture
def result(tmp_path: Path) -> fercli.Result:
    awkward(tmp_path / "w")
    return fercli.open(tmp_path / "w")


def test_a_video_is_annotated_once_and_the_progress_is_reported(video: Path) -> None:
    steps: list[fercli.Progress] = []
    found = fercli.annotate(video, params=[fercli.FramesParams(fps=5)], progress=steps.append)
    assert (found.persons, found.unassigned, found.segments) == ([], None, [])
    assert found.provenance["stages"]["extract-frames"]["parameters"]["fps"] == 5
    assert {step.stage for step in steps} >= {"extract-frames", "detect-faces"}
    detection = [step for step in steps if step.stage == "detect-faces"]
    assert [step.done for step in detection] == sorted(step.done for step in detection)
    assert detection[-1].done == detection[-1].total == 3
    steps.clear()
    fercli.annotate(video, params=[fercli.FramesParams(fps=5)], progress=steps.append)
    assert steps == []  # up to date


def test_work_that_was_cancelled_goes_on(video: Path) -> None:
    seen: list[str] = []

    def progress(step: fercli.Progress) -> None:
        seen.append(step.stage)

    with pytest.raises(Cancelled) as caught:
        fercli.annotate(video, progress=progress, cancel=lambda: "detect-faces" in seen)
    assert caught.value.exit_code == 130
    seen.clear()
    fercli.annotate(video, progress=progress)
    assert "extract-frames" not in seen and "detect-faces" in seen


def test_what_the_callback_raises_ends_the_work(video: Path) -> None:
    def progress(step: fercli.Progress) -> None:
        raise KeyError(step.stage)

    with pytest.raises(KeyError):
        fercli.annotate(video, progress=progress)


def test_what_cannot_be_used_is_an_error_of_its_kind(video: Path, tmp_path: Path) -> None:
    with pytest.raises(VideoError):
        fercli.annotate(tmp_path / "none.mp4")
    with pytest.raises(InputError):
        fercli.annotate(video, gallery=tmp_path / "no gallery")
    with pytest.raises(ConfigError):
        fercli.annotate(video, params=[fercli.FacesParams(min_score=2.0)])
    with pytest.raises(ConfigError):
        fercli.annotate(video, params=["fps=5"])
    with pytest.raises(InputError):
        fercli.open(tmp_path / "nothing")
    Workspace.create(tmp_path / "empty", VIDEO)
    with pytest.raises(WorkspaceError):
        fercli.open(tmp_path / "empty")


def test_tables_name_what_their_columns_mean(result: fercli.Result) -> None:
    for name in TABLES:
        table = result.to_arrow(name)
        assert all(rules_of(field).get("meaning") for field in table.schema), name
        # The fixture has no sound.
        assert set(table["video"].to_pylist()) == (set() if name in ("utterances", "words") else {"épisode 1.mp4"})
        assert result.to_pandas(name).shape == (table.num_rows, table.num_columns)
    with pytest.raises(ConfigError):
        result.to_arrow("seasons")


def test_persons_and_tracks_agree_with_the_segments(result: fercli.Result) -> None:
    persons, segments = result.to_pandas("persons"), result.to_pandas("segments")
    assert persons["person"].tolist() == [person.name for person in result.everyone]
    for person, happy in zip(persons["person"], persons["happy_s"], strict=True):
        own = segments[(segments["object"] == person) & (segments["class"] == "happy")]
        assert happy == pytest.approx((own["end"] - own["seconds"]).sum(), abs=1e-3)
    tracks = result.to_pandas("tracks")
    assert tracks.groupby("person").size().to_dict() == dict(zip(persons["person"], persons["tracks"], strict=True))


def test_signals_are_the_probabilities_of_the_windows(result: fercli.Result) -> None:
    windows, signals = result.to_pandas("windows"), result.to_pandas("signals")
    signals = signals[signals["signal"] == "emotions"]
    assert len(signals) == len(windows) * len(EMOTIONS)
    wide = signals.pivot(index=["track", "start_s"], columns="column", values="value")
    expected = windows.sort_values(["track", "start_s"]).set_index(["track", "start_s"])
    for label in EMOTIONS:
        assert np.allclose(wide[label], expected[RECORD_NAMES[label]], equal_nan=True)
    assert set(signals["unit"]) == {"probability"}
    first = result.signals[0]
    assert first.values.shape == (len(first.start_s), len(first.columns)) and first.values.dtype == np.float32


def test_signals_have_what_was_measured_of_the_faces(result: fercli.Result) -> None:
    faces, signals = result.to_pandas("faces"), result.to_pandas("signals")
    units = signals.groupby("signal")["unit"].unique().str.join(",").to_dict()
    talking = {"talking": "share"}
    assert units == {
        "blendshapes": "share",
        "emotions": "probability",
        "openings": "ratio",
        "pose": "degrees",
        **talking,
    }
    sizes = {"pose": 3, "openings": 3, "blendshapes": 51}
    for name, columns in sizes.items():
        own = signals[signals["signal"] == name]
        assert len(own) == columns * len(faces)
        wide = own.pivot(index=["track", "start_s"], columns="column", values="value")
        expected = faces.sort_values(["track", "pts_s"]).set_index(["track", "pts_s"])
        assert np.allclose(wide, expected[wide.columns], equal_nan=True)
    pose = next(one for one in result.signals if one.name == "pose")
    assert [column.name for column in pose.columns] == ["yaw", "pitch", "roll"]
    own = faces[faces["track"] == pose.track]
    assert pose.start_s.tolist() == own["pts_s"].tolist() and pose.end_s.tolist() == own["end_s"].tolist()


@pytest.mark.parametrize("name", ["out.eaf", "out.csv", "out.parquet", "out.json"])
def test_a_result_is_saved_as_export_writes_it(result: fercli.Result, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("before")
    result.save(tmp_path / name)
    format = next(one for one in FORMATS.values() if name.endswith(one.suffix))
    format.write(result, tmp_path / "expected")
    assert (tmp_path / name).read_bytes() == (tmp_path / "expected").read_bytes()


def test_a_format_can_be_named(result: fercli.Result, tmp_path: Path) -> None:
    result.save(str(tmp_path / "out.txt"), format="rttm")
    assert (tmp_path / "out.txt").read_text(encoding="utf-8").startswith("SPEAKER ")
    with pytest.raises(ConfigError):
        result.save(tmp_path / "out.docx")


def test_a_video_without_faces_has_empty_tables(tmp_path: Path) -> None:
    nobody(tmp_path / "w")
    found = fercli.open(tmp_path / "w")
    assert [len(found.to_pandas(name)) for name in TABLES] == [0] * len(TABLES)
    assert isinstance(found.to_pandas(), pd.DataFrame)


def test_without_pandas_the_error_says_what_to_install(result: fercli.Result, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fercli.api.find_spec", lambda name: None)
    with pytest.raises(MissingDependency) as caught:
        result.to_pandas()
    assert "pip install 'fercli[pandas]'" in caught.value.hint
    assert result.to_arrow().num_rows > 0


def test_import_fercli_is_light() -> None:
    code = "import sys, fercli; print(sorted({'numpy', 'pyarrow', 'torch', 'typer', 'cv2'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
    assert set(fercli.__all__) <= set(dir(fercli)) | set(fercli._HOMES)
    with pytest.raises(AttributeError):
        fercli.nothing  # noqa: B018


def test_optional_stages_run_only_where_they_are_asked_for() -> None:
    names = [stage.name for stage, _ in plan_for([])]
    assert names[-1] == "emotions" and not {"audio", "speech"} & set(names)
    assert [stage.name for stage, _ in plan_for([SpeechParams(language="en")])] == [*names, "audio", "speech"]
    assert [stage.name for stage, _ in plan_for([AudioParams(track=2)])] == [*names, "audio"]
