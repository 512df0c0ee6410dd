"""Smoothing, against a search through all paths and against tracks worked out by hand."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fercli.expressions.smoothing import (
    CONTRADICTION,
    EVIDENCE_PER_S,
    UNKNOWN,
    Run,
    boundary_s,
    most_likely_path,
    smooth,
)

STEP = 0.2


@pytest.fixture(autouse=True)
def _no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def path_score(
    path: Sequence[int], evidence: NDArray[np.float32], seconds: NDArray[np.float64], mean_segment_s: float
) -> float:
    logs = np.log(np.maximum(evidence.astype(float), 1e-6))
    cost = max(0.0, float(np.log(mean_segment_s * EVIDENCE_PER_S * max(evidence.shape[1] - 1, 1))))
    switches = sum(a != b for a, b in itertools.pairwise(path))
    return float(sum(EVIDENCE_PER_S * s * logs[i, path[i]] for i, s in enumerate(seconds)) - cost * switches)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 5),
    classes=st.integers(1, 3),
    mean_segment_s=st.sampled_from([0.01, 0.1, 0.5, 2.0, 20.0]),
)
def test_viterbi_finds_the_best_of_all_paths(seed: int, n: int, classes: int, mean_segment_s: float) -> None:
    rng = np.random.default_rng(seed)
    evidence = rng.dirichlet(np.full(classes, 0.5), n).astype(np.float32)
    seconds = rng.uniform(0, 1.0, n)
    best = max(
        path_score(path, evidence, seconds, mean_segment_s) for path in itertools.product(range(classes), repeat=n)
    )
    found = most_likely_path(evidence, seconds, mean_segment_s)
    assert path_score(found.tolist(), evidence, seconds, mean_segment_s) == pytest.approx(best, abs=1e-6)


def test_at_the_reference_rate_a_path_scores_as_in_a_markov_chain() -> None:
    """Left with probability 1 / (mean * rate), every other class alike; a common term of all paths is left out."""
    rng = np.random.default_rng(3)
    n, classes, mean_segment_s = 5, 3, 40.0
    evidence = rng.dirichlet(np.ones(classes), n).astype(np.float32)
    leaving = 1 / (mean_segment_s * EVIDENCE_PER_S)
    logs = np.log(evidence.astype(float))

    def chain_score(path: Sequence[int]) -> float:
        steps = (
            np.log(1 - leaving) if a == b else np.log(leaving / (classes - 1)) for a, b in itertools.pairwise(path)
        )
        return float(sum(logs[i, k] for i, k in enumerate(path)) + sum(steps))

    seconds = np.full(n, 1 / EVIDENCE_PER_S)
    paths = list(itertools.product(range(classes), repeat=n))
    offsets = [chain_score(path) - path_score(path, evidence, seconds, mean_segment_s) for path in paths]
    assert np.ptp(offsets) < 0.03  # staying is likely, not certain


def two_classes(*first: float) -> NDArray[np.float32]:
    """Probability of class 0 a window; the rest is class 1's."""
    return np.array([[p, 1 - p] for p in first], dtype=np.float32)


def times(n: int, step: float = STEP) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    start: NDArray[np.float64] = np.arange(n, dtype=np.float64) * step
    return start, start + step


def smoothed(probabilities: NDArray[np.float32], mean_segment_s: float = 2.0, min_segment_s: float = 0.0) -> list[Run]:
    start, end = times(len(probabilities))
    return smooth(probabilities, start, end, mean_segment_s=mean_segment_s, min_segment_s=min_segment_s)


@pytest.mark.parametrize("mean_segment_s", [1e-9, 1e-4])
def test_expressions_that_hardly_last_leave_every_window_to_itself(mean_segment_s: float) -> None:
    evidence = two_classes(0.9, 0.8, 0.4, 0.9, 0.1, 0.1)
    path = most_likely_path(evidence, np.full(6, STEP), mean_segment_s)
    assert path.tolist() == [0, 0, 1, 0, 1, 1]


@pytest.mark.parametrize("mean_segment_s", [1e6, 1e30])
def test_expressions_that_last_for_ever_leave_one_class(mean_segment_s: float) -> None:
    evidence = two_classes(0.9, 0.8, 0.4, 0.9, 0.3, 0.3)
    assert set(most_likely_path(evidence, np.full(6, STEP), mean_segment_s).tolist()) == {0}


def test_a_longer_mean_never_gives_more_segments_here() -> None:
    evidence = np.random.default_rng(1).dirichlet([0.7] * 4, 60).astype(np.float32)
    counts = [len(smoothed(evidence, mean_segment_s=mean)) for mean in (0.05, 0.3, 1, 5, 50, 5000)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]


def test_certainty_and_impossibility_are_not_infinite() -> None:
    evidence = two_classes(1, 1, 1, 0, 1, 1, 1)
    assert most_likely_path(evidence, np.full(7, STEP), 1e30).tolist() == [0] * 7


def test_a_single_doubtful_window_gives_way_to_its_neighbours() -> None:
    assert smoothed(two_classes(0.9, 0.9, 0.4, 0.9, 0.9)) == [Run(0, 5, 0)]


