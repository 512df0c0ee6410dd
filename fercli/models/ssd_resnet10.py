"""OpenCV's face detector, an SSD on a ResNet of ten layers, from files of the user.

OpenCV offers it as `opencv_face_detector_uint8.pb` with `opencv_face_detector.pbtxt` (TensorFlow) and as
`res10_300x300_ssd_iter_140000.caffemodel` with `deploy.prototxt` (Caffe); the text file must lie beside the other one.
OpenCV 5 reads no Caffe networks. An ONNX file of it must take (1, 3, 300, 300) and end in a `DetectionOutput`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fercli.errors import WeightsError
from fercli.models.detections import Detections
from fercli.models.onnx_session import ERRORS, open_session

SIDE = 300
"""Of the picture that the network sees, pixels."""
MEAN = (104.0, 177.0, 123.0)
"""Of blue, green and red."""
LOWEST_SCORE = 0.1
"""Detections below it are ignored; far below any useful threshold."""
COLUMNS = 7
"""Of a detection: picture, class, score, x1, y1, x2, y2 in shares of the sides."""
SOURCE = "https://github.com/opencv/opencv/tree/4.x/samples/dnn/face_detector"
DESCRIPTIONS = {".pb": ".pbtxt", ".caffemodel": ".prototxt"}
"""Suffix of the weights -> suffix of the text file that describes the network."""

Network = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""(1, 3, SIDE, SIDE) blue, green, red, less MEAN -> (..., COLUMNS) detections."""


class SsdResNet10:
    """The detector. Pictures are stretched to a square; scores are the network's own, a softmax."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """See `Detector.detect`."""
        shown = np.asarray(cv2.dnn.blobFromImage(image, 1.0, (SIDE, SIDE), MEAN, swapRB=True), np.float32)
        rows = self._network(shown).reshape(-1, COLUMNS)
        rows = rows[(rows[:, 1] == 1) & (rows[:, 2] >= LOWEST_SCORE)]
        height, width = image.shape[:2]
        boxes = rows[:, 3:] * np.array([width, height, width, height], np.float32)
        return Detections(boxes.astype(np.float32), rows[:, 2].astype(np.float32))


def load(weights: Path | None, device: str) -> SsdResNet10:
    """Build the detector; OpenCV runs it on the CPU for any `device`.

    Raises:
        WeightsError: no file was given, its description is missing, or it is another network.
    """
    if weights is None:
        raise WeightsError(
            "ssd-resnet10 needs a weights file",
            hint=f"give the .pb, .caffemodel or .onnx file of {SOURCE}",
            code="weights-missing",
        )
    network = _onnx(weights, device) if weights.suffix.lower() == ".onnx" else _opencv(weights)
    try:
        found = network(np.zeros((1, 3, SIDE, SIDE), np.float32))
    except (cv2.error, *ERRORS) as error:
        raise _another(weights) from error
    if found.ndim < 2 or found.shape[-1] != COLUMNS:
        raise _another(weights)
    return SsdResNet10(network)


def _opencv(weights: Path) -> Network:
    suffix = DESCRIPTIONS.get(weights.suffix.lower())
    if suffix is None:
        raise _another(weights)
    if suffix == ".prototxt" and not hasattr(cv2.dnn, "readNetFromCaffe"):
        raise WeightsError(
            f"OpenCV {cv2.__version__} reads no Caffe networks such as {weights}",
            hint='give opencv_face_detector_uint8.pb with its .pbtxt, or: pip install "opencv-python-headless<5"',
        )
    description = _beside(weights, suffix)
    read: Any = getattr(cv2.dnn, "readNetFromCaffe" if suffix == ".prototxt" else "readNetFromTensorflow")
    files = (description, weights) if suffix == ".prototxt" else (weights, description)
    # The new engine of OpenCV 5 has not all layers of the importer.
    engine = {"engine": cv2.dnn.ENGINE_CLASSIC} if hasattr(cv2.dnn, "ENGINE_CLASSIC") else {}
    try:
        net = read(*map(str, files), **engine)
    except cv2.error as error:
        raise _another(weights) from error

    def run(shown: NDArray[np.float32]) -> NDArray[np.float32]:
        net.setInput(shown)
        return np.asarray(net.forward(), np.float32)

    return run


def _beside(weights: Path, suffix: str) -> Path:
    """The text file that describes a network: of the same name, or the only one beside it."""
    same = weights.with_suffix(suffix)
    files = [same] if same.is_file() else sorted(weights.parent.glob(f"*{suffix}"))
    if len(files) != 1:
        raise WeightsError(
            f"{weights.parent} has {len(files)} {suffix} files to describe {weights.name}, expected one",
            hint=f"put the {suffix} file of {SOURCE} beside it, as {same.name}",
            code="weights-missing",
        )
    return files[0]


def _onnx(weights: Path, device: str) -> Network:
    try:
        session = open_session(weights, device)
    except ERRORS as error:
        raise _another(weights) from error
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(outputs) != 1:
        raise _another(weights)
    name = inputs[0].name

    def run(shown: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(session.run(None, {name: shown})[0], np.float32)

    return run


def _another(weights: Path) -> WeightsError:
    return WeightsError(
        f"{weights} is not OpenCV's SSD for faces: expected one input (1, 3, {SIDE}, {SIDE}), and one output with "
        f"{COLUMNS} numbers for each face",
        hint=f"give a file from {SOURCE}",
    )
