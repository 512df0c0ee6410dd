"""Scores of annotated clips, worked out by hand, against scikit-learn, and laws that hold for any clip."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn

from fercli.errors import DatasetError
from fercli.formats.annotations import Label
from fercli.labels import EMOTIONS
from fercli.learn.evaluation.segments import NOTHING, score_files, score_segments, segment_f1
from tests.failing import fails


def spans(*rows: tuple[float, float, str], person: str = "", score: float = 1.0) -> list[Label]:
    return [Label(round(1000 * start), round(1000 * end), emotion, person, score) for start, end, emotion in rows]


def clip() -> tuple[list[Label], list[Label]]:
    """Ten seconds of truth with a gap from 6 to 8, and an annotation that is late, wrong and misses some."""
    truth = spans((0, 4, "happiness"), (4, 6, "sadness"), (8, 12, "neutral"))
    annotated = spans((1, 5, "happiness"), (5, 9, "sadness"), (9, 11, "neutral"), person="Person 1")
    return truth, annotated


def test_all_figures_of_a_clip_worked_out_by_hand() -> None:
    scores = score_segments(*clip())
    overall = scores.overall
    assert scores.classes == ("happiness", "sadness", "neutral")
    # rows happiness, sadness, neutral; columns the same, then missed
    assert overall.confusion.tolist() == [[3, 0, 0, 1], [1, 1, 0, 0], [0, 1, 2, 1]]
    assert overall.seconds == 10
    assert overall.coverage == pytest.approx(0.8)
    assert overall.accuracy == pytest.approx(0.6)
    by_chance = (4 * 4 + 2 * 2 + 4 * 2) / 100
    assert overall.kappa == pytest.approx((0.6 - by_chance) / (1 - by_chance))
    assert overall.macro_f1 == pytest.approx((6 / 8 + 2 / 4 + 4 / 6) / 3)
    # Cut to the labelled time, sadness is 5-6 and 8-9. IoU: happiness 3/5, sadness 1/2 and none, neutral 2/4.
    assert overall.segment_f1 == {percent: pytest.approx(2 * 3 / (3 + 4)) for percent in (10, 25, 50)}


def test_a_higher_overlap_is_asked_for_step_by_step() -> None:
    truth = spans((0, 4, "happiness"), (4, 8, "anger"), (8, 12, "fear"))
    annotated = spans((0, 0.4, "happiness"), (5, 6, "anger"), (8, 9.99, "fear"))
    f1 = score_segments(truth, annotated).overall.segment_f1
    assert f1 == {10: 1, 25: pytest.approx(2 / 3), 50: 0}


def line(text: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """`a` to `z` are classes, a space is nothing."""
    return np.array([NOTHING if letter == " " else ord(letter) - ord("a") for letter in text], dtype=np.int64)


@pytest.mark.parametrize(
    ("truth", "annotated", "percent", "expected"),
    [
        ("aaaabbbb", "aaaabbbb", 50, 1),
        ("aaaabbbb", "bbbbaaaa", 10, 0),
        ("aaaabbbb", "        ", 10, 0),
        ("aaaaaaaa", "a a aaaa", 10, 2 * 1 / (1 + 3)),  # three pieces, one true segment: one hit, two false alarms
        ("aaaaaaaa", "aaaaaaab", 50, 2 * 1 / (1 + 2)),
        ("aabbaabb", "aaaaaaaa", 25, 2 * 1 / (4 + 1)),  # one long segment finds one of two
        ("aabbaabb", "aaaaaaaa", 26, 0),
        ("aaaa    ", "aaaabbbb", 50, 1),  # nothing is said of the rest
        ("aaaa aaa", "aaaaaaaa", 50, 1),  # cut in two where the truth is
    ],
)
def test_segments_are_found_as_in_action_segmentation(
    truth: str, annotated: str, percent: int, expected: float
) -> None:
    assert segment_f1([(line(truth), line(annotated))], percent) == pytest.approx(expected)


def test_segments_of_several_persons_are_counted_together() -> None:
    pairs = [(line("aabb"), line("aabb")), (line("aaaa"), line("bbbb"))]
    assert segment_f1(pairs, 50) == pytest.approx(2 * 2 / (3 + 3))


def test_what_was_not_assessable_is_missed_but_unlabelled_time_is_free(tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("start,end,class\n0,2,happy\n2,4,happy\n6,7,not assessable\n")
    rows = "0,3,happy\n3,4,not assessable\n4,9,sad\n"
    (tmp_path / "annotations.csv").write_text("start,end,class\n" + rows)
    overall = score_files(tmp_path / "annotations.csv", tmp_path / "truth.csv").overall
    assert (overall.seconds, overall.coverage, overall.accuracy) == (4, 0.75, 0.75)
    assert overall.macro_f1 == pytest.approx(2 * 3 / (2 * 3 + 1))
    assert overall.kappa == 0  # the truth has one class only, so chance does as well


def test_an_empty_annotation_misses_everything() -> None:
    scores = score_segments(spans((0, 2, "fear"), person="Ross"), [])
    assert (scores.overall.coverage, scores.overall.accuracy, scores.overall.macro_f1) == (0, 0, 0)
    assert scores.overall.segment_f1 == {10: 0, 25: 0, 50: 0}
    assert (scores.persons[0].annotated, scores.persons[0].matched_by) == (None, "")


def test_kappa_is_left_out_where_chance_agrees_always() -> None:
    scores = score_segments(spans((0, 2, "neutral")), spans((0, 2, "neutral")))
    assert scores.overall.accuracy == 1
    assert scores.overall.kappa is None


def test_steps_belong_to_the_span_that_has_their_middle() -> None:
    truth = [Label(0, 100, "fear")]
    # 14 ms: the step from 10 to 20 ms has its middle at 15 and starts inside; 95 is where the last one has it
    for start, end, steps in (
        (0, 100, 10),
        (5, 100, 10),
        (6, 100, 9),
        (0, 96, 10),
        (0, 95, 9),
        (14, 15, 0),
        (15, 16, 1),
    ):
        coverage = score_segments(truth, [Label(start, end, "fear")]).overall.coverage
        assert coverage == pytest.approx(steps / 10), (start, end)


def test_a_truth_shorter_than_a_step_is_refused() -> None:
    with fails(DatasetError, "labels-missing", "10"):
        score_segments([Label(6, 14, "fear")], [])


def test_where_segments_overlap_the_surer_counts_whatever_their_order() -> None:
    truth = spans((0, 2, "fear"))
    sure, unsure = spans((0, 2, "fear"), score=0.8), spans((0, 2, "anger"), score=0.4)
    assert score_segments(truth, sure + unsure).overall.accuracy == 1
    assert score_segments(truth, unsure + sure).overall.accuracy == 1


def test_persons_are_matched_by_name_before_overlap() -> None:
    truth = spans((0, 9, "fear"), person="Ross") + spans((0, 9, "anger"), person="Rachel")
    annotated = spans((0, 1, "fear"), person="ROSS") + spans((0, 9, "fear"), person="Person 2")
    scores = score_segments(truth, annotated)
    assert [(p.truth, p.annotated, p.matched_by) for p in scores.persons] == [
        ("Ross", "ROSS", "name"),
        ("Rachel", "Person 2", "overlap"),
    ]
    assert [p.agreement.accuracy for p in scores.persons] == [pytest.approx(1 / 9), 0]
    assert scores.overall.accuracy == pytest.approx(1 / 18)


def test_the_assignment_is_the_best_of_all_not_the_first() -> None:
    truth = spans((0, 9, "fear"), person="Ross") + spans((0, 4, "anger"), person="Rachel")
    annotated = spans((0, 5, "fear"), person="Person 1") + spans((5, 9, "fear"), person="Person 2")
    # Person 1 shares 5 s with Ross, but 4 s with Rachel, and then Person 2 shares 4 more with Ross.
    scores = score_segments(truth, annotated)
    assert {p.truth: p.annotated for p in scores.persons} == {"Ross": "Person 2", "Rachel": "Person 1"}


def test_whoever_is_never_seen_while_labelled_is_matched_with_no_person() -> None:
    truth = spans((0, 4, "fear"), person="Ross") + spans((4, 6, "anger"), person="Rachel")
    scores = score_segments(truth, spans((0, 4, "fear"), person="Person 1") + spans((1, 2, "fear"), person="Person 2"))
    assert {p.truth: (p.annotated, p.matched_by) for p in scores.persons} == {
        "Ross": ("Person 1", "overlap"),
        "Rachel": (None, ""),
    }
    assert scores.unscored == ("Person 2",)


def test_persons_always_seen_together_are_told_apart_by_what_they_show() -> None:
    truth = spans((0, 9, "fear"), person="Ross") + spans((0, 9, "anger"), person="Rachel")
    annotated = spans((0, 9, "anger"), person="Person 1") + spans((0, 9, "fear"), person="Person 2")
    scores = score_segments(truth, annotated)
    assert {p.truth: p.annotated for p in scores.persons} == {"Ross": "Person 2", "Rachel": "Person 1"}
    assert scores.overall.accuracy == 1


def test_people_the_truth_does_not_have_are_named_and_not_scored() -> None:
    truth, annotated = clip()
    stranger = spans((0, 3, "anger"), person="Stranger") + spans((50, 60, "anger"), person="Latecomer")
    scores = score_segments(truth, annotated + stranger)
    assert scores.unscored == ("Stranger", "Latecomer")
    assert scores.overall.accuracy == score_segments(truth, annotated).overall.accuracy


def test_the_json_has_every_figure_and_no_nan() -> None:
    content = json.loads(json.dumps(score_segments(*clip()).as_json(), allow_nan=False))
    figures = {"seconds", "coverage", "accuracy", "kappa", "macro_f1", "segment_f1", "confusion"}
    assert content.keys() == figures | {"classes", "persons", "unscored"}
    assert content["persons"][0].keys() == figures | {"truth", "annotated", "matched_by"}
    assert content["segment_f1"].keys() == {"10", "25", "50"}
    assert content["persons"][0]["annotated"] == "Person 1"


def timeline() -> st.SearchStrategy[list[Label]]:
    """Spans one after another with gaps between some, edges on whole steps."""
    piece = st.tuples(st.integers(1, 30), st.sampled_from(EMOTIONS[:4]), st.booleans())

    def lay(pieces: list[tuple[int, str, bool]]) -> list[Label]:
        start, laid = 0, []
        for steps, emotion, shown in pieces:
            if shown:
                laid.append(Label(start, start + 10 * steps, emotion))
            start += 10 * steps
        return laid

    return st.lists(piece, max_size=12).map(lay)


def labels(laid: list[Label], length: int) -> list[int]:
    """Class of each step, found by asking every span."""
    middles = [10 * step + 5 for step in range(length)]
    return [next((EMOTIONS.index(s.emotion) for s in laid if s.start_ms <= m < s.end_ms), -1) for m in middles]


@settings(deadline=None)
@given(timeline().filter(bool), timeline())
def test_any_two_timelines_agree_with_scikit_learn(truth: list[Label], annotated: list[Label]) -> None:
    overall = score_segments(truth, annotated).overall
    length = truth[-1].end_ms // 10
    pairs = [(t, a) for t, a in zip(labels(truth, length), labels(annotated, length), strict=True) if t >= 0]
    true, found = (list(side) for side in zip(*pairs, strict=True))
    assert overall.seconds == pytest.approx(len(true) / 100)
    assert overall.accuracy == pytest.approx(sklearn.accuracy_score(true, found))
    macro_f1 = sklearn.f1_score(true, found, labels=sorted(set(true)), average="macro", zero_division=0)
    assert overall.macro_f1 == pytest.approx(macro_f1)
    if overall.kappa is None:
        assert set(true) == set(found) and len(set(true)) == 1
    else:
        assert overall.kappa == pytest.approx(sklearn.cohen_kappa_score(true, found))
    assert 1 >= overall.segment_f1[10] >= overall.segment_f1[25] >= overall.segment_f1[50] >= 0


@settings(deadline=None)
@given(timeline().filter(bool))
def test_a_truth_agrees_with_itself(truth: list[Label]) -> None:
    overall = score_segments(truth, truth).overall
    assert (overall.coverage, overall.accuracy, overall.macro_f1) == (1, 1, 1)
    assert set(overall.segment_f1.values()) == {1}
