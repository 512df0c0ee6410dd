"""detect-speakers: which faces are judged, what they get, and how it resumes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fercli import tables
from fercli.config import SpeakersParams
from fercli.models.spec import ModelSpec
from fercli.stages import speakers
from fercli.stages.base import NO_FACE, StageContext
from fercli.workspace import Workspace
from tests.fake_speech import FakeVoice, sound_table
from tests.media_samples import numbered_video
from tests.workspaces import (
    VIDEO,
    attributes_table,
    face_row,
    faces_table,
    frames_table,
    make_workspace,
    stage_context,
    tracks_table,
)

FPS = 10


class FakeNetwork:
    """Says 5 of each picture; `seen` has how many pictures it got at a time."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def see(self, views: np.ndarray) -> np.ndarray:
        self.seen.append(len(views))
        return views

    def hear(self, mfcc: np.ndarray) -> np.ndarray:
        return np.zeros((1, len(mfcc) // 4, 128), np.float32)

    def talks(self, seen: np.ndarray, heard: np.ndarray) -> np.ndarray:
        assert len(seen) == heard.shape[1]
        return np.full(len(seen), 5, np.float32)


class FakeModels:
    def __init__(self, network: FakeNetwork) -> None:
        self._network = network

    def load(self, spec: ModelSpec, given: str = "", device: str = "cpu") -> Any:
        return FakeVoice() if spec.task == "voice" else self._network


def film(folder: Path, seconds: int, loud: list[tuple[float, float]]) -> Workspace:
    """Two faces all the time, FPS a second: track 0 with a moving mouth, and track 1 with a still one."""
    count = seconds * FPS
    video = numbered_video(folder / "a.mp4", seconds * 25, fps="25")
    faces = [
        face_row(frame * 25 // FPS, x1=x, x2=x + 60.0, y1=2.0, y2=60.0) for frame in range(count) for x in (2.0, 70.0)
    ]
    numbers = [frame * 25 // FPS for frame in range(count)]
    mouth = [value for frame in range(count) for value in (0.3 * (frame % 3), 0.02)]
    return make_workspace(
        folder / "w",
        replace(VIDEO, path=str(video), width=256, height=64, duration_s=float(seconds)),
        frames=frames_table([number / 25 for number in numbers], numbers),
        faces=faces_table(faces),
        tracks=tracks_table({track: range(track, 2 * count, 2) for track in (0, 1)}),
        attributes=attributes_table(2 * count, mouth=mouth),
        sound=sound_table(seconds, loud),
    )


def context(workspace: Workspace, network: FakeNetwork) -> StageContext:
    found = stage_context(workspace)
    found.models = FakeModels(network)  # type: ignore[assignment]
    return found


def talks(context: StageContext, track: int) -> list[float | None]:
    rows = tables.read_table(context.out / "talking.parquet", tables.TALKING_FACES)
    found: list[float | None] = rows["talks"].to_pylist()[track::2]
    return found


def test_a_moving_mouth_is_judged_where_there_is_a_voice_and_a_still_one_never(tmp_path: Path) -> None:
    network = FakeNetwork()
    found = context(film(tmp_path, 4, [(1.0, 2.0)]), network)
    counts = speakers.run(found, SpeakersParams())
    moving = np.array(talks(found, 0), float)
    assert (moving[12:19] > 0.9).all() and (moving[:8] == 0).all() and (moving[25:] == 0).all()
    assert talks(found, 1) == [0.0] * 40
    assert len(network.seen) == 1 and counts == {"faces": 80, "talking": int((moving >= 0.5).sum())}


def test_long_films_are_judged_piece_by_piece_with_the_same_result_after_a_stop(tmp_path: Path) -> None:
    network = FakeNetwork()
    workspace = film(tmp_path, 24, [(0.0, 24.0)])
    found = context(workspace, network)
    speakers.run(found, SpeakersParams())
    assert len(network.seen) == 3 and max(network.seen) <= (10 + 2 * 2) * 25
    whole = talks(found, 0)
    assert all(value is not None and value > 0.9 for value in whole)
    chunks = sorted(found.chunks.directory.iterdir())
    for path in chunks[1:]:
        for file in path.iterdir():
            file.unlink()
        path.rmdir()
    again = context(workspace, FakeNetwork())
    speakers.run(again, SpeakersParams())
    assert talks(again, 0) == whole


def test_outside_the_sound_nothing_is_known(tmp_path: Path) -> None:
    workspace = film(tmp_path, 4, [(0.0, 4.0)])
    tables.write_table(workspace.table("sound"), [sound_table(2.0, [(0.0, 2.0)], start_s=1.0)], tables.SOUND)
    found = context(workspace, FakeNetwork())
    speakers.run(found, SpeakersParams())
    moving = talks(found, 0)
    assert moving[:10] == [None] * 10 and moving[30:] == [None] * 10
    assert all(value is not None and value > 0.9 for value in moving[12:28])


@pytest.mark.parametrize(("lacks", "reason"), [("sound", speakers.NO_SOUND), ("tracks", NO_FACE)])
def test_without_sound_or_faces_it_is_skipped(tmp_path: Path, lacks: str, reason: str) -> None:
    workspace = film(tmp_path, 1, [(0.0, 1.0)])
    schema = tables.SCHEMAS[lacks]
    tables.write_table(workspace.table(lacks), [schema.empty_table()], schema)
    found = context(workspace, FakeNetwork())
    assert speakers.run(found, SpeakersParams()) == {"faces": 0, "talking": 0}
    assert found.skipped == reason
    assert tables.read_table(found.out / "talking.parquet", tables.TALKING_FACES).num_rows == 0


def test_the_mouth_is_cut_out_of_the_lower_half_and_grey_is_beside_the_picture() -> None:
    grey = np.zeros((100, 100), np.uint8)
    grey[60:80] = 255
    view = speakers.mouth_view(grey, np.array([50.0, 60.0]), 40.0)
    assert view.shape == (112, 112) and view[50:60].mean() > 200 and view[-6:].mean() < 20
    corner = speakers.mouth_view(grey, np.array([0.0, 0.0]), 40.0)
    assert corner[0, 0] == 110 and corner[-1, -1] == 0
    assert (speakers.mouth_view(grey, np.array([500.0, 500.0]), 40.0) == 110).all()
