from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from examples.make_sample import MAN, make_sample
from fercli import chain, pipeline, tables
from fercli.config import FacesParams, FramesParams, PersonsParams, Runtime, TracksParams, limit_of
from fercli.errors import ConfigError, InputError
from fercli.media.probe import probe
from fercli.persons import cast
from fercli.progress import Silent
from fercli.results.model import DOUBTFUL_BELOW
from fercli.stages import persons, tracks
from fercli.stages.base import StageContext
from fercli.tracking.faces import choose_faces, read_faces
from fercli.workspace import Workspace
from tests.persons.test_gallery import BLUE, GREEN, RED, ColourEmbedder
from tests.workspaces import (
    add_receipt,
    crops_table,
    face_row,
    faces_table,
    frames_table,
    make_workspace,
    stage_context,
)

SCALE = FacesParams().crop_scale


def at(frame: int, left: float, **values: Any) -> dict[str, Any]:
    """A face 80 wide and 100 high."""
    return face_row(frame, x1=left, x2=left + 80, **values)


def crop(colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    """A face of one colour, 0.8 x 1 of its longer side, in the middle of a white crop."""
    side = 102
    image = np.full((side, side, 3), 255, dtype=np.uint8)
    height, width = side / SCALE, 0.8 * side / SCALE
    rows, columns = (slice(round((side - n) / 2), round((side + n) / 2)) for n in (height, width))
    image[rows, columns] = colour
    return image


def workspace(
    path: Path,
    shots: Sequence[int],
    seen: Sequence[tuple[dict[str, Any], tuple[int, int, int]]],
    times: Sequence[float] | None = None,
    held: Mapping[int, float] | None = None,
) -> StageContext:
    """`shots[k]` is the shot of frame k; frames are 0.1 s apart unless `times` say otherwise."""
    pts = list(times) if times is not None else [round(0.1 * k, 6) for k in range(len(shots))]
    frames_rows = frames_table(pts, shots=shots, held=held)
    content = {"faces": faces_table([row for row, _ in seen]), "crops": crops_table([crop(c) for _, c in seen])}
    return stage_context(make_workspace(path, frames=frames_rows, **content))


def find(context: StageContext, params: PersonsParams | None = None, load: Callable[[], Any] = ColourEmbedder) -> Any:
    counts = tracks.embed_tracks(context, TracksParams(), load)
    for name in ("tracks", "embeddings"):  # as if the stage had been swapped in
        place = context.workspace.table(name)
        place.parent.mkdir(exist_ok=True)
        place.write_bytes((context.out / place.name).read_bytes())
    counts |= persons.find_persons(context, params or PersonsParams(), load)
    read = [
        tables.read_table(context.out / f"{name}.parquet", tables.SCHEMAS[name]).to_pylist()
        for name in ("tracks", "persons")
    ]
    return counts, read[0], read[1]


def test_man_woman_man(tmp_path: Path) -> None:
    shots = [0] * 5 + [1] * 5 + [2] * 5
    seen = [(at(k, 100), (RED, GREEN, RED)[shot]) for k, shot in enumerate(shots)]
    counts, members, people = find(workspace(tmp_path, shots, seen))
    assert counts == {"tracks": 3, "persons": 2, "unassigned": 0}
    assert [row["track"] for row in members] == shots
    assert [row["face"] for row in members] == list(range(15))
    assert [(row["person"], row["shot"], row["faces"]) for row in people] == [
        ("Person 1", 0, 5),
        ("Person 2", 1, 5),
        ("Person 1", 2, 5),
    ]


def test_a_face_in_the_same_place_after_a_cut_is_another_track(tmp_path: Path) -> None:
    counts, _, _ = find(workspace(tmp_path, [0] * 4 + [1] * 4, [(at(k, 100), RED) for k in range(8)]))
    assert counts["tracks"] == 2 and counts["persons"] == 1


def test_lookalikes_in_one_frame_are_two_persons_throughout(tmp_path: Path) -> None:
    shots = [0] * 4 + [1] * 4
    seen = [(at(k, left), RED) for k in range(8) for left in (100, 400)]
    _, _, people = find(workspace(tmp_path, shots, seen))
    assert sorted(row["person"] for row in people) == ["Person 1", "Person 1", "Person 2", "Person 2"]
    assert {row["person"] for row in people if row["shot"] == 1} == {"Person 1", "Person 2"}


def test_times_end_where_the_frame_ends_and_never_in_the_next_shot(tmp_path: Path) -> None:
    times = [5.0, 5.12, 5.2, 5.32, 5.4, 5.52, 5.6, 5.72]
    context = workspace(tmp_path, [0] * 4 + [1] * 4, [(at(k, 100), RED) for k in range(8)], times)
    _, _, people = find(context)
    assert [(row["start_s"], row["end_s"]) for row in people] == [(5.0, 5.4), (5.4, pytest.approx(5.84))]


@pytest.mark.parametrize(("interval_s", "faces"), [(1.001, 1), (2.0, 1), (0.5, 2), (0.3, 3)])
def test_where_frames_are_far_apart_fewer_faces_make_a_track(tmp_path: Path, interval_s: float, faces: int) -> None:
    times = [interval_s * k for k in range(12)]
    for seen, followed in ((faces, 1), (faces - 1, 0)):
        context = workspace(tmp_path / str(seen), [0] * 12, [(at(k, 100), RED) for k in range(4, 4 + seen)], times)
        assert find(context)[0]["tracks"] == followed


HELD_TIMES = [0.0, 0.1, 0.2, 0.3, 10.0, 10.1, 10.2, 10.3]
"""A picture that stands for 9.7 s among others that do not."""


def test_a_face_in_one_picture_that_is_held_is_a_track_as_long_as_that(tmp_path: Path) -> None:
    counts, _, people = find(workspace(tmp_path / "held", [0] * 8, [(at(3, 100), RED)], HELD_TIMES, {3: 10.0}))
    assert counts["tracks"] == 1
    assert [(row["start_s"], row["end_s"], row["faces"]) for row in people] == [(0.3, 10.0, 1)]
    assert find(workspace(tmp_path / "lost", [0] * 8, [(at(3, 100), RED)], HELD_TIMES))[0]["tracks"] == 0


def test_a_picture_that_is_held_is_no_gap(tmp_path: Path) -> None:
    """Whoever moved before goes on from where the picture stood, and has not left it meanwhile."""
    moving = [(at(k, 100 + 12 * k), RED) for k in range(8)]
    counts, _, people = find(workspace(tmp_path, [0] * 8, moving, HELD_TIMES, {3: 10.0}))
    assert counts["tracks"] == 1
    assert (people[0]["start_s"], people[0]["end_s"]) == (0, pytest.approx(10.4))


def test_who_is_not_in_the_picture_that_is_held_was_away(tmp_path: Path) -> None:
    seen = [(at(k, 100), RED) for k in range(8) if k != 3]
    counts, _, people = find(workspace(tmp_path, [0] * 8, seen, HELD_TIMES, {3: 10.0}))
    assert counts["tracks"] == 2
    assert sum(row["end_s"] - row["start_s"] for row in people) == pytest.approx(0.7)


def test_a_camera_that_sends_a_picture_every_ten_seconds_follows_a_face(tmp_path: Path) -> None:
    times = [10.0 * k for k in range(6)]
    held = {k: 10.0 * (k + 1) for k in range(6)}
    counts, _, people = find(workspace(tmp_path, [0] * 6, [(at(k, 100), RED) for k in range(1, 5)], times, held))
    assert counts["tracks"] == 1
    assert (people[0]["start_s"], people[0]["end_s"]) == (10, 50)


@pytest.mark.parametrize("interval_s", [1.001, 2.0])
def test_frames_that_follow_each_other_are_no_gap(tmp_path: Path, interval_s: float) -> None:
    times = [interval_s * k for k in range(5)]
    counts, _, people = find(workspace(tmp_path, [0] * 5, [(at(k, 100), RED) for k in range(5)], times))
    assert counts["tracks"] == 1
    assert (people[0]["start_s"], people[0]["end_s"]) == (0, pytest.approx(5 * interval_s))


@pytest.mark.parametrize(
    "bad", [{"size": 19.0}, {"sharpness": 19.0}, {"sharpness": 3.9, "contrast": 10.0}, {"frontal": 0.05}]
)
def test_a_track_without_a_face_to_tell_by_gets_no_person(tmp_path: Path, bad: dict[str, float]) -> None:
    shots = [0] * 4 + [1] * 4
    seen = [(at(k, 100, **(bad if shot else {})), RED) for k, shot in enumerate(shots)]
    counts, _, people = find(workspace(tmp_path, shots, seen))
    assert counts == {"tracks": 2, "persons": 1, "unassigned": 1}
    assert [row["person"] for row in people] == ["Person 1", None]


def test_two_faces_that_stop_on_each_other_and_turn_back_keep_their_tracks(tmp_path: Path) -> None:
    meet = [20 * k for k in range(10)] + [190] * 3 + [180 - 20 * k for k in range(10)]
    seen = [face for k, x in enumerate(meet) for face in ((at(k, 100 + x), RED), (at(k, 500 - x), GREEN))]
    _, members, people = find(workspace(tmp_path, [0] * len(meet), seen))
    assert [row["track"] for row in members] == [0, 1] * len(meet)
    assert [row["person"] for row in people] == ["Person 1", "Person 2"]


def test_a_face_that_takes_the_place_of_another_within_a_shot_is_another_track(tmp_path: Path) -> None:
    seen = [(at(k, 100), RED if k < 13 else GREEN) for k in range(30)]
    context = workspace(tmp_path, [0] * 30, seen)
    _, members, people = find(context)
    assert [row["track"] for row in members] == [0] * 13 + [1] * 17
    assert [(row["person"], row["start_s"], row["end_s"]) for row in people] == [
        ("Person 1", 0.0, pytest.approx(1.3)),
        ("Person 2", pytest.approx(1.3), pytest.approx(3.0)),
    ]
    assert context.warnings == []


def test_a_track_that_may_be_two_persons_is_worth_a_look(tmp_path: Path) -> None:
    poor = {"size": 19.0}
    seen = [(at(k, 100, **(poor if 13 <= k < 28 else {})), RED if k < 13 else GREEN) for k in range(30)]
    context = workspace(tmp_path, [0] * 30, seen)
    _, members, people = find(context)
    assert {row["track"] for row in members} == {0}
    assert people[0]["identity"] < DOUBTFUL_BELOW
    assert len(context.warnings) == 1


def test_whoever_turns_up_after_a_gap_looking_unlike_is_another_track(tmp_path: Path) -> None:
    poor = {"size": 19.0}  # too small to be embedded
    shots, times = [0] * 16, [0.1 * k for k in range(8)] + [1.3 + 0.1 * k for k in range(8)]
    for colour, expected in ((RED, [0] * 16), (GREEN, [0] * 8 + [1] * 8)):
        seen = [(at(k, 100, **poor), RED if k < 8 else colour) for k in range(16)]
        _, members, _ = find(workspace(tmp_path / str(colour), shots, seen, times))
        assert [row["track"] for row in members] == expected


def test_faces_of_mixed_pictures_tell_nothing(tmp_path: Path) -> None:
    seen = [(at(k, 100), BLUE if 4 <= k < 8 else RED) for k in range(12)]
    content = {"faces": faces_table([row for row, _ in seen]), "crops": crops_table([crop(c) for _, c in seen])}
    mixed = [4 <= k < 8 for k in range(12)]
    frames_rows = frames_table([0.1 * k for k in range(12)], mixed=mixed)
    _, _, people = find(stage_context(make_workspace(tmp_path, frames=frames_rows, **content)))
    assert [row["person"] for row in people] == ["Person 1"]
    assert people[0]["identity"] > 0.9 and not 4 <= people[0]["best_face"] < 8


def test_every_track_says_how_surely_it_is_its_persons(tmp_path: Path) -> None:
    shots = [0] * 5 + [1] * 5 + [2] * 5
    seen = [(at(k, 100, **({"size": 19.0} if shot == 2 else {})), RED) for k, shot in enumerate(shots)]
    _, _, people = find(workspace(tmp_path, shots, seen))
    assert [row["identity"] for row in people] == [pytest.approx(1.0, abs=0.01)] * 2 + [None]


def test_embeddings_are_kept_with_what_they_are_worth(tmp_path: Path) -> None:
    shots = [0] * 5 + [1] * 5 + [2] * 5
    looks = {0: {"size": 150.0}, 1: {"size": 30.0}, 2: {"size": 19.0}}
    context = workspace(tmp_path, shots, [(at(k, 100, **looks[shot]), RED) for k, shot in enumerate(shots)])
    find(context)
    rows = tables.read_table(context.out / "embeddings.parquet", tables.EMBEDDINGS).to_pylist()
    assert [row["track"] for row in rows] == [0, 1], "the third has no face to tell by"
    assert rows[0]["embedding"] == pytest.approx(np.array(RED) / 255, abs=0.02)
    assert rows[0]["confidence"] == pytest.approx(5 * rows[1]["confidence"])


def test_a_cast_keeps_persons_from_video_to_video(tmp_path: Path) -> None:
    params = PersonsParams(cast=str(tmp_path / "show.cast"))
    first = workspace(tmp_path / "1", [0] * 5 + [1] * 5, [(at(k, 100), (RED, GREEN)[k // 5]) for k in range(10)])
    second = workspace(tmp_path / "2", [0] * 5 + [1] * 5, [(at(k, 100), (BLUE, GREEN)[k // 5]) for k in range(10)])
    second.workspace.video = replace(second.workspace.video, sha256="cd" * 32)
    assert [row["person"] for row in find(first, params)[2]] == ["Person 1", "Person 2"]
    assert [row["person"] for row in find(second, params)[2]] == ["Person 3", "Person 2"]


def test_a_cast_of_another_embedder_is_refused_before_any_work(tmp_path: Path) -> None:
    cast.enrol(tmp_path / "show.cast", "arcface 1234", "one", [], [], 0.5)
    with pytest.raises(InputError, match="was made with the embedder arcface 1234"):
        persons.check(PersonsParams(cast=str(tmp_path / "show.cast")))


def test_a_gallery_that_is_not_there_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"the gallery .*people does not exist"):
        persons.check(PersonsParams(gallery=str(tmp_path / "people")))


def test_a_picture_more_in_the_gallery_makes_the_stage_stale(tmp_path: Path) -> None:
    (tmp_path / "Ross.jpg").write_bytes(b"one")
    params = PersonsParams(gallery=str(tmp_path))
    before = persons.outside(params)
    (tmp_path / ".DS_Store").write_bytes(b"of a file manager")
    assert persons.outside(params) == before
    (tmp_path / "Rachel.jpg").write_bytes(b"two")
    assert persons.outside(params) != before
    assert persons.outside(PersonsParams()) == {}


def test_bad_faces_do_not_speak_for_a_track_that_has_good_ones(tmp_path: Path) -> None:
    seen = [(at(k, 100, **({"sharpness": 5.0} if k < 5 else {})), BLUE if k < 5 else RED) for k in range(10)]
    seen += [(at(k, 100), RED) for k in range(10, 15)]
    _, _, people = find(workspace(tmp_path, [0] * 10 + [1] * 5, seen))
    assert [row["person"] for row in people] == ["Person 1", "Person 1"]


def test_a_dark_face_is_as_good_as_a_bright_one(tmp_path: Path) -> None:
    seen = [(at(k, 100, sharpness=5.0, contrast=15.0), RED) for k in range(4)]
    assert [row["person"] for row in find(workspace(tmp_path, [0] * 4, seen))[2]] == ["Person 1"]


def test_a_lying_face_is_turned_upright_before_it_is_embedded(tmp_path: Path) -> None:
    lying = {"x1": 100.0, "x2": 200.0, "y1": 100.0, "y2": 180.0, "roll": 90.0}
    context = workspace(tmp_path, [0] * 3, [({**face_row(k), **lying}, RED) for k in range(3)])
    half_red = crop(RED)
    half_red[:, 51:] = 0  # what is on the right of a face lying with its top to the right
    crops = crops_table([half_red] * 3)
    tables.write_table(context.workspace.table("crops"), [crops], tables.CROPS)
    embedder = ColourEmbedder()
    find(context, load=lambda: embedder)
    picture, (x1, y1, x2, y2) = embedder.crops[0], embedder.boxes[0]
    assert picture[:45].max() < 30 and picture[60:].max() > 200
    assert y2 - y1 == pytest.approx(60, abs=1) and x2 - x1 == pytest.approx(48, abs=1)


def test_faces_of_a_detector_without_landmarks_are_as_good(tmp_path: Path) -> None:
    _, _, people = find(workspace(tmp_path, [0] * 4, [(at(k, 100, frontal=None), RED) for k in range(4)]))
    assert [row["person"] for row in people] == ["Person 1"]


def test_the_best_face_is_the_largest_sharpest_most_frontal(tmp_path: Path) -> None:
    better = {1: {"size": 90.0}, 2: {"size": 90.0, "sharpness": 400.0}, 3: {"size": 90.0, "sharpness": 399.0}}
    context = workspace(tmp_path, [0] * 5, [(at(k, 100, **better.get(k, {})), RED) for k in range(5)])
    assert find(context)[2][0]["best_face"] == 2


@pytest.mark.parametrize(("frames_long", "embedded"), [(5, 2), (15, 4), (25, 4), (60, 4), (200, 5)])
def test_few_crops_are_embedded_and_short_tracks_need_fewer(tmp_path: Path, frames_long: int, embedded: int) -> None:
    embedder = ColourEmbedder()
    find(workspace(tmp_path, [0] * frames_long, [(at(k, 100), RED) for k in range(frames_long)]), load=lambda: embedder)
    assert len(embedder.crops) == embedded


def test_embedded_faces_are_the_best_of_equal_spans_of_the_track(tmp_path: Path) -> None:
    best = {3: 300.0, 14: 300.0, 17: 299.0, 29: 300.0}
    context = workspace(tmp_path, [0] * 30, [(at(k, 100, sharpness=best.get(k, 200.0)), RED) for k in range(30)])
    found = read_faces(context.workspace)
    owner = np.zeros(len(found.frame), dtype=np.int32)
    assert choose_faces(found, owner, 3).tolist() == [3, 14, 29]


def test_false_alarms_are_dropped_but_not_what_fills_a_very_short_shot(tmp_path: Path) -> None:
    # Shot 0 has five frames, and a face in two of them; shot 1 has two, one face in both and another in one.
    seen = [(at(1, 100), RED), (at(2, 100), RED), (at(5, 100), GREEN), (at(5, 400), BLUE), (at(6, 100), GREEN)]
    counts, members, _ = find(workspace(tmp_path, [0] * 5 + [1] * 2, seen))
    assert counts["tracks"] == 1
    assert [row["face"] for row in members] == [2, 4]


@pytest.mark.parametrize("shots", [[0, 0, 0], []])
def test_no_faces_is_a_valid_result_and_loads_nothing(tmp_path: Path, shots: list[int]) -> None:
    def load() -> Any:
        raise AssertionError("there is nothing to embed")

    counts, members, people = find(workspace(tmp_path, shots, []), load=load)
    assert counts == {"tracks": 0, "persons": 0, "unassigned": 0}
    assert members == people == []


@pytest.mark.parametrize(
    "wrong", [{"min_iou": 1.5}, {"max_gap_s": -1.0}, {"limit": -0.1}, {"min_faces": 0}, {"embed_faces": 0}]
)
def test_parameters_out_of_range(tmp_path: Path, wrong: dict[str, Any]) -> None:
    context = workspace(tmp_path, [0], [(at(0, 100), RED)])
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        tracks.run(context, replace(TracksParams(), **wrong))


def test_a_limit_out_of_range(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="max_distance"):
        persons.check(PersonsParams(max_distance=-0.1))


def test_a_gallery_names_the_detector_that_finds_its_faces(tmp_path: Path) -> None:
    (tmp_path / "Ross.jpg").write_bytes(b"one")
    assert list(persons.weights(PersonsParams())) == ["dlib-resnet"]
    assert list(persons.weights(PersonsParams(gallery=str(tmp_path)))) == ["dlib-resnet", "centerface"]


def test_embeddings_of_another_network_are_refused(tmp_path: Path) -> None:
    context = workspace(tmp_path, [0] * 4, [(at(k, 100), RED) for k in range(4)])
    find(context)
    add_receipt(context.workspace, "tracks")  # of no network
    with pytest.raises(ConfigError, match="embedded by"):
        persons.run(context, PersonsParams())


def test_the_limit_of_a_network_of_ones_own_is_the_largest_distance_given() -> None:
    assert limit_of("arc.onnx", 1.2) == 1.2
    assert limit_of("dlib-resnet", 0.4) == TracksParams.limit


@pytest.mark.slow
def test_the_sample_video_shows_two_persons_and_the_man_is_the_same_before_and_after(tmp_path: Path) -> None:
    video = tmp_path / "sample.mp4"
    truth = make_sample(video)["shots"]
    place = Workspace.create(tmp_path / "sample.fercli", probe(video))
    plan: list[Any] = [
        (chain.FRAMES, FramesParams(keep_images=False)),
        (chain.FACES, FacesParams()),
        (chain.TRACKS, TracksParams()),
        (chain.PERSONS, PersonsParams()),
    ]
    with place.lock():
        pipeline.run(place, plan, Runtime(device="cpu"), Silent())
    people = tables.read_table(place.table("persons"), tables.PERSONS).to_pylist()
    names = {MAN: "Person 1", "woman": "Person 2"}
    assert [row["person"] for row in people] == [names[shot["person"]] for shot in truth]
    assert min(row["identity"] for row in people) > 0.9
    for row, shot in zip(people, truth, strict=True):
        assert row["start_s"] == pytest.approx(shot["start_s"], abs=0.1)
        assert row["end_s"] == pytest.approx(shot["end_s"], abs=0.1)
