"""Detection of shots in one pass over the frames: soft cuts by `soft_cuts`, hard cuts by scenedetect.

Its adaptive content detector gives every frame a score, the mean change of hue, saturation and brightness (0 to 255)
from the previous frame; a cut is a score that exceeds those of the two frames before and after by a factor. This is
counted in frames, so it works at any frame rate. There is no search for hard cuts in the first and last MIN_SHOT_FRAMES
frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scenedetect.common import FrameTimecode
from scenedetect.detectors import AdaptiveDetector

from fercli.media.soft_cuts import SoftCutDetector

MIN_SHOT_FRAMES = 5
"""A cut this soon after another one is a flash, not a shot."""

_SHOT_BETWEEN = 2
_ANY_FPS = 25.0  # FrameTimecode needs one; nothing here depends on it


@dataclass(frozen=True)
class Shots:
    """The shots of a video.

    Attributes:
        cuts: numbers of the frames that start a new shot, ascending; that of a soft transition lies in its middle.
        transitions: first and last frame (inclusive) that may show two shots at once, ascending.
    """

    cuts: list[int]
    transitions: list[tuple[int, int]]

    def mixed(self, frames: NDArray[np.int32]) -> NDArray[np.bool_]:
        """(N,) whether each frame number lies in a transition."""
        inside = np.zeros(len(frames), bool)
        for first, last in self.transitions:
            inside |= (frames >= first) & (frames <= last)
        return inside


class ShotDetector:
    """Takes every frame of a video in order and finds the cuts, hard and soft."""

    def __init__(self, threshold: float) -> None:
        self._hard: list[int] = []
        self._soft = SoftCutDetector()
        self._detector = AdaptiveDetector(adaptive_threshold=threshold, min_scene_len=MIN_SHOT_FRAMES)
        self._size: tuple[int, int] | None = None

    def add(self, frame: int, time_s: float, image: NDArray[np.uint8]) -> None:
        """Process the next frame: its number, its time, and a small picture of it (RGB uint8 HxWx3)."""
        height, width = image.shape[:2]
        self._size = self._size or (width, height)
        if (width, height) != self._size:  # the resolution may change inside a stream
            image = np.asarray(cv2.resize(image, self._size), np.uint8)
        self._soft.add(frame, time_s, image)
        # scenedetect expects BGR. Its hue distance does not wrap around at red, so dark skin tones look like a change.
        # With red and blue swapped, skin is in the middle of the scale.
        found = self._detector.process_frame(FrameTimecode(frame, _ANY_FPS), image)
        self._hard += [timecode.frame_num for timecode in found]

    def finish(self) -> Shots:
        """The result, after the last frame."""
        self._soft.finish()
        # A transition with an abrupt start or end looks like a cut there; two cuts are a short shot between them.
        cuts = {one: [cut for cut in self._hard if one.first <= cut <= one.last + 1] for one in self._soft.found}
        soft = [one for one, inside in cuts.items() if len(inside) < _SHOT_BETWEEN]
        hard = [cut for cut in self._hard if not any(cut in cuts[one] for one in soft)]
        return Shots(sorted([*hard, *(one.cut for one in soft)]), [(one.first, one.last) for one in soft])


def shot_numbers(frames: NDArray[np.int32], cuts: list[int]) -> NDArray[np.int32]:
    """The shot, from 0, of each frame number."""
    return np.searchsorted(np.array(cuts, np.int64), frames, side="right").astype(np.int32)
