"""The true persons in an edited video, read from a file.

It is JSON, times in seconds of the video, boxes in pixels of the upright frame:

    {"shots": [
      {"start_s": 0.0, "end_s": 4.0, "person": "Ross"},
      {"start_s": 4.0, "end_s": 6.5, "faces": [
        {"person": "Ross",   "boxes": [[4.0, 80, 60, 180, 190], [6.5, 120, 60, 220, 190]]},
        {"person": "Rachel", "boxes": [[4.0, 400, 70, 480, 170]]}]}]}

With `person`, every face of the shot is that person's. With `faces`, each face has boxes `[t, x1, y1, x2, y2]` within
the shot: between two boxes it is interpolated linearly, before the first and after the last it is constant; an empty
list means no person. Shots ascend in time, and other keys are ignored.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.errors import DatasetError, reason_of
from fercli.files import require_regular_file

SAME_TIME_S = 0.001
"""Times in the truth may be rounded to milliseconds."""
_HINT = "`python -m examples.make_episode` writes such a file"


@dataclass(frozen=True)
class TrueFace:
    """One person's face through a shot.

    Attributes:
        person: name.
        times_s: (T,) ascending.
        boxes: (T, 4) boxes of the face at these times.
    """

    person: str
    times_s: NDArray[np.float64]
    boxes: NDArray[np.float64]

    def at(self, times_s: NDArray[np.float64]) -> NDArray[np.float32]:
        """(N, 4) boxes at (N,) times."""
        edges = [np.interp(times_s, self.times_s, edge) for edge in self.boxes.T]
        return np.stack(edges, axis=1).astype(np.float32)


@dataclass(frozen=True)
class TrueShot:
    """The persons in [start_s, end_s).

    Attributes:
        person: the person of all faces; empty if there are `faces`.
        faces: the visible faces.
    """

    start_s: float
    end_s: float
    person: str
    faces: tuple[TrueFace, ...]


def read_person_truth(path: Path) -> list[TrueShot]:
    """Read the true persons.

    Raises:
        DatasetError: missing, unreadable, or invalid; the message names the file, the shot and the error.
    """
    require_regular_file(path, DatasetError, "check the name; it is a JSON file")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DatasetError(
            f"cannot read {path}: {reason_of(error)}", hint="check the name; it is a JSON file", code="file-unreadable"
        ) from error
    rows = document.get("shots") if isinstance(document, dict) else None
    if not isinstance(rows, list) or not rows:
        raise DatasetError(f'{path} has no list of "shots"', hint=_HINT)
    shots: list[TrueShot] = []
    for number, row in enumerate(rows, start=1):
        try:
            shots.append(_shot(row, earliest=shots[-1].end_s if shots else -math.inf))
        except ValueError as error:
            raise DatasetError(f"{path}: shot {number}: {error}", hint=_HINT) from error
    return shots


def _shot(row: object, earliest: float) -> TrueShot:
    """Raises ValueError with the reason."""
    if not isinstance(row, dict) or ("person" in row) == ("faces" in row):
        raise ValueError('it needs "start_s", "end_s" and either "person" or "faces"')
    start, end = (_numbers([row.get(key)], 1, f'"{key}"')[0] for key in ("start_s", "end_s"))
    if end <= start:
        raise ValueError(f"ends at {end:g} s but starts at {start:g} s")
    if start < earliest - SAME_TIME_S:
        raise ValueError(f"starts at {start:g} s, before the shot before it ends at {earliest:g} s")
    if "person" in row:
        return TrueShot(start, end, _name(row["person"]), ())
    if not isinstance(row["faces"], list):
        raise ValueError('"faces" is not a list')
    return TrueShot(start, end, "", tuple(_face(face) for face in row["faces"]))


def _face(row: object) -> TrueFace:
    if not isinstance(row, dict) or not isinstance(row.get("boxes"), list) or not row["boxes"]:
        raise ValueError('a face needs "person" and a list of "boxes"')
    person = _name(row.get("person"))
    values = np.array([_numbers(box, 5, f"a box of {person}") for box in row["boxes"]])
    times, boxes = values[:, 0], values[:, 1:]
    if (np.diff(times) <= 0).any():
        raise ValueError(f"the times of the boxes of {person} do not ascend")
    if (boxes[:, 2:] <= boxes[:, :2]).any():
        raise ValueError(f"a box of {person} is empty: x2 and y2 are beyond x1 and y1")
    return TrueFace(person, times, boxes)


def _name(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f'"person" is {value!r}, expected a name')
    return value.strip()


def _numbers(values: object, count: int, what: str) -> list[float]:
    if isinstance(values, list) and len(values) == count and all(isinstance(value, (int, float)) for value in values):
        numbers = [float(value) for value in values]
        if all(map(math.isfinite, numbers)):
            return numbers
    raise ValueError(f"{what} is {json.dumps(values)}, expected {'numbers' if count > 1 else 'a number'}")
