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
from scipy.linalg import expm

from fercli.smoothing import UNKNOWN, Run, most_likely_path, smooth

STEP = 0.2


@pytest.fixture(autouse=True)
def _no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def log_transitions(seconds: float, classes: int, mean_segment_s: float) -> NDArray[np.float64]:
    """Of a Markov chain in continuous time, from its generator: left at rate 1 / mean, every other class alike."""
    rate = 1 / mean_segment_s
    generator = np.full((classes, classes), rate / max(classes - 1, 1))
    np.fill_diagonal(generator, -rate if classes > 1 else 0.0)
    return np.asarray(np.log(np.maximum(expm(generator * seconds), 1e-300)))


def path_score(
    path: Sequence[int], evidence: NDArray[np.float32], start_s: NDArray[np.float64], mean_segment_s: float
) -> float:
    logs = np.log(np.maximum(evidence.astype(float), 1e-6))
    total = float(logs[0, path[0]])
    for i in range(1, len(path)):
        step = log_transitions(float(start_s[i] - start_s[i - 1]), evidence.shape[1], mean_segment_s)
        total += float(step[path[i - 1], path[i]] + logs[i, path[i]])
    return total


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
    start_s = np.cumsum(rng.uniform(0.02, 1.0, n))
    best = max(
        path_score(path, evidence, start_s, mean_segment_s) for path in itertools.product(range(classes), repeat=n)
    )
    found = most_likely_path(evidence, start_s, mean_segment_s)
    assert path_score(found.tolist(), evidence, start_s, mean_segment_s) == pytest.approx(best, abs=1e-6)


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
    path = most_likely_path(evidence, times(6)[0], mean_segment_s)
    assert path.tolist() == [0, 0, 1, 0, 1, 1]


@pytest.mark.parametrize("mean_segment_s", [1e6, 1e30])
def test_expressions_that_last_for_ever_leave_one_class(mean_segment_s: float) -> None:
    evidence = two_classes(0.9, 0.8, 0.4, 0.9, 0.3, 0.3)
    assert set(most_likely_path(evidence, times(6)[0], mean_segment_s).tolist()) == {0}


def test_a_longer_mean_never_gives_more_segments_here() -> None:
    evidence = np.random.default_rng(1).dirichlet([0.7] * 4, 60).astype(np.float32)
    counts = [len(smoothed(evidence, mean_segment_s=mean)) for mean in (0.05, 0.3, 1, 5, 50, 5000)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]


def test_long_gaps_forget_the_class_instead_of_forbidding_it() -> None:
    start = np.array([0.0, 100.0, 200.0])
    evidence = two_classes(0.6, 0.6, 0.6)
    assert most_likely_path(evidence, start, 1.0).tolist() == [0, 0, 0]


def test_certainty_and_impossibility_are_not_infinite() -> None:
    evidence = two_classes(1, 1, 1, 0, 1, 1, 1)
    assert most_likely_path(evidence, times(7)[0], 1e5).tolist() == [0] * 7


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
    probabilities = two_classes(0.99, 0.99, 0.01, 0.99, 0.99, 0.99)
    kept = smooth(probabilities, start, end, mean_segment_s=0.1, min_segment_s=1.0)
    dropped = smooth(probabilities, start, end, mean_segment_s=0.1, min_segment_s=1.01)
    assert (kept, dropped) == ([Run(0, 2, 0), Run(2, 3, 1), Run(3, 6, 0)], [Run(0, 6, 0)])


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
        has_a_neighbour = any(other and other.label != UNKNOWN for other in (before, after))
        if run.label != UNKNOWN and has_a_neighbour:
            assert end[run.last - 1] - start[run.first] >= min_segment_s
