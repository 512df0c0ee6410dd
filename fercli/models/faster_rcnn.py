"""A Faster R-CNN (Ren et al. 2015, arXiv 1506.01497) of torchvision that was trained on faces, from an ONNX file of the
user.

The file is what `torch.onnx.export` writes of a model of `torchvision.models.detection` with the output names below. It
takes one RGB picture, float (3, H, W) in [0, 1], and has the sizes, the candidates and the non-maximum suppression
inside. Class 1 is the face. torchvision's own weights are of COCO, whose class 1 is a whole person.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from fercli.errors import WeightsError
from fercli.models.detections import Detections
from fercli.models.onnx_session import ERRORS, open_session

BOXES, LABELS, SCORES = "boxes", "labels", "scores"
"""Names of the outputs: (N, 4) x1, y1, x2, y2 in pixels, (N,) classes, (N,) in [0, 1]."""
FACE = 1
SIDE = 64
"""Of the picture with which a file is tried, pixels."""


class FasterRcnn:
    """A session with the network. Scores are the network's own, a softmax."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        (shown,) = session.get_inputs()
        self._input = shown.name
        sides = shown.shape[1:]
        self._size = (sides[1], sides[0]) if all(isinstance(side, int) for side in sides) else None

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """See `Detector.detect`. Pictures are stretched to the size of a file that was exported with a fixed one."""
        height, width = image.shape[:2]
        size = self._size or (width, height)
        small = image if size == (width, height) else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        pixels = np.ascontiguousarray(small.transpose(2, 0, 1), np.float32) / 255
        boxes, labels, scores = self._session.run([BOXES, LABELS, SCORES], {self._input: pixels})
        faces = np.flatnonzero(np.asarray(labels) == FACE)
        found = Detections(np.asarray(boxes, np.float32)[faces], np.asarray(scores, np.float32)[faces])
        return found.scaled(width / size[0], height / size[1])


def load(weights: Path | None, device: str) -> FasterRcnn:
    """Build the detector. Without a CUDA build of onnxruntime it runs on the CPU for any `device`.

    Raises:
        WeightsError: no file was given, or it is another network.
    """
    if weights is None:
        raise WeightsError("faster-rcnn needs a weights file", hint=_HINT, code="weights-missing")
    try:
        session = open_session(weights, device)
        inputs, outputs = session.get_inputs(), {one.name for one in session.get_outputs()}
        if len(inputs) != 1 or len(inputs[0].shape) != 3 or not {BOXES, LABELS, SCORES} <= outputs:
            raise _another(weights)
        detector = FasterRcnn(session)
        found = detector.detect(np.zeros((SIDE, SIDE, 3), np.uint8))
    except ERRORS as error:
        raise _another(weights) from error
    if found.boxes.shape != (len(found), 4):
        raise _another(weights)
    return detector


_HINT = (
    f"give an ONNX file of a torchvision detection model trained on faces: torch.onnx.export(model.eval(), "
    f'([picture],), FILE, output_names=["{BOXES}", "{LABELS}", "{SCORES}"])'
)


def _another(weights: Path) -> WeightsError:
    return WeightsError(
        f"{weights} is no exported Faster R-CNN: expected one input (3, H, W), and the outputs {BOXES}, {LABELS} and "
        f"{SCORES}",
        hint=_HINT,
    )