def test_a_real_change_stays() -> None:
    assert smoothed(two_classes(*[0.9] * 5, *[0.1] * 5)) == [Run(0, 5, 0), Run(5, 10, 1)]


def test_a_single_window_keeps_its_class_however_short() -> None:
    assert smoothed(two_classes(0.2), min_segment_s=10) == [Run(0, 1, 1)]


@pytest.mark.parametrize("n", [1, 4])
def test_a_track_that_could_not_be_assessed_at_all(n: int) -> None:
    assert smoothed(np.full((n, 3), np.nan, np.float32), min_segment_s=10) == [Run(0, n, UNKNOWN)]


NAN = float("nan")


def test_long_unknown_stretches_split_and_short_ones_are_bridged() -> None:
    unknown_for_a_window = two_classes(0.9, 0.9, NAN, 0.9, 0.9)
    assert smoothed(unknown_for_a_window, min_segment_s=0.3) == [Run(0, 5, 0)]
    assert smoothed(unknown_for_a_window, min_segment_s=0.1) == [Run(0, 2, 0), Run(2, 3, UNKNOWN), Run(3, 5, 0)]


def test_a_stretch_of_just_the_minimum_is_not_bridged() -> None:
    start, end = np.arange(5.0), np.arange(1, 6.0)
    runs = smooth(two_classes(0.9, 0.9, NAN, 0.9, 0.9), start, end, mean_segment_s=9, min_segment_s=1.0)
    assert [run.label for run in runs] == [0, UNKNOWN, 0]


def test_unknown_ends_of_a_track_are_never_bridged() -> None:
    assert smoothed(two_classes(NAN, 0.9, 0.9, NAN), min_segment_s=5) == [
        Run(0, 1, UNKNOWN),
        Run(1, 3, 0),
        Run(3, 4, UNKNOWN),
    ]


def test_windows_before_and_after_an_unknown_stretch_do_not_influence_each_other() -> None:
    probabilities = two_classes(*[0.99] * 5, *[NAN] * 5, 0.45)
    assert smoothed(probabilities, min_segment_s=0.5)[-1] == Run(10, 11, 1)


def test_a_bridge_lies_with_one_of_the_classes_beside_it() -> None:
    probabilities = np.array([[0.9, 0.05, 0.05]] * 4 + [[NAN] * 3] + [[0.05, 0.05, 0.9]] * 4, dtype=np.float32)
    runs = smoothed(probabilities, min_segment_s=0.3)
    assert [run.label for run in runs] == [0, 2]
    assert runs[0].last in (4, 5)


def test_short_runs_go_to_the_neighbour_their_windows_fit_better() -> None:
    rows = [[0.98, 0.01, 0.01]] * 5 + [[0.0, 0.7, 0.3]] + [[0.01, 0.01, 0.98]] * 5
    probabilities = np.array(rows, dtype=np.float32)
    assert smoothed(probabilities, 0.01) == [Run(0, 5, 0), Run(5, 6, 1), Run(6, 11, 2)]
    assert smoothed(probabilities, 0.01, min_segment_s=0.3) == [Run(0, 5, 0), Run(5, 11, 2)]


def test_a_segment_of_just_the_minimum_stays() -> None:
    start, end = np.arange(6.0), np.arange(1, 7.0)
    probabilities = two_classes(0.8, 0.8, 0.25, 0.8, 0.8, 0.8)
    kept = smooth(probabilities, start, end, mean_segment_s=0.1, min_segment_s=1.0)
    dropped = smooth(probabilities, start, end, mean_segment_s=0.1, min_segment_s=1.01)
    assert (kept, dropped) == ([Run(0, 2, 0), Run(2, 3, 1), Run(3, 6, 0)], [Run(0, 6, 0)])


def in_time(
    rate: float, seconds: float, class_1_from: float, class_1_to: float
) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]:
    """Probabilities .02 and .98 in windows of two frames at a rate; a window that sees both has the mean."""
    edges = np.arange(0, seconds + 1e-9, 2 / rate)
    start, end = edges[:-1], edges[1:]
    share = np.maximum(np.minimum(end, class_1_to) - np.maximum(start, class_1_from), 0) / (end - start)
    one = 0.02 + 0.96 * share
    return np.stack([1 - one, one], axis=1).astype(np.float32), start, end


@pytest.mark.parametrize("rate", [5, 10, 20, 25, 50])
def test_the_rate_does_not_decide_the_segments(rate: float) -> None:
    probabilities, start, end = in_time(rate, 8.0, 3.2, 5.6)
    runs = smooth(probabilities, start, end, mean_segment_s=2.0, min_segment_s=0.4)
    assert [run.label for run in runs] == [0, 1, 0]
    found = [
        boundary_s(
            probabilities[[a.last - 1, b.first]][:, [a.label, b.label]],
            start[[a.last - 1, b.first]],
            end[[a.last - 1, b.first]],
        )
        for a, b in itertools.pairwise(runs)
    ]
    np.testing.assert_allclose(found, [3.2, 5.6], atol=0.5 / rate)


