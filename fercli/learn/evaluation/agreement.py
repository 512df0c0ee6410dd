"""Agreement of two annotators of one video: Cohen's kappa over time, per class and per person.

Every person's time is cut at the start and end of both annotations, so that each piece has one class per annotator;
pieces are weighted by their exact length, without a grid. If only one annotator annotates a person, the other has the
class `NOTHING`; times without any annotation are left out.

kappa = (p_o - p_e) / (1 - p_e), with the observed agreement p_o and the agreement p_e that two independent annotators
with the same shares of classes would reach: Cohen 1960, Educational and Psychological Measurement 20(1), 37-46. The
kappa of a class is that of the binary decision whether it is shown. Intervals are the 2.5 and 97.5 percentiles of a
bootstrap over blocks of BLOCK_S, as neighbouring moments are not independent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.errors import DatasetError
from fercli.formats.reading import read_annotations
from fercli.labels import EMOTIONS_8, NOT_ASSESSABLE
from fercli.results.load import load
from fercli.workspace import Workspace

NOTHING = "nothing"
"""Class of a person and time that only the other annotates."""
CLASSES = (*EMOTIONS_8, NOT_ASSESSABLE, NOTHING)
BLOCK_S = 10.0
"""Length of the blocks that the bootstrap draws, seconds."""
_DRAWS = 1000
_SEED = 0

Row = tuple[str, int, int, str]
"""Person, start and end in milliseconds, [start, end), and class."""


@dataclass(frozen=True)
class Kappa:
    """Agreement in some time.

    Attributes:
        seconds: time annotated by at least one of the two.
        agreement: share of it in which both have the same class, in [0, 1].
        kappa: in [-1, 1]; None if undefined, because both use only one and the same class.
        interval: 95 % interval of kappa; None for fewer than two blocks.
    """

    seconds: float
    agreement: float
    kappa: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Agreement:
    """Agreement of two annotations.

    Attributes:
        overall: over all persons.
        per_class: canonical class, `not assessable` or NOTHING -> agreement on whether it is shown; `seconds` is the
            time in which at least one has it.
        per_person: name -> agreement.
        only_one: persons annotated by only one of the two.
    """

    overall: Kappa
    per_class: dict[str, Kappa]
    per_person: dict[str, Kappa]
    only_one: list[str]

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def agreement_of(one: Path, other: Path) -> Agreement:
    """Compare two workspaces of one video, two annotation files, or one of each.

    Raises:
        DatasetError: a file cannot be read, nothing is annotated, or the two are of different videos.
        InputError, WorkspaceError: a workspace cannot be read.
    """
    first, second = _read(one), _read(other)
    if first.sha256 and second.sha256 and first.sha256 != second.sha256:
        raise DatasetError(
            f"{one} and {other} are of different videos", hint="compare annotations of one video", code="video-differs"
        )
    for path, found in ((one, first), (other, second)):
        if not found.rows:
            raise DatasetError(f"{path} has no annotations", hint="give another one", code="labels-missing")
    return compare(first.rows, second.rows)


def compare(one: Sequence[Row], other: Sequence[Row]) -> Agreement:
    """Compare two annotations of one video. Of overlapping rows of one person, the one that starts first is used."""
    names = [{row[0] for row in rows} for rows in (one, other)]
    pieces = {name: _pieces(name, one, other) for name in sorted(names[0] | names[1])}
    everything = np.concatenate(list(pieces.values()))
    shown = [k for k, name in enumerate(CLASSES) if (everything[:, 2:] == k).any()]
    return Agreement(
        _kappa(everything),
        {CLASSES[k]: _of_class(everything, k) for k in shown},
        {name: _kappa(own) for name, own in pieces.items()},
        sorted(names[0] ^ names[1]),
    )


@dataclass(frozen=True)
class _Annotations:
    rows: list[Row]
    sha256: str = ""


def _read(path: Path) -> _Annotations:
    if path.is_dir():
        workspace = Workspace.open(path)
        result = load(workspace)
        rows = [(one.person, one.start_ms, one.end_ms, one.emotion) for one in [*result.segments, *result.gaps]]
        return _Annotations(rows, workspace.video.sha256)
    found = read_annotations(path)
    return _Annotations([(one.person, one.start_ms, one.end_ms, one.emotion) for one in found.marks], found.sha256)


def _pieces(name: str, one: Iterable[Row], other: Iterable[Row]) -> NDArray[np.int64]:
    """(N, 4) start and end in milliseconds, cut at blocks too, and the number of the class in either annotation."""
    own = [sorted((row[1:] for row in rows if row[0] == name), key=lambda row: row[:2]) for rows in (one, other)]
    edges = {edge for rows in own for row in rows for edge in row[:2]}
    block = round(1000 * BLOCK_S)
    edges |= set(range(-(-min(edges) // block) * block, max(edges), block))
    cuts = np.array(sorted(edges), np.int64)
    classes = [np.full(len(cuts) - 1, CLASSES.index(NOTHING), np.int64) for _ in own]
    for found, rows in zip(classes, own, strict=True):
        for start, end, emotion in reversed(rows):
            found[np.searchsorted(cuts, start) : np.searchsorted(cuts, end)] = CLASSES.index(emotion)
    pieces = np.stack([cuts[:-1], cuts[1:], *classes], axis=1)
    annotated: NDArray[np.int64] = pieces[(pieces[:, 2:] != CLASSES.index(NOTHING)).any(axis=1)]
    return annotated


def _of_class(pieces: NDArray[np.int64], number: int) -> Kappa:
    seen = pieces[(pieces[:, 2:] == number).any(axis=1)]
    found = _kappa(np.concatenate([pieces[:, :2], (pieces[:, 2:] == number).astype(np.int64)], axis=1))
    seconds = float((seen[:, 1] - seen[:, 0]).sum()) / 1000
    return Kappa(seconds, found.agreement, found.kappa, found.interval)


def _kappa(pieces: NDArray[np.int64]) -> Kappa:
    """Of (N, 4) start, end and two classes."""
    milliseconds = (pieces[:, 1] - pieces[:, 0]).astype(np.float64)
    block, row = np.unique(pieces[:, 0] // round(1000 * BLOCK_S), return_inverse=True)
    confusion = np.zeros((len(block), len(CLASSES), len(CLASSES)))
    np.add.at(confusion, (row, pieces[:, 2], pieces[:, 3]), milliseconds)
    total = confusion.sum(axis=0)
    agreement = float(np.trace(total) / total.sum())
    kappa = float(kappas(total[None])[0])
    if np.isnan(kappa):
        return Kappa(total.sum() / 1000, agreement, None, None)
    interval = None
    if len(block) > 1:
        rng = np.random.default_rng(_SEED)
        counts = rng.multinomial(len(block), np.full(len(block), 1 / len(block)), size=_DRAWS)
        drawn = kappas(np.tensordot(counts.astype(np.float64), confusion, axes=1))
        low, high = np.nanpercentile(drawn, [2.5, 97.5])
        interval = (float(low), float(high))
    return Kappa(float(total.sum() / 1000), agreement, kappa, interval)


def kappas(confusion: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) Cohen's kappa of (N, C, C) weights, row the first annotator's class; NaN where it is not defined."""
    share = confusion / confusion.sum(axis=(1, 2), keepdims=True)
    observed = np.trace(share, axis1=1, axis2=2)
    expected = (share.sum(axis=2) * share.sum(axis=1)).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: NDArray[np.float64] = np.where(1 - expected > 1e-12, (observed - expected) / (1 - expected), np.nan)
    return found
