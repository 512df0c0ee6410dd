"""Cuts between shots, found by scenedetect's adaptive content detector while the frames go by.

The score of a frame is the mean change of hue, saturation and brightness (0 to 255) from the frame before; a cut is a
score that stands out by a factor over the two frames before and the two after it. That is counted in frames, so it
holds for any frame rate. Cuts among the first or last MIN_SHOT_FRAMES frames are not looked for.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scenedetect.common import FrameTimecode
from scenedetect.detectors import AdaptiveDetector

MIN_SHOT_FRAMES = 5
"""A cut this soon after another one is a flash, not a shot."""

_ANY_FPS = 25.0  # FrameTimecode wants one; nothing here depends on it


class ShotDetector:
    """Takes every frame of a video in order and keeps the numbers of the frames that start a new shot.

    Attributes:
        cuts: ascending; complete once the frames two further on have been added.
    """

    def __init__(self, threshold: float) -> None:
        self.cuts: list[int] = []
        self._detector = AdaptiveDetector(adaptive_threshold=threshold, min_scene_len=MIN_SHOT_FRAMES)
        self._size: tuple[int, int] | None = None

    def add(self, frame: int, image: NDArray[np.uint8]) -> None:
        """Look at the next frame: its number, and the picture in small (RGB uint8 HxWx3)."""
        height, width = image.shape[:2]
        self._size = self._size or (width, height)
        if (width, height) != self._size:  # the resolution may change inside a stream
            image = np.asarray(cv2.resize(image, self._size), np.uint8)
        # scenedetect wants BGR. Its hue distance does not wrap round, and red is where hue does: skin in half-darkness
        # then looks like change. Red and blue swapped, skin lies in the middle of the scale.
        found = self._detector.process_frame(FrameTimecode(frame, _ANY_FPS), image)
        self.cuts += [timecode.frame_num for timecode in found]


def shot_numbers(frames: NDArray[np.int32], cuts: list[int]) -> NDArray[np.int32]:
    """The shot, from 0, of each frame number."""
    return np.searchsorted(np.array(cuts, np.int64), frames, side="right").astype(np.int32)
