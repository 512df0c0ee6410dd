"""Found faces against true ones, tracks against persons, and truth files that cannot be used."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fercli.cli.evaluate import evaluate_persons
from fercli.errors import DatasetError, MissingStage
from fercli.learn.evaluation.person_scores import score, score_workspace
from fercli.learn.evaluation.person_truth import read_person_truth
from fercli.workspace import Workspace
from tests.failing import fails
from tests.workspaces import face_row, faces_table, frames_table, make_workspace, persons_table, tracks_table

LEFT, RIGHT = (100, 50, 180, 150), (400, 50, 480, 150)


def box(place: Sequence[float], dx: float = 0) -> dict[str, float]:
    x1, y1, x2, y2 = place
    return {"x1": x1 + dx, "y1": y1, "x2": x2 + dx, "y2": y2}


def truth_file(path: Path, *shots: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"fps": 10, "shots": shots}), encoding="utf-8")
    return path


def shot(start: float, end: float, **places: Sequence[float]) -> dict[str, Any]:
    faces = [{"person": name, "boxes": [[start, *place]]} for name, place in places.items()]
    return {"start_s": start, "end_s": end, "faces": faces}


def workspace(
    path: Path, seen: Sequence[tuple[int, int, dict[str, float]]], names: Sequence[str | None], times: int = 20
) -> Workspace:
    """(frame, track, box) a face; frames are 0.1 s apart."""
    members = {track: [n for n, row in enumerate(seen) if row[1] == track] for track in {row[1] for row in seen}}
    return make_workspace(
        path,
        frames=frames_table([round(0.1 * frame, 6) for frame in range(times)]),
        faces=faces_table([face_row(frame, **place) for frame, _, place in seen]),
        tracks=tracks_table(members),
        persons=persons_table([(track, name, 0.0, 1.0) for track, name in enumerate(names)]),
    )


def test_two_persons_in_one_frame_are_told_apart_by_their_boxes(tmp_path: Path) -> None:
    seen = [(f, t, box(place)) for f in range(5) for t, place in enumerate((LEFT, RIGHT))]
    place = workspace(tmp_path / "w", seen, ["Person 1", "Person 2"])
    truth = truth_file(tmp_path / "truth.json", shot(0, 2, Rachel=RIGHT, Ross=LEFT))
    scores = score_workspace(place, truth)
    assert scores.as_json() == {
        "wcp": 1.0,
        "bcubed_precision": 1.0,
        "bcubed_recall": 1.0,
        "bcubed_f": 1.0,
        "v_measure": pytest.approx(1.0),
        "clusters": 2,
        "persons": 2,
        "unassigned": 0.0,
        "false_alarms": 0,
    }
    one = score(place, {0: "Ross", 1: "Ross"}, truth)
    assert one.clusters == 1 and one.agreement.bcubed_precision == 0.5 and one.agreement.bcubed_recall == 1
    nobody = score(place, {0: "Ross"}, truth)
    assert nobody.clusters == 1 and nobody.agreement.unassigned == 0.5


def test_a_shot_with_only_a_person_is_that_person_wherever_the_face(tmp_path: Path) -> None:
    seen = [(f, 0, box((f, 0, f + 9, 9))) for f in range(4)] + [(f, 1, box(LEFT)) for f in range(10, 12)]
    place = workspace(tmp_path / "w", seen, ["A", "A"])
    rows = [{"start_s": 0, "end_s": 1.0, "person": "man"}, {"start_s": 1.0, "end_s": 2, "person": "woman"}]
    scores = score_workspace(place, truth_file(tmp_path / "truth.json", *rows))
    # Four faces of the man and two of the woman under one name.
    assert scores.agreement.wcp == pytest.approx(4 / 6) and (scores.clusters, scores.persons) == (1, 2)


def test_boxes_move_evenly_between_their_times_and_stand_still_outside(tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    boxes = [[1.0, 0, 0, 10, 20], [2.0, 100, 50, 120, 80]]
    truth_file(path, {"start_s": 0, "end_s": 3, "faces": [{"person": "Ross", "boxes": boxes}]})
    [found] = read_person_truth(path)
    at = found.faces[0].at(np.array([0.5, 1.0, 1.25, 2.0, 2.9]))
    assert at.tolist() == [boxes[0][1:], boxes[0][1:], [25, 12.5, 37.5, 35], boxes[1][1:], boxes[1][1:]]


def test_a_face_that_moves_is_followed(tmp_path: Path) -> None:
    seen = [(f, 0, box(LEFT, 20 * f)) for f in range(10)] + [(f, 1, box(LEFT)) for f in range(10)]
    place = workspace(tmp_path / "w", sorted(seen, key=lambda row: row[0]), ["A", "B"])
    boxes = [[0, *LEFT], [1.0, 300, 50, 380, 150]]
    truth = truth_file(tmp_path / "t.json", {"start_s": 0, "end_s": 1, "faces": [{"person": "Ross", "boxes": boxes}]})
    # The track that stays behind overlaps by 1, 3/5 and 1/3, then by less than 0.3; its centre is outside from then on.
    assert score_workspace(place, truth).false_alarms == 7


def test_a_small_face_counts_by_its_centre_and_one_beside_does_not(tmp_path: Path) -> None:
    inside, beside = (130, 90, 150, 110), (190, 60, 270, 160)
    truth = truth_file(tmp_path / "t.json", shot(0, 1, Ross=LEFT))
    tracks = [(0, 0, box(inside)), (0, 1, box(beside))]
    scores = score_workspace(workspace(tmp_path / "w", tracks, ["A", "B"]), truth)
    assert scores.false_alarms == 1 and scores.agreement.bcubed_f == 1


def test_a_false_alarm_with_a_name_is_a_person_too_many_but_in_no_other_figure(tmp_path: Path) -> None:
    seen = [(f, t, box(place)) for f in range(3) for t, place in enumerate((LEFT, RIGHT))]
    truth = truth_file(tmp_path / "t.json", shot(0, 1, Ross=LEFT))
    scores = score_workspace(workspace(tmp_path / "w", seen, ["A", "B"]), truth)
    assert (scores.false_alarms, scores.clusters, scores.persons) == (3, 2, 1)
    assert scores.agreement.bcubed_f == 1


def test_a_track_is_the_person_most_of_its_faces_are(tmp_path: Path) -> None:
    # Track 0 jumps to Rachel for its last face; track 1 is Rachel before that.
    seen = [(0, 0, box(LEFT)), (0, 1, box(RIGHT)), (1, 0, box(LEFT)), (1, 1, box(RIGHT)), (2, 0, box(RIGHT))]
    truth = truth_file(tmp_path / "t.json", shot(0, 1, Ross=LEFT, Rachel=RIGHT))
    scores = score_workspace(workspace(tmp_path / "w", seen, ["A", "A"]), truth)
    assert scores.agreement.wcp == pytest.approx(3 / 5)


def test_what_the_truth_does_not_cover_is_not_scored(tmp_path: Path) -> None:
    seen = [(0, 0, box(LEFT)), (1, 0, box(LEFT)), (10, 1, box(RIGHT)), (15, 2, box(RIGHT))]
    place = workspace(tmp_path / "w", seen, ["A", "B", "C"])
    scores = score_workspace(place, truth_file(tmp_path / "t.json", shot(0, 0.5, Ross=LEFT), shot(1.5, 2.0)))
    # Frame 10 lies between the shots; in the second one nobody should be seen.
    assert (scores.false_alarms, scores.clusters, scores.persons) == (1, 2, 1)


def test_times_rounded_to_milliseconds_still_find_the_first_frame_of_a_shot(tmp_path: Path) -> None:
    place = make_workspace(
        tmp_path / "w",
        frames=frames_table([0.0, 1 / 3, 2 / 3]),
        faces=faces_table([face_row(frame, **box(LEFT)) for frame in range(3)]),
        tracks=tracks_table({0: [0, 1], 1: [2]}),
        persons=persons_table([(0, "A", 0.0, 0.6), (1, "B", 0.6, 1.0)]),
    )
    truth = truth_file(tmp_path / "t.json", shot(0, 0.667, Ross=LEFT), shot(0.667, 1, Rachel=LEFT))
    assert score_workspace(place, truth).agreement.bcubed_f == 1


def test_another_videos_truth(tmp_path: Path) -> None:
    place = workspace(tmp_path / "w", [(0, 0, box(LEFT))], ["A"])
    with fails(DatasetError, "truth-does-not-fit", "truth.json") as caught:
        score_workspace(place, truth_file(tmp_path / "truth.json", shot(0, 1, Ross=RIGHT)))
    assert "same video" in caught.value.hint


def test_a_workspace_without_tracks_names_the_stage(tmp_path: Path) -> None:
    place = make_workspace(tmp_path / "w", frames=frames_table([0.0]), faces=faces_table([]))
    with pytest.raises(MissingStage) as caught:
        score_workspace(place, tmp_path / "truth.json")
    assert f"fercli track {tmp_path / 'w'}" in caught.value.hint


FACE = {"person": "Ross", "boxes": [[0, *LEFT]]}


def one(**values: Any) -> str:
    return json.dumps({"shots": [{"start_s": 0, "end_s": 1, **values}]})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot read .*Expecting property name"),
        ("[" * 100_000, "cannot read"),
        ("[]", 'has no list of "shots"'),
        ('{"shots": []}', 'has no list of "shots"'),
        ('{"shots": {"a": 1}}', 'has no list of "shots"'),
        ('{"shots": [3]}', 'shot 1: it needs "start_s", "end_s" and either'),
        (one(), "shot 1: it needs"),
        (one(person="Ross", faces=[FACE]), "shot 1: it needs .* either"),
        (one(person="Ross", end_s=0), "shot 1: ends at 0 s but starts at 0 s"),
        (one(person="Ross", end_s="1"), r'shot 1: "end_s" is \["1"\], expected a number'),
        (one(person="Ross", end_s=float("nan")), r'"end_s" is \[NaN\]'),
        (one(person="  "), r"shot 1: \"person\" is '  ', expected a name"),
        (one(person=None), 'shot 1: "person" is None'),
        (one(faces=FACE), 'shot 1: "faces" is not a list'),
        (one(faces=[{"person": "Ross"}]), "shot 1: a face needs"),
        (one(faces=[{"boxes": FACE["boxes"]}]), 'shot 1: "person" is None'),
        (one(faces=[{**FACE, "boxes": [[0, 1, 2, 3]]}]), r"a box of Ross is \[0, 1, 2, 3\], expected numbers"),
        (one(faces=[{**FACE, "boxes": [7]}]), "a box of Ross is 7, expected numbers"),
        (one(faces=[{**FACE, "boxes": [[0, 9, 9, 9, 20]]}]), "a box of Ross is empty"),
        (one(faces=[{**FACE, "boxes": [[1, *LEFT], [1, *LEFT]]}]), "the times of the boxes of Ross do not ascend"),
        (
            json.dumps(
                {"shots": [{"start_s": 0, "end_s": 2, "person": "a"}, {"start_s": 1, "end_s": 3, "person": "b"}]}
            ),
            "shot 2: starts at 1 s, before the shot before it ends at 2 s",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    path.write_text(text)
    with pytest.raises(DatasetError, match=message) as caught:
        read_person_truth(path)
    assert str(path) in caught.value.message and caught.value.hint


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with fails(DatasetError, "file-missing", "none.json"):
        read_person_truth(tmp_path / "none.json")


def test_figures_for_people_and_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seen = [(f, t, box(place)) for f in range(3) for t, place in enumerate((LEFT, RIGHT))]
    place = workspace(tmp_path / "w", seen, ["A", None])
    truth = truth_file(tmp_path / "t.json", shot(0, 1, Ross=LEFT, Rachel=RIGHT))
    evaluate_persons(place.path, truth, json=True)
    figures = json.loads(capsys.readouterr().out)
    assert figures == score_workspace(place, truth).as_json()
    assert (figures["unassigned"], figures["clusters"], figures["persons"]) == (0.5, 1, 2)
    evaluate_persons(place.path, truth, json=False)
    shown = capsys.readouterr().out
    assert all(name in shown for name in figures)
    assert "0.5000" in shown and "0.50" in shown.splitlines()[-1]
