"""Make faces unrecognisable: all detected faces, with or without a person."""

from __future__ import annotations

from collections.abc import Collection

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli.views.render.paths import MAX_GAP_S, Path, Presence, boxes_of, rows_by
from fercli.views.render.sampled import Sampled

CELLS = 6
"""A blurred face has this many by this many mean colours."""
ENLARGED = 1.3
"""Boxes of detectors cover eyes to mouth; hair, ears and chin also identify people."""
MARGIN_S = 0.3
"""A face counts as present this long before its first and after its last detection."""

EVERYTHING = np.array([0, 0, 2**24, 2**24], np.float32)


class Hidden:
    """The regions to blur.

    Args:
        frames: the sampled frames.
        faces: the table `faces`, with all detections.
        tracks: the table `tracks`.
        visible: tracks that are not blurred.
    """

    def __init__(self, frames: Sampled, faces: pa.Table, tracks: pa.Table, visible: Collection[int] = ()) -> None:
        owner = np.full(faces.num_rows, -1, np.int64)
        owner[tracks["face"].to_numpy()] = tracks["track"].to_numpy()
        # Each face without a track has its own path, with a negative number.
        owner = np.where(owner < 0, -1 - np.arange(len(owner)), owner)
        place, boxes = frames.places(faces["frame"].to_numpy()), boxes_of(faces)
        self._paths = [
            Path(
                frames.pts_s[place[rows]],
                boxes[rows],
                *frames.reach(int(place[rows[0]]), int(place[rows[-1]]), MARGIN_S),
            )
            for rows in rows_by(owner)
            if owner[rows[0]] not in visible
        ]
        self._presence = Presence(self._paths)
        self._frames = frames
        self.all_over: list[float] = []
        """Times at which the whole picture was blurred."""

    def at(self, time_s: float) -> list[NDArray[np.float32]]:
        """(4,) boxes, enlarged; if the movement of a face is unknown, one box over both positions; if there was no face
        detection, one over the whole picture."""
        if not self._frames.searched(time_s, MAX_GAP_S):
            self.all_over.append(time_s)
            return [EVERYTHING]
        present = (self._paths[number] for number in self._presence.at(time_s))
        return [enlarged(path.box(time_s) if path.gap_s(time_s) < MAX_GAP_S else path.hull(time_s)) for path in present]


def enlarged(box: NDArray[np.float32]) -> NDArray[np.float32]:
    """(4,) box ENLARGED times as wide and as high about the same centre."""
    centre, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2 * ENLARGED
    return np.concatenate([centre - half, centre + half]).astype(np.float32)


def blur(image: NDArray[np.uint8], box: NDArray[np.float32]) -> None:
    """Replace the pixels in a (4,) box by CELLS x CELLS interpolated mean colours; RGB uint8 HxWx3, in place."""
    height, width = image.shape[:2]
    left, top = np.clip(np.floor(box[:2]).astype(int), 0, [width, height])
    right, bottom = np.clip(np.ceil(box[2:]).astype(int), 0, [width, height])
    region = image[top:bottom, left:right]
    if region.size:
        cells = cv2.resize(region, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
        region[:] = cv2.resize(cells, region.shape[1::-1], interpolation=cv2.INTER_LINEAR)
