"""Tracking scores: small cases by hand, crowds against published implementations."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.cli.evaluate import evaluate_tracks
from fercli.errors import ConfigError
from fercli.learn.evaluation.track_files import Tracks, read_tracks
from fercli.learn.evaluation.tracks import overlaps, score_tracks
from tests.failing import fails

Box = tuple[int, int, float]
"""Frame, identity, left edge of a box of 10 x 10."""


def tracks(boxes: list[Box]) -> Tracks:
    ordered = sorted(boxes, key=lambda box: (box[0], box[2]))
    corners = np.array([[x, 0, x + 10, 10] for _, _, x in ordered], dtype=np.float32).reshape(-1, 4)
    frame, identity = (np.array([box[k] for box in ordered], dtype=np.int64) for k in (0, 1))
    return Tracks(frame, identity, corners)


def test_tracks_that_follow_all_persons_are_perfect() -> None:
    truth = tracks([(frame, who, 100.0 * who + frame) for frame in range(5) for who in (1, 2)])
    scores = score_tracks(truth, truth.renamed(np.array([4, 3] * 5, dtype=np.int32), nobody=-1))
    assert [scores.idf1, scores.idp, scores.idr, scores.mota] == [1, 1, 1, 1]
    assert [scores.hota, scores.deta, scores.assa] == pytest.approx([1, 1, 1])
    assert (scores.id_switches, scores.fragments, scores.mixed) == (0, 0, 0)
    assert (scores.true_tracks, scores.found_tracks) == (2, 2)


def test_one_person_found_as_two() -> None:
    truth = tracks([(frame, 1, 0.0) for frame in range(10)])
    scores = score_tracks(truth, tracks([(frame, 5 if frame < 6 else 6, 0.0) for frame in range(10)]))
    assert (scores.id_switches, scores.fragments, scores.mixed) == (1, 0, 0)
    assert scores.mota == pytest.approx(0.9)
    assert [scores.idf1, scores.idp, scores.idr] == pytest.approx([0.6, 0.6, 0.6])
    # Of 10 TP, 6 have TPA 6 and FNA 4, and 4 have TPA 4 and FNA 6.
    assert scores.assa == pytest.approx((6 * 6 / 10 + 4 * 4 / 10) / 10)
    assert scores.hota == pytest.approx(np.sqrt(0.52))


def test_two_persons_found_as_one_are_a_mixed_track() -> None:
    truth = tracks([(frame, 1 if frame < 6 else 2, 0.0) for frame in range(10)])
    scores = score_tracks(truth, tracks([(frame, 5, 0.0) for frame in range(10)]))
    assert (scores.id_switches, scores.mixed, scores.idp) == (0, 1, 0.6)


def test_a_second_person_in_one_box_of_twenty_is_an_accident_and_in_two_is_not() -> None:
    found = tracks([(frame, 5, 0.0) for frame in range(20)])
    for second, mixed in ((1, 0), (2, 1)):
        truth = tracks([(frame, 1 if frame < 20 - second else 2, 0.0) for frame in range(20)])
        assert score_tracks(truth, found).mixed == mixed


def test_misses_false_alarms_and_fragments() -> None:
    truth = tracks([(frame, 1, 0.0) for frame in range(10)])
    found = tracks([(frame, 5, 0.0) for frame in range(10) if frame not in (0, 3, 4, 9)] + [(2, 6, 50.0)])
    scores = score_tracks(truth, found)
    # Missing at the beginning or the end interrupts nothing.
    assert (scores.fragments, scores.id_switches) == (1, 0)
    assert scores.mota == pytest.approx(1 - (4 + 1) / 10)
    assert scores.deta == pytest.approx(6 / 11)


def test_hota_counts_a_displaced_box_up_to_its_overlap() -> None:
    # Displaced by 2.5 of 10: an overlap of 7.5 / 12.5 = 0.6, enough for 12 of the 19 alphas.
    truth, found = (tracks([(frame, 1, x) for frame in range(3)]) for x in (0.0, 2.5))
    assert score_tracks(truth, found).hota == pytest.approx(12 / 19)
    # By 4: 6 / 14, not enough for the other scores.
    scores = score_tracks(truth, tracks([(frame, 1, 4.0) for frame in range(3)]))
    assert (scores.mota, scores.idf1) == (-1, 0)


def test_a_true_track_keeps_its_partner_though_another_is_nearer() -> None:
    truth = tracks([(frame, 1, 0.0) for frame in range(3)])
    found = tracks([(0, 5, 1.0), (1, 5, 2.0), (1, 6, 0.0), (2, 5, 1.0)])
    assert score_tracks(truth, found).id_switches == 0


def test_nothing_found() -> None:
    scores = score_tracks(tracks([(0, 1, 0.0), (1, 1, 0.0)]), tracks([]))
    assert (scores.idf1, scores.idp, scores.mota, scores.hota, scores.mixed, scores.found_tracks) == (0, 0, 0, 0, 0, 0)


def crowd(seed: int) -> tuple[Tracks, Tracks]:
    """Twelve people in a small room, and tracks of them with misses, false alarms, jitter and exchanged numbers."""
    random = np.random.default_rng(seed)
    places = random.uniform(0, 60, (12, 2))
    true: list[list[float]] = []
    found: list[list[float]] = []
    numbers = np.arange(12)
    for frame in range(60):
        places += random.normal(0, 1.5, places.shape)
        if frame % 7 == 0:
            one, other = random.choice(12, 2, replace=False)
            numbers[[one, other]] = numbers[[other, one]]
        for who, (x, y) in enumerate(places):
            if random.random() < 0.9:
                true.append([frame, who, x, y])
            if random.random() < 0.8:
                found.append([frame, numbers[who], *(np.array([x, y]) + random.normal(0, 2, 2))])
        found.append([frame, 20 + frame // 20, *random.uniform(0, 60, 2)])
    return _boxes(true), _boxes(found)


def _boxes(rows: list[list[float]]) -> Tracks:
    values = np.array(rows)
    boxes = np.concatenate([values[:, 2:], values[:, 2:] + 14], axis=1).astype(np.float32)
    return Tracks(values[:, 0].astype(np.int64), values[:, 1].astype(np.int64), boxes)


def ltft(path: Path) -> tuple[Tracks, Tracks]:
    """The most crowded 250 frames of a sequence, and tracks of every second person exchanged now and then."""
    truth = read_tracks(path)
    start = max(range(int(truth.frame.max()) - 250), key=lambda frame: int(_within(truth, frame).sum()))
    kept = _within(truth, start)
    truth = Tracks(truth.frame[kept], truth.identity[kept], truth.boxes[kept])
    random = np.random.default_rng(0)
    identity = np.unique(truth.identity, return_inverse=True)[1] + 100 * (truth.frame // 40 % 2)
    owner = np.where(random.random(len(kept[kept])) < 0.1, -1, identity)
    found = truth.renamed(owner.astype(np.int32), nobody=-1)
    shaken = found.boxes + random.normal(0, 6, found.boxes.shape).astype(np.float32)
    return truth, Tracks(found.frame, found.identity, shaken)


def _within(truth: Tracks, start: int) -> NDArray[np.bool_]:
    return (truth.frame >= start) & (truth.frame < start + 250)


SEQUENCES = ("bengal", "choke1", "choke2", "sidewalk", "street")


@pytest.mark.parametrize("seed", range(5))
def test_crowds_agree_with_motmetrics_and_trackers(seed: int) -> None:
    _agrees_with_motmetrics(*crowd(seed))
    _agrees_with_trackers(*crowd(seed))


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_real_sequences_agree_with_motmetrics_and_trackers(shared_data: Path, sequence: str) -> None:
    pair = ltft(shared_data / "ltft" / f"{sequence}.txt")
    _agrees_with_motmetrics(*pair)
    _agrees_with_trackers(*pair)


def _agrees_with_motmetrics(truth: Tracks, found: Tracks) -> None:
    motmetrics = pytest.importorskip("motmetrics")
    accumulator = motmetrics.MOTAccumulator(auto_id=True)
    for frame in overlaps(truth, found).frames:
        accumulator.update(frame.true, frame.found, np.where(frame.overlap < 0.5, np.nan, 1 - frame.overlap))
    names = ["idf1", "idp", "idr", "mota", "num_switches", "num_fragmentations"]
    expected = motmetrics.metrics.create().compute(accumulator, metrics=names).iloc[0]
    scores = score_tracks(truth, found)
    assert scores.id_switches > 0 and scores.fragments > 0
    ours = [scores.idf1, scores.idp, scores.idr, scores.mota, scores.id_switches, scores.fragments]
    assert ours == pytest.approx([float(expected[name]) for name in names])


def _agrees_with_trackers(truth: Tracks, found: Tracks) -> None:
    evaluation = pytest.importorskip("trackers.eval", reason="`pip install --no-deps trackers`, see benchmarks")
    frames = overlaps(truth, found).frames
    lists = [frame.true for frame in frames], [frame.found for frame in frames], [frame.overlap for frame in frames]
    hota, identity = evaluation.compute_hota_metrics(*lists), evaluation.compute_identity_metrics(*lists)
    scores = score_tracks(truth, found)
    assert [scores.hota, scores.deta, scores.assa] == pytest.approx([hota[name] for name in ("HOTA", "DetA", "AssA")])
    assert [scores.idf1, scores.idp, scores.idr] == pytest.approx([identity[name] for name in ("IDF1", "IDP", "IDR")])
    assert 0.1 < scores.hota < 0.9


def write_walk(path: Path) -> Path:
    """Two people for a second; one is unseen for 0.4 s."""
    lines = ["25"]
    for frame in range(25):
        people = [(1, 100 + 2 * frame)] + ([] if 10 <= frame < 20 else [(2, 400)])
        lines.append(f"{frame} {len(people)} " + " ".join(f"{who} {x} 50 40 40 1 0.9" for who, x in people))
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_the_command_tracks_anew_and_gives_figures_for_programs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_walk(tmp_path / "walk.txt")
    evaluate_tracks([path], max_gap=0.5, json=True)
    figures = json.loads(capsys.readouterr().out)
    (sequence,) = figures["sequences"]
    assert sequence["file"] == str(path)
    assert (sequence["idf1"], sequence["true_tracks"], sequence["found_tracks"]) == (1, 2, 2)
    evaluate_tracks([path, path], max_gap=0.3, json=True)
    figures = json.loads(capsys.readouterr().out)
    assert [sequence["found_tracks"] for sequence in figures["sequences"]] == [3, 3]
    assert figures["mean"]["idf1"] == pytest.approx((25 + 10) / 40)
    assert figures["mean"]["id_switches"] == 1


def test_the_command_gives_a_table_for_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    evaluate_tracks([write_walk(Path("walk.txt"))], max_gap=0.3, json=False)
    header, row, mean = capsys.readouterr().out.splitlines()
    columns = "sequence IDF1 IDP MOTA HOTA switches fragments true found mixed"
    assert header.split() == columns.split()
    # AssA: 25 boxes of a whole track, 10 and 5 of one that is two; sqrt((25 + 10 * 10 / 15 + 5 * 5 / 15) / 40).
    assert row.split() == ["walk.txt", "0.875", "0.875", "0.975", "0.913", "1", "0", "2", "3", "0.000"]
    assert mean.split() == ["mean", "0.875", "0.875", "0.975", "0.913", "1.000", "0.000", "2.000", "3.000", "0.000"]


def test_the_command_needs_a_frame_rate(tmp_path: Path) -> None:
    with fails(ConfigError, "option-out-of-range", "0"):
        evaluate_tracks([tmp_path / "walk.txt"], fps=0.0)
