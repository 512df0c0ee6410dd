"""Agreement of predicted with true tracks: CLEAR MOT, identity and HOTA scores.

All start from the overlap of true and found boxes in each frame. CLEAR MOT scores frame by frame, and counts each
identity switch once, even if the tracks are wrong for long afterwards. Identity scores measure how much of each person
is covered by one track. HOTA balances detection and association.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.geometry import iou_matrix
from fercli.learn.evaluation.track_files import Tracks

MIN_OVERLAP = 0.5
"""Least intersection over union of a predicted and a true box for a match, in CLEAR MOT and identity scores."""
ALPHAS = np.arange(1, 20) / 20
"""The same for HOTA, which averages over them."""
_MIXED = 0.05
"""Share of a predicted track above which a second person in it counts."""
_ROUNDING = 1e-6


@dataclass(frozen=True)
class TrackScores:
    """Scores of one sequence; formulas in the functions below.

    Attributes:
        idf1, idp, idr: `identity_scores`, in [0, 1].
        mota: `clear_mot`, at most 1; below 0 if there are more errors than true boxes.
        hota, deta, assa: `hota_scores`, in [0, 1].
        id_switches, fragments: `clear_mot`.
        true_tracks, found_tracks: numbers of tracks.
        mixed: share of predicted tracks with more than one person, see `mixed_share`, in [0, 1].
    """

    idf1: float
    idp: float
    idr: float
    mota: float
    hota: float
    deta: float
    assa: float
    id_switches: int
    fragments: int
    true_tracks: int
    found_tracks: int
    mixed: float

    def as_json(self) -> dict[str, float]:
        """Names and values."""
        return asdict(self)


@dataclass(frozen=True)
class FrameOverlap:
    """Numbers of the true and of the found tracks in a frame, and (T, F) intersection over union of their boxes."""

    true: NDArray[np.int64]
    found: NDArray[np.int64]
    overlap: NDArray[np.float64]


@dataclass(frozen=True)
class Overlaps:
    """All frames, with tracks numbered from 0, and the boxes of every true and every found track."""

    frames: list[FrameOverlap]
    true_boxes: NDArray[np.int64]
    found_boxes: NDArray[np.int64]


def score_tracks(truth: Tracks, found: Tracks) -> TrackScores:
    """All scores of one sequence; `truth` has at least one box, `found` may have none."""
    sequence = overlaps(truth, found)
    idf1, idp, idr = identity_scores(sequence)
    mota, id_switches, fragments = clear_mot(sequence)
    hota, deta, assa = hota_scores(sequence)
    return TrackScores(
        idf1=idf1,
        idp=idp,
        idr=idr,
        mota=mota,
        hota=hota,
        deta=deta,
        assa=assa,
        id_switches=id_switches,
        fragments=fragments,
        true_tracks=len(sequence.true_boxes),
        found_tracks=len(sequence.found_boxes),
        mixed=mixed_share(sequence),
    )


def overlaps(truth: Tracks, found: Tracks) -> Overlaps:
    """The overlaps from which the scores are computed; time is linear in frames."""
    true_number = np.unique(truth.identity, return_inverse=True)[1]
    found_number = np.unique(found.identity, return_inverse=True)[1]
    frames = []
    for frame in np.union1d(truth.frame, found.frame):
        a, b = (slice(*np.searchsorted(tracks.frame, [frame, frame + 1])) for tracks in (truth, found))
        overlap = iou_matrix(truth.boxes[a], found.boxes[b]).astype(np.float64)
        frames.append(FrameOverlap(true_number[a], found_number[b], overlap))
    return Overlaps(frames, np.bincount(true_number), np.bincount(found_number))


def clear_mot(sequence: Overlaps) -> tuple[float, int, int]:
    """MOTA, identity switches and fragments (Bernardin and Stiefelhagen 2008, doi 10.1155/2008/246309).

    In each frame, a true track keeps the found one it was last matched to if they still overlap by MIN_OVERLAP; the
    others are matched one to one, as many as overlap that much, at the largest total overlap. A switch is a match to
    another found track than the last one; a fragment begins where a true track that was matched before and will be
    matched again is present but not matched.

        MOTA = 1 - (misses + false alarms + switches) / true boxes
    """
    last: dict[int, int] = {}
    interrupted: set[int] = set()
    matches = switches = fragments = 0
    for frame in sequence.frames:
        pairs = _match_frame(frame, last)
        switches += sum(last.get(true, found) != found for true, found in pairs.items())
        fragments += len(interrupted & pairs.keys())
        last |= pairs
        interrupted |= set(frame.true.tolist()) & last.keys()
        interrupted -= pairs.keys()
        matches += len(pairs)
    n_true, n_found = sequence.true_boxes.sum(), sequence.found_boxes.sum()
    mota = 1 - (n_true - matches + n_found - matches + switches) / n_true
    return float(mota), switches, fragments


def identity_scores(sequence: Overlaps) -> tuple[float, float, float]:
    """IDF1, IDP and IDR, each in [0, 1] (Ristani et al. 2016, arXiv 1609.01775).

    True and found tracks are matched one to one over the whole sequence so that IDTP, the boxes on which the two of a
    pair overlap by MIN_OVERLAP, are most.

        IDP = IDTP / found boxes    IDR = IDTP / true boxes    IDF1 = 2 IDTP / (true boxes + found boxes)
    """
    from scipy.optimize import linear_sum_assignment

    shared = _shared(sequence)
    right = float(shared[linear_sum_assignment(shared, maximize=True)].sum())
    n_true, n_found = float(sequence.true_boxes.sum()), float(sequence.found_boxes.sum())
    return 2 * right / (n_true + n_found), right / max(n_found, 1), right / n_true


def hota_scores(sequence: Overlaps) -> tuple[float, float, float]:
    """HOTA, DetA and AssA, each in [0, 1], averaged over ALPHAS (Luiten et al. 2021, arXiv 2009.07736).

    At each alpha, TP are the pairs of boxes that are matched and overlap by alpha; of the true boxes FN are left over,
    and FP of the found ones. For a pair c of tracks, TPA are its TP, FNA the other boxes of the true track and FPA the
    other boxes of the found one.

        DetA = TP / (TP + FN + FP)    AssA = mean over TP of TPA / (TPA + FNA + FPA)    HOTA = sqrt(DetA * AssA)

    Boxes of a frame are matched one to one at the largest sum of overlap times the alignment of their tracks, which is
    the overlap in all frames together, each box's shared among those it overlaps with, as intersection over union.
    """
    n_true, n_found = sequence.true_boxes[:, None], sequence.found_boxes[None, :]
    aligned = np.zeros((len(sequence.true_boxes), len(sequence.found_boxes)))
    for frame in sequence.frames:
        overlap = frame.overlap
        competing = overlap.sum(axis=0)[None, :] + overlap.sum(axis=1)[:, None] - overlap
        aligned[np.ix_(frame.true, frame.found)] += overlap / np.where(overlap > 0, competing, 1)
    true, found, overlap = _aligned_pairs(sequence, aligned / (n_true + n_found - aligned))
    deta, assa = np.zeros(len(ALPHAS)), np.zeros(len(ALPHAS))
    for number, alpha in enumerate(ALPHAS):
        hit = overlap >= alpha - _ROUNDING
        shared = np.zeros_like(aligned)
        np.add.at(shared, (true[hit], found[hit]), 1)
        deta[number] = hit.sum() / (n_true.sum() + n_found.sum() - hit.sum())
        assa[number] = (shared**2 / (n_true + n_found - shared)).sum() / max(hit.sum(), 1)
    return float(np.sqrt(deta * assa).mean()), float(deta.mean()), float(assa.mean())


def mixed_share(sequence: Overlaps) -> float:
    """Share of found tracks that hold a second person: more than 5 % of their boxes overlap by MIN_OVERLAP with a true
    track that is not the one they share most with. In [0, 1]; 0 without a found track."""
    shared = _shared(sequence)
    if not shared.size:
        return 0.0
    second = np.sort(shared, axis=0)[-2] if len(shared) > 1 else np.zeros(shared.shape[1])
    return float((second > _MIXED * sequence.found_boxes).mean())


def _match_frame(frame: FrameOverlap, last: dict[int, int]) -> dict[int, int]:
    """True -> found track, one to one."""
    from scipy.optimize import linear_sum_assignment

    allowed = frame.overlap >= MIN_OVERLAP - _ROUNDING
    column = {int(found): place for place, found in enumerate(frame.found)}
    pairs: dict[int, int] = {}
    for row, true in enumerate(frame.true.tolist()):
        kept = column.get(last.get(true, -1))
        if kept is not None and allowed[row, kept]:
            pairs[true] = last[true]
            allowed[row, :] = allowed[:, kept] = False
    # A forbidden pair costs more than all others together, so that the number of allowed pairs is maximal.
    cost = np.where(allowed, 1 - frame.overlap, 1 + allowed.size)
    for row, place in zip(*linear_sum_assignment(cost), strict=True):
        if allowed[row, place]:
            pairs[int(frame.true[row])] = int(frame.found[place])
    return pairs


def _shared(sequence: Overlaps) -> NDArray[np.int64]:
    """(true, found) frames in which two tracks overlap by MIN_OVERLAP."""
    shared = np.zeros((len(sequence.true_boxes), len(sequence.found_boxes)), dtype=np.int64)
    for frame in sequence.frames:
        shared[np.ix_(frame.true, frame.found)] += frame.overlap >= MIN_OVERLAP - _ROUNDING
    return shared


def _aligned_pairs(
    sequence: Overlaps, alignment: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """True track, found track and overlap of every pair of boxes that `hota_scores` matches."""
    from scipy.optimize import linear_sum_assignment

    def matched() -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]]:
        for frame in sequence.frames:
            score = alignment[np.ix_(frame.true, frame.found)] * frame.overlap
            rows, columns = linear_sum_assignment(score, maximize=True)
            yield frame.true[rows], frame.found[columns], frame.overlap[rows, columns]

    true, found, overlap = zip(*matched(), strict=True)
    return np.concatenate(true), np.concatenate(found), np.concatenate(overlap)
