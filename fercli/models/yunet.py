"""YuNet from an ONNX file of the user, through OpenCV.

Wu, Peng, Yu 2023, "YuNet: A Tiny Millisecond-level Face Detector" (Machine Intelligence Research).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from fercli.errors import WeightsError
from fercli.models.detections import Detections

LOWEST_SCORE = 0.1
"""Candidates below it are ignored; far below any useful threshold."""
MAX_OVERLAP = 0.3
"""Of two boxes with a larger intersection over union, the one with the lower score is dropped."""
MAX_CANDIDATES = 5000

SOURCE = "https://github.com/opencv/opencv_zoo/tree/main/models/face_detection_yunet"


class Network(Protocol):
    """The used part of `cv2.FaceDetectorYN`."""

    def setInputSize(self, size: tuple[int, int], /) -> None: ...  # noqa: N802
    def detect(self, image: NDArray[np.uint8], /) -> Any: ...


class YuNet:
    """`cv2.FaceDetectorYN` with boxes, scores and landmarks in fercli's order."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """See `Detector.detect`."""
        self._network.setInputSize((image.shape[1], image.shape[0]))
        _, found = self._network.detect(np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), dtype=np.uint8))
        rows = np.array([] if found is None else found, dtype=np.float32).reshape(-1, 15)
        if not np.isfinite(rows).all():
            raise WeightsError(
                "the output of YuNet has numbers that are not finite",
                hint=f"give an .onnx file from {SOURCE}",
                code="weights-not-finite",
            )
        boxes = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1)
        # OpenCV names the points from the person's side: right eye, left eye, nose, right and left mouth corner.
        return Detections(boxes, rows[:, 14], rows[:, 4:14].reshape(-1, 5, 2))


def load(weights: Path | None, device: str) -> YuNet:
    """Build the detector; it runs on the CPU for any `device`.

    Raises:
        WeightsError: no file was given, or it is not a YuNet.
    """
    if weights is None:
        raise WeightsError(
            "yunet needs a weights file",
            hint=f"give one with --detector-weights, from {SOURCE}",
            code="weights-missing",
        )
    try:
        detector = YuNet(
            cv2.FaceDetectorYN.create(str(weights), "", (32, 32), LOWEST_SCORE, MAX_OVERLAP, MAX_CANDIDATES)
        )
        detector.detect(np.zeros((32, 32, 3), dtype=np.uint8))  # another network fails only when it is run
    except cv2.error as error:
        raise WeightsError(
            f"{weights} is not a YuNet: {error.err}", hint=f"give an .onnx file from {SOURCE}"
        ) from error
    return detector
