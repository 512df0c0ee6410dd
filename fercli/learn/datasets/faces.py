"""A data set for training or evaluation: faces, and one or more sets of labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.learn.datasets.images import JoinedImages
from fercli.learn.datasets.samples import SPLITS, Problem


@dataclass(frozen=True)
class Labelling:
    """One set of labels for the faces of a split; for example FER2013's labels, or the votes of FER+.

    Attributes:
        classes: the C class names, canonical.
        targets: (N, C) float32 label distributions, rows summing to 1; a row of zeros is not trained on.
        labels: (N,) int64 index of the class used for evaluation; -1 if there is none.
    """

    classes: tuple[str, ...]
    targets: NDArray[np.float32]
    labels: NDArray[np.int64]

    @classmethod
    def of_indices(cls, classes: tuple[str, ...], labels: NDArray[np.int64]) -> Labelling:
        """Labels with one certain class per face."""
        return cls(classes, np.eye(len(classes), dtype=np.float32)[labels], labels)


@dataclass(frozen=True)
class FaceSet:
    """One split of a data set, column-wise.

    Attributes:
        images: (N, T, H, W) uint8 grey or (N, T, H, W, 3) RGB; T is 1 for stills.
        labellings: name -> labelling, the main one first.
        subjects: (N,) persons; empty strings if unknown.
        sources: (N,) source of each face, as text for users.
        ratings: (N, 2) float32 valence and arousal in [-1, 1], NaN if unknown; None if the set has none.
        weights: (N,) float64 how often each face is drawn in training, relative to the others; None for equally often.
    """

    images: NDArray[np.uint8]
    labellings: dict[str, Labelling]
    subjects: tuple[str, ...]
    sources: tuple[str, ...]
    ratings: NDArray[np.float32] | None = None
    weights: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.images)

    @property
    def kind(self) -> str:
        """Kind of its samples: `image` or `clip`."""
        return "image" if self.images.shape[1] == 1 else "clip"

    @property
    def colour(self) -> bool:
        """Whether its pictures are in colour."""
        return self.images.ndim == 5

    @property
    def main(self) -> Labelling:
        """The labels on which scores are reported."""
        return next(iter(self.labellings.values()))

    def take(self, rows: NDArray[np.intp]) -> FaceSet:
        """The given rows, in the given order."""
        labellings = {
            name: Labelling(labelling.classes, labelling.targets[rows], labelling.labels[rows])
            for name, labelling in self.labellings.items()
        }
        return FaceSet(
            self.images.take(rows) if isinstance(self.images, JoinedImages) else self.images[rows],
            labellings,
            tuple(self.subjects[row] for row in rows),
            tuple(self.sources[row] for row in rows),
            None if self.ratings is None else self.ratings[rows],
            None if self.weights is None else self.weights[rows],
        )


@dataclass(frozen=True)
class DatasetSplits:
    """A data set for training: fit on `train`, select on `valid`, report on `test` once.

    Attributes:
        name, terms: its name and terms of use.
        face_scale: side of an image as a multiple of the longer side of the default detector's box, both with the same
            centre.
        train, valid, test: the splits.
        problems: samples that could not be used.
        official: whether the set defines its splits.
        notes: parts left out by design, and other information.
    """

    name: str
    terms: str
    face_scale: float
    train: FaceSet
    valid: FaceSet
    test: FaceSet
    problems: tuple[Problem, ...] = ()
    official: bool = True
    notes: tuple[str, ...] = ()

    def part(self, split: str) -> FaceSet:
        """One split, or the whole set for `all`."""
        parts = (self.train, self.valid, self.test)
        if split != "all":
            return dict(zip(SPLITS, parts, strict=True))[split]
        return FaceSet(
            np.concatenate([part.images[:] for part in parts]),
            {name: joined_labels([part.labellings[name] for part in parts]) for name in self.train.labellings},
            sum((part.subjects for part in parts), ()),
            sum((part.sources for part in parts), ()),
            joined_ratings(parts),
        )


def joined_ratings(parts: Sequence[FaceSet]) -> NDArray[np.float32] | None:
    """The ratings of several sets of faces, one after the other; None if none has any."""
    if all(part.ratings is None for part in parts):
        return None
    unknown = [np.full((len(part), 2), np.nan, np.float32) for part in parts]
    return np.concatenate([p.ratings if p.ratings is not None else u for p, u in zip(parts, unknown, strict=True)])


def joined_labels(labellings: Sequence[Labelling]) -> Labelling:
    """Labels of the same classes, one after the other."""
    return Labelling(
        labellings[0].classes,
        np.concatenate([labelling.targets for labelling in labellings]),
        np.concatenate([labelling.labels for labelling in labellings]),
    )


def middle_frames(given: int, wanted: int) -> list[int]:
    """Indices of frames that represent a clip of `given` frames: the middle of each of `wanted` equal parts.

    As in the test of temporal segment networks (Wang et al. 2016, arXiv 1608.00859). A single frame is the middle of
    the expression; a still is repeated.
    """
    return [int((part + 0.5) * given / wanted) for part in range(wanted)]
