"""What the reader of a set of image files returns: which file shows which class, and what could not be used.

A reader only lists; `pack` decodes. So a reader stays a page long and needs no image to be tested.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

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
    """

    frames: tuple[Path, ...]
    label: str
    split: str = ""
    subject: str = ""
    box: tuple[float, float, float, float] | None = None
    valence: float | None = None
    arousal: float | None = None


@dataclass(frozen=True)
class Listing:
    """A set of image files as its distribution lays it out.

    Attributes:
        name, terms: what it is, and under which terms it may be used.
        classes: canonical class names, in the order of `fercli.labels.EMOTIONS_8`.
        samples, problems: what can be used, and what cannot.
    """

    name: str
    terms: str
    classes: tuple[str, ...]
    samples: tuple[Sample, ...]
    problems: tuple[Problem, ...] = ()
