"""Who is on screen between the frames that were looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from fercli import tables
from fercli.results.details import read_details
from fercli.results.load import load
from fercli.results.model import Segment
from fercli.views.render.faces import Faces
from fercli.views.render.sampled import Sampled
from fercli.workspace import Workspace
from tests.views.render.scenes import PROBABILITIES, Box, grey_video, make_scene

BOX: Box = (100, 50, 180, 150)


def moved(x: float) -> Box:
    return (BOX[0] + x, BOX[1], BOX[2] + x, BOX[3])


def faces_of(workspace: Workspace, names: dict[int, str], only: tuple[str, ...] = ()) -> Faces:
    frames = Sampled.of(tables.read_table(workspace.table("frames")))
    result = load(workspace)
    return Faces(frames, read_details(workspace, names), [*result.segments, *result.gaps], only)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Two seconds, ten frames a second."""
    return grey_video(tmp_path / "v.mp4")


def test_a_box_moves_evenly_between_two_sightings(tmp_path: Path, video: Path) -> None:
    workspace = make_scene(tmp_path / "w", video, {"Zoë": {0: BOX, 4: moved(80), 8: moved(80)}}, step=4)
    faces = faces_of(workspace, {0: "Zoë"})
    (face,) = faces.at(0.1)
    assert face.box == pytest.approx(moved(20))
    assert (face.track, face.person, face.emotion) == (0, "Zoë", "happiness")
    assert face.score == pytest.approx(0.7)
    assert face.probabilities == pytest.approx(PROBABILITIES)
    assert faces.at(0.4)[0].box == pytest.approx(moved(80))


def test_sightings_half_a_second_apart_are_not_joined(tmp_path: Path, video: Path) -> None:
    """The face stays where it was seen as long as that frame stands, then it is gone until the next."""
    workspace = make_scene(tmp_path / "w", video, {"Zoë": {0: BOX, 5: moved(80)}})
    faces = faces_of(workspace, {0: "Zoë"})
    assert faces.at(0.05)[0].box == pytest.approx(BOX)
    assert faces.at(0.15) == []
    assert faces.at(0.5)[0].box == pytest.approx(moved(80))


def test_a_face_is_shown_until_its_last_frame_ends(tmp_path: Path, video: Path) -> None:
    faces = faces_of(make_scene(tmp_path / "w", video, {"Zoë": {2: BOX, 4: BOX}}, step=2), {0: "Zoë"})
    assert [len(faces.at(time_s)) for time_s in (0.19, 0.2, 0.4, 0.59, 0.6)] == [0, 1, 1, 1, 0]


def test_a_face_is_never_shown_behind_a_cut(tmp_path: Path, video: Path) -> None:
    """Frame 4, at 0.4 s, is the last that was looked at in its shot, which ends with frame 5 at 0.5 s."""
    workspace = make_scene(tmp_path / "w", video, {"Zoë": {2: BOX, 4: BOX}}, step=2, cuts=[5])
    faces = faces_of(workspace, {0: "Zoë"})
    assert [len(faces.at(time_s)) for time_s in (0.3, 0.4, 0.49, 0.5)] == [1, 1, 1, 0]


def test_only_the_persons_asked_for(tmp_path: Path, video: Path) -> None:
    workspace = make_scene(tmp_path / "w", video, {"Zoë": {0: BOX}, "Ross": {0: moved(100)}})
    names = {0: "Zoë", 1: "Ross"}
    assert [face.person for face in faces_of(workspace, names).at(0.0)] == ["Zoë", "Ross"]
    assert [face.person for face in faces_of(workspace, names, ("Ross",)).at(0.0)] == ["Ross"]


def test_what_is_not_assessable_has_no_probabilities(tmp_path: Path, video: Path) -> None:
    workspace = make_scene(tmp_path / "w", video, {"Zoë": {0: BOX}}, emotion="not assessable")
    (face,) = faces_of(workspace, {0: "Zoë"}).at(0.0)
    assert (face.emotion, face.score, face.probabilities) == ("not assessable", None, None)


def test_a_video_without_faces_has_none_at_any_time(tmp_path: Path, video: Path) -> None:
    assert faces_of(make_scene(tmp_path / "w", video, {}), {}).at(0.5) == []


def test_a_manual_annotation_has_no_bars_of_the_prediction(tmp_path: Path, video: Path) -> None:
    workspace = make_scene(tmp_path / "w", video, {"Zoë": {0: BOX, 4: BOX}}, step=4)
    segment = Segment(0.0, 0.5, "anger", "Zoë", source="human")
    faces = Faces(
        Sampled.of(tables.read_table(workspace.table("frames"))), read_details(workspace, {0: "Zoë"}), [segment]
    )
    (face,) = faces.at(0.1)
    assert (face.emotion, face.probabilities) == ("anger", None)
