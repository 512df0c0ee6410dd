"""Results of the readers of data sets: samples with files and classes, and problems.

A reader only lists files; `pack` decodes them. So readers are short and can be tested without images.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.learn.datasets.pictures import read_picture

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class Problem:
    """One sample that could not be used, with the reason. `line` counts from 1; 0 if the file has no lines.

    As text, it names the file once, even if the reason contains it.
    """

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return self.reason if place in self.reason else f"{place}: {self.reason}"


@dataclass(frozen=True)
class Sample:
    """One labelled face, still or clip.

    Attributes:
        frames: the picture of a still, or the pictures of a clip of the expression, in order.
        label: canonical class name.
        split: one of SPLITS, or empty if the set has no splits.
        subject: person, unique within the set; empty if unknown.
        box: x1, y1, x2, y2 of the face, half-open, pixels of the picture; None if the picture is cropped to the face.
        valence, arousal: in [-1, 1]; None if the set has none.
        apex: index, from 0, in `frames` of the apex of the expression; None if unknown.
        shares: share of each class of the listing in the judgements of people, sum 1; None if there is only the label.
    """

    frames: tuple[Path, ...]
    label: str
    split: str = ""
    subject: str = ""
    box: tuple[float, float, float, float] | None = None
    valence: float | None = None
    arousal: float | None = None
    apex: int | None = None
    shares: tuple[float, ...] | None = None


@dataclass(frozen=True)
class LeftOut:
    """One part of a set that is not used by design; `what` describes such parts, in the plural."""

    what: str


@dataclass(frozen=True)
class Listing:
    """A set of image files in the layout of its distribution.

    Attributes:
        name, terms: its name and terms of use.
        classes: class names, canonical and in the order of `fercli.labels.EMOTIONS_8` unless the set has others.
        samples, problems: usable samples, and problems of the others.
        notes: parts left out by design, with counts, and other information.
        frontal: whether the pictures also show other views, so that only frontal faces are used.
        read_picture: path of a frame -> (H, W, 3) RGB, or an InputError.
    """

    name: str
    terms: str
    classes: tuple[str, ...]
    samples: tuple[Sample, ...]
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    frontal: bool = False
    read_picture: Callable[[Path], NDArray[np.uint8]] = read_picture
