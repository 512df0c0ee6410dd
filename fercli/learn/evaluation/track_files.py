"""True tracks from a file: manually annotated boxes and identities per frame.

- LTFT (Barquero et al. 2020, arXiv 2010.08675; github.com/hertasecurity/LTFT). The first line holds the number of
  frames, then one line per frame: `frame n`, and `id x y w h is_face confidence` n times; frames from 0. Boxes that are
  marked as not a face (false alarms, or several faces in one box) have their own identity and are used like others: a
  tracker gets them too.
- MOTChallenge `gt.txt` (motchallenge.net/instructions): one line per box, `frame,id,x,y,w,h,flag,...`; frames from 1.
  Boxes whose flag is 0 are to be ignored, so they are left out.

`x y` is the top left corner. The format is detected from the first line: only MOTChallenge has commas.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.errors import DatasetError, reason_of
from fercli.files import require_regular_file

_LTFT_HINT = "an LTFT line is `frame n`, then `id x y w h is_face confidence` n times"
_MOT_HINT = "a MOTChallenge line is frame,id,x,y,w,h,flag,... with frames from 1"
_LTFT_VALUES = 7
_MOT_VALUES = 7

_Row = tuple[int, int, int, float, float, float, float]
"""Line of the file, frame, identity, x, y, w, h."""


@dataclass(frozen=True)
class Tracks:
    """Boxes with identities, ordered by frame and then from left to right.

    Attributes:
        frame: (N,) from 0.
        identity: (N,) any numbers; each at most once per frame.
        boxes: (N, 4) x1, y1, x2, y2 in pixels.
    """

    frame: NDArray[np.int64]
    identity: NDArray[np.int64]
    boxes: NDArray[np.float32]

    def renamed(self, identity: NDArray[np.int32], nobody: int) -> Tracks:
        """The same boxes with other identities, (N,), without those that have none."""
        kept = identity != nobody
        return Tracks(self.frame[kept], identity[kept].astype(np.int64), self.boxes[kept])


def read_tracks(path: Path) -> Tracks:
    """Read true tracks in either format.

    Raises:
        DatasetError: it is missing, unreadable, of neither format, without a box, or a line is broken; names file and
            line.
    """
    require_regular_file(path, DatasetError, "check the name")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise DatasetError(
            f"cannot read {path}: {reason_of(error)}", hint="check the name", code="file-unreadable"
        ) from error
    rows = list(_mot(lines, path) if lines and "," in lines[0] else _ltft(lines, path))
    if not rows:
        raise DatasetError(f"{path} has no box", hint="give LTFT annotations or the gt.txt of a MOTChallenge sequence")
    _check(rows, path)
    rows.sort(key=lambda row: (row[1], row[3], row[2]))
    corner, size = np.array([row[3:5] for row in rows]), np.array([row[5:] for row in rows])
    return Tracks(
        frame=np.array([row[1] for row in rows], dtype=np.int64),
        identity=np.array([row[2] for row in rows], dtype=np.int64),
        boxes=np.concatenate([corner, corner + size], axis=1).astype(np.float32),
    )


def _ltft(lines: list[str], path: Path) -> Iterator[_Row]:
    total = _whole(lines[0] if lines else "", f"{path}:1", "the file starts with its number of frames", _LTFT_HINT)
    frames = 0
    for number, line in enumerate(lines[1:], start=2):
        place = f"{path}:{number}"
        cells = line.split()
        if not cells:
            continue
        frame, count = (_whole(cell, place, "frame and n come first", _LTFT_HINT) for cell in (*cells, "")[:2])
        values = cells[2:]
        if len(values) != _LTFT_VALUES * count:
            wrong = f"{count} boxes have {_LTFT_VALUES * count} values, not {len(values)}"
            raise DatasetError(f"{place}: {wrong}", hint=_LTFT_HINT)
        frames += 1
        for start in range(0, len(values), _LTFT_VALUES):
            identity = _whole(values[start], place, "an identity is a number", _LTFT_HINT)
            yield number, frame, identity, *_box(values[start + 1 : start + 5], place, _LTFT_HINT)
    if frames != total:
        raise DatasetError(f"{path}:1: {total} frames declared, {frames} found", hint="download the file again")


def _mot(lines: list[str], path: Path) -> Iterator[_Row]:
    for number, line in enumerate(lines, start=1):
        place = f"{path}:{number}"
        cells = [cell.strip() for cell in line.split(",")]
        if cells == [""]:
            continue
        if len(cells) < _MOT_VALUES:
            raise DatasetError(f"{place}: {len(cells)} values, at least {_MOT_VALUES} expected", hint=_MOT_HINT)
        frame, identity = (_whole(cell, place, "frame and id come first", _MOT_HINT) for cell in cells[:2])
        if frame < 1:
            raise DatasetError(f"{place}: frame {frame}", hint=_MOT_HINT)
        if _number(cells[6], place, _MOT_HINT) != 0:
            yield number, frame - 1, identity, *_box(cells[2:6], place, _MOT_HINT)


def _check(rows: list[_Row], path: Path) -> None:
    seen: set[tuple[int, int]] = set()
    for number, frame, identity, *_ in rows:
        if (frame, identity) in seen:
            again = f"{path}:{number}: identity {identity} is in this frame twice"
            raise DatasetError(again, hint="an identity can be only once in a frame")
        seen.add((frame, identity))


def _box(cells: list[str], place: str, hint: str) -> tuple[float, float, float, float]:
    x, y, width, height = (_number(cell, place, hint) for cell in cells)
    if min(width, height) <= 0:
        raise DatasetError(f"{place}: a box is {width:g} x {height:g} pixels", hint="every box needs a size")
    return x, y, width, height


def _whole(cell: str, place: str, expected: str, hint: str) -> int:
    try:
        # Some programs write frames and identities as 1.0.
        value = float(cell)
        if value == int(value):
            return int(value)
    except (ValueError, OverflowError):
        pass
    raise DatasetError(f"{place}: {cell!r}, but {expected}", hint=hint)


def _number(cell: str, place: str, hint: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DatasetError(f"{place}: {cell!r} is not a number", hint=hint)
    return value
