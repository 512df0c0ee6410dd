"""What the reader of a set of image files returns: which file shows which class, and what could not be used.

A reader only lists; `pack` decodes. So a reader stays a page long and needs no image to be tested.
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
    """One sample that could not be used, and why. `line` counts from 1; 0 where the file has none.

    As text it names the file once, even where the reason does so itself.
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
        frames: the picture of a still; of a clip the pictures that show the expression, in order.
        label: canonical class name.
        split: one of SPLITS, or empty where the set itself does not say.
        subject: who is shown, unique within the set; empty where the set does not say.
        box: x1, y1, x2, y2 of the face, half-open, pixels of the picture; None where the picture is the face.
        valence, arousal: in [-1, 1]; None where the set has none.
        apex: which of `frames`, from 0, shows the expression at its height; None where the set does not say.
    """

    frames: tuple[Path, ...]
    label: str
    split: str = ""
    subject: str = ""
    box: tuple[float, float, float, float] | None = None
    valence: float | None = None
    arousal: float | None = None
    apex: int | None = None


@dataclass(frozen=True)
class LeftOut:
    """One part of a set that is not meant to be used; `what` says, in the plural, what it and others like it are."""

    what: str


@dataclass(frozen=True)
class Listing:
    """A set of image files as its distribution lays it out.

    Attributes:
        name, terms: what it is, and under which terms it may be used.
        classes: canonical class names, in the order of `fercli.labels.EMOTIONS_8`.
        samples, problems: what can be used, and what cannot.
        notes: what is left out by design with its counts, and what else a person should know.
        frontal: whether the pictures show other views too, so that a face counts only if it looks into the camera.
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