def test_many_weak_windows_are_no_more_evidence_than_few() -> None:
    """0.6 s at 0.7: not enough for two switches, however finely the time is cut."""
    for n in (3, 6, 30):
        rows = two_classes(*[0.9] * 2 * n, *[0.3] * n, *[0.9] * 2 * n)
        start, end = times(5 * n, 0.6 / n)
        assert smooth(rows, start, end, mean_segment_s=2.0, min_segment_s=0.4) == [Run(0, 5 * n, 0)], n


def test_a_clear_end_shorter_than_a_segment_keeps_its_label() -> None:
    """The last 0.35 s are neutral by 0.99: a grin that went on to the end would contradict what is drawn beside it."""
    rows = two_classes(*[0.99] * 14, *[0.01] * 7)
    start, end = times(21, 0.05)
    assert smooth(rows, start, end, mean_segment_s=2.0, min_segment_s=0.4) == [Run(0, 14, 0), Run(14, 21, 1)]


def test_a_clear_stretch_between_two_others_is_shown_though_two_switches_cost_more() -> None:
    rows = two_classes(*[0.99] * 20, *[0.15] * 9, *[0.99] * 20)
    start, end = times(49, 0.05)
    assert smooth(rows, start, end, mean_segment_s=20.0, min_segment_s=0.4) == [
        Run(0, 20, 0),
        Run(20, 29, 1),
        Run(29, 49, 0),
    ]


def test_a_clear_end_too_short_to_contradict_is_swallowed() -> None:
    rows = two_classes(*[0.99] * 16, *[0.01] * 4)
    start, end = times(20, 0.05)
    assert smooth(rows, start, end, mean_segment_s=2.0, min_segment_s=0.4) == [Run(0, 20, 0)]


def test_classes_cross_between_the_centres_of_their_windows() -> None:
    start, end = np.array([1.0, 1.2]), np.array([1.2, 1.4])
    rows = np.array([[0.9, 0.1], [0.3, 0.7]], np.float32)
    assert boundary_s(rows, start, end) == pytest.approx(1.1 + 0.2 * 0.8 / 1.2)
    assert boundary_s(rows, start, np.array([1.2, 1.6])) > boundary_s(rows, start, end)
    assert boundary_s(rows[::-1], start, end) == 1.2
    assert boundary_s(np.array([[NAN, NAN], [0.3, 0.7]], np.float32), start, end) == 1.2
    assert boundary_s(rows, start, np.array([1.1, 1.4])) == 1.2


probabilities_with_holes = st.lists(
    st.one_of(st.just(None), st.tuples(*[st.floats(0.01, 1)] * 3)), min_size=1, max_size=25
).map(lambda rows: np.array([[NAN] * 3 if row is None else np.array(row) / sum(row) for row in rows], np.float32))


@settings(max_examples=60, deadline=None)
@given(probabilities_with_holes, st.floats(0.01, 10), st.floats(0, 1.5))
def test_runs_cover_everything_alternate_and_last(
    probabilities: NDArray[np.float32], mean_segment_s: float, min_segment_s: float
) -> None:
    runs = smoothed(probabilities, mean_segment_s, min_segment_s)
    assert [run.first for run in runs] == [0, *(run.last for run in runs[:-1])]
    assert runs[-1].last == len(probabilities)
    assert all(run.first < run.last for run in runs)
    assert all(a.label != b.label for a, b in itertools.pairwise(runs))
    start, end = times(len(probabilities))
    for before, run, after in zip([None, *runs[:-1]], runs, [*runs[1:], None], strict=True):
        known = ~np.isnan(probabilities[run.first : run.last, 0])
        assert known.any() == (run.label != UNKNOWN)
        if run.label == UNKNOWN:
            continue
        assert worst_excess(probabilities, run, min_segment_s) <= CONTRADICTION + 1e-6
        short = end[run.last - 1] - start[run.first] < min_segment_s
        for neighbour in (before, after):
            if short and neighbour and neighbour.label != UNKNOWN:
                joined = Run(min(run.first, neighbour.first), max(run.last, neighbour.last), neighbour.label)
                far = runs[runs.index(run) + (1 if neighbour is before else -1)] if before and after else None
                if far and far.label == neighbour.label:
                    joined = Run(min(joined.first, far.first), max(joined.last, far.last), joined.label)
                assert worst_excess(probabilities, joined, min_segment_s) > CONTRADICTION - 1e-6


def worst_excess(probabilities: NDArray[np.float32], run: Run, length_s: float) -> float:
    """By how much another class leads over the label at most, on average over `length_s` of a run; by brute force."""
    fine = 40
    rows = np.repeat(probabilities[run.first : run.last].astype(float), fine, axis=0)
    rows = rows[~np.isnan(rows[:, 0])]
    length = min(round(length_s / STEP * fine), len(rows))
    if length == 0:
        return 0.0
    sums = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0)])
    means = (sums[length:] - sums[:-length]) / length
    return float((means - means[:, [run.label]]).max())
