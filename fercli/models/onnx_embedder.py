"""A face recognition network from an ONNX file of the user: ArcFace (Deng et al. 2019, arXiv 1801.07698), SFace (Zhong
et al. 2021, arXiv 2205.12010) and others trained on faces aligned by the same template.

The network takes RGB pictures, float (N or 1, 3, S, S), S mostly 112, and gives one (N, D) tensor. There are two
conventions for the values, and the graph shows which one applies: networks converted from MXNet, for example OpenCV's
SFace, take 0 to 255 and begin with the arithmetic that normalises it; those exported by PyTorch begin with a
convolution and take -1 to 1. InsightFace, the source of most such files, distinguishes them by the same nodes.

Embeddings have unit length: distances range from 0 to 2, and the limit for one person is not that of dlib's network.
OpenCV uses 1.128 for SFace; 1.2, a cosine of 0.28, is usual for ArcFace. `max_distance` must be set accordingly.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import onnx
import onnxruntime
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from numpy.typing import NDArray

from fercli.errors import WeightsError, reason_of
from fercli.models.dlib_embedder import load_predictor
from fercli.models.onnx_session import ERRORS, open_session
from fercli.models.registry import find_model, find_weights

if TYPE_CHECKING:
    import dlib

TEMPLATE_SIDE = 112
TEMPLATE = np.array([[80.5, 52.5], [67.2, 52.5], [30.3, 52.5], [43.6, 52.6], [56.3, 80.5]])
"""Where dlib's five landmarks (see `load_predictor`) lie in a face aligned by ArcFace's own five: medians over dlib's
55 example photographs. dlib's are used because they are available for every detector, and are more stable: when those
photographs are shrunk to 60 pixels and blurred, the aligned face moves by 2.0 pixels, with the default detector's
landmarks by 3.6."""

_BATCH = 16
_NORMALISES = {"Sub", "Add", "Mul", "Div", "BatchNormalization"}
_CHANGES_NOTHING = {"Identity", "Cast", "QuantizeLinear", "DequantizeLinear"}
_HINT = "give a network like ArcFace's or SFace's: one float input (N, 3, S, S), one output (N, D)"


class OnnxEmbedder:
    """Aligns faces as ArcFace does and embeds them.

    Args:
        session: the network.
        predictor: predictor of dlib's five landmarks.
        raw: whether the network takes values from 0 to 255; otherwise from -1 to 1.
        name: name in error messages.
    """

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        predictor: dlib.shape_predictor,
        *,
        raw: bool,
        name: str = "the embedder",
    ) -> None:
        self._name = name
        self._session = session
        self._predictor = predictor
        self._raw = raw
        (network_input,) = session.get_inputs()
        batch, _, side, _ = network_input.shape
        self._input = network_input.name
        self.batch = batch if isinstance(batch, int) else _BATCH
        self.side = side if isinstance(side, int) else TEMPLATE_SIDE

    def embed(self, crops: Sequence[NDArray[np.uint8]], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, D) embeddings of unit length of the faces at (N, 4) boxes, each in the pixels of its own RGB crop."""
        chips = [self.chip(crop, box) for crop, box in zip(crops, boxes, strict=True)]
        parts = [self.run(chips[start : start + self.batch]) for start in range(0, len(chips), self.batch)]
        return np.concatenate(parts) if parts else self.run([_black(self.side)])[:0]

    def run(self, chips: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """The network alone: (N, D) of at most `batch` aligned (side, side, 3) faces; raises WeightsError for NaN."""
        pixels = np.stack(chips).transpose(0, 3, 1, 2).astype(np.float32)
        values = pixels if self._raw else (pixels - 127.5) / 127.5
        rows = self._session.run(None, {self._input: values})[0]
        if not np.isfinite(rows).all():
            raise WeightsError(f"{self._name} has an output that is not finite", hint=_HINT, code="weights-not-finite")
        length = np.linalg.norm(rows, axis=-1, keepdims=True)
        unit: NDArray[np.float32] = rows / np.maximum(length, 1e-9)
        return unit

    def chip(self, crop: NDArray[np.uint8], box: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Upright (side, side, 3) face, aligned as the network expects."""
        import dlib

        shape = self._predictor(np.ascontiguousarray(crop), dlib.rectangle(*(round(float(edge)) for edge in box)))
        return align(crop, np.array([[point.x, point.y] for point in shape.parts()]), self.side)


def load(weights: Path, device: str) -> OnnxEmbedder:
    """Build the embedder. Without a CUDA build of onnxruntime it runs on the CPU for any `device`.

    Raises:
        WeightsError: not ONNX, or not a network of this kind; or dlib's landmarks are missing.
    """
    session = _open(weights, device)
    graph = _graph(weights)
    if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in graph.initializer):
        # Its sha256 would not change with the weights.
        raise WeightsError(f"{weights} stores its weights in other files", hint="save it as one file with onnx.save")
    dlib_weights = find_weights(find_model("dlib-resnet", "embedder"))
    assert dlib_weights is not None
    raw = _is_normalised(graph, _picture_input(graph))
    embedder = OnnxEmbedder(session, load_predictor(dlib_weights.parent), raw=raw, name=str(weights))
    pictures = min(embedder.batch, 2)
    try:
        found = embedder.run([_black(embedder.side)] * pictures)
    except ERRORS as error:
        raise WeightsError(f"{weights} does not run: {error}", hint=_HINT) from error
    if found.ndim != 2 or len(found) != pictures:
        raise WeightsError(f"{weights} returns {found.shape} for {pictures} pictures", hint=_HINT)
    return embedder


def align(picture: NDArray[np.uint8], points: NDArray[np.float64], side: int) -> NDArray[np.uint8]:
    """(side, side, 3) of a picture, rotated, scaled and shifted so that its five landmarks match TEMPLATE."""
    wanted = TEMPLATE * side / TEMPLATE_SIDE
    scale = abs(_similarity(points, wanted)[0])
    if scale < 1:
        # Warping samples single pixels; at the right scale it skips none.
        size = [max(1, round(edge * scale)) for edge in picture.shape[1::-1]]
        points = (points + 0.5) * size / picture.shape[1::-1] - 0.5
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    turn, move = _similarity(points, wanted)
    matrix = np.array([[turn.real, -turn.imag, move.real], [turn.imag, turn.real, move.imag]])
    return np.asarray(cv2.warpAffine(picture, matrix, (side, side)), dtype=np.uint8)


def _similarity(there: NDArray[np.float64], wanted: NDArray[np.float64]) -> tuple[complex, complex]:
    """Factor and offset that map (N, 2) points to their targets with least squared error (Umeyama 1991
    (doi:10.1109/34.88573), in the plane a linear regression of complex numbers."""
    x, y = there @ (1, 1j), wanted @ (1, 1j)
    spread = x - x.mean()
    turn = complex(np.vdot(spread, y) / np.vdot(spread, spread))
    return turn, complex(y.mean() - turn * x.mean())


def _open(weights: Path, device: str) -> onnxruntime.InferenceSession:
    try:
        session = open_session(weights, device)
    except ERRORS as error:
        raise WeightsError(f"{weights} is not an ONNX network that can be run: {error}", hint=_HINT) from error
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(outputs) != 1 or not _takes_pictures(inputs[0]):
        found = ", ".join(f"{tensor.name} {tensor.type} {tensor.shape}" for tensor in [*inputs, *outputs])
        raise WeightsError(f"{weights} is not a face recognition network; inputs and outputs: {found}", hint=_HINT)
    return session


def _graph(weights: Path) -> onnx.GraphProto:
    try:
        return onnx.load(str(weights), load_external_data=False).graph
    except (OSError, ValueError, DecodeError) as error:
        raise WeightsError(f"{weights} is not an ONNX network: {reason_of(error)}", hint=_HINT) from error


def _takes_pictures(tensor: onnxruntime.NodeArg) -> bool:
    """Whether it is float (N or 1, 3, S, S); a free dimension is a name or None."""
    if tensor.type != "tensor(float)" or len(tensor.shape) != 4:
        return False
    batch, channels, height, width = tensor.shape
    square = height == width or not (isinstance(height, int) and isinstance(width, int))
    return channels == 3 and square and (batch == 1 or not isinstance(batch, int))


def _picture_input(graph: onnx.GraphProto) -> str:
    """Old files also list their weights as inputs."""
    weights = {tensor.name for tensor in graph.initializer}
    return next(str(tensor.name) for tensor in graph.input if tensor.name not in weights)


def _is_normalised(graph: onnx.GraphProto, name: str) -> bool:
    """Whether the network begins with arithmetic on the tensor of that name."""
    readers = [node for node in graph.node if name in node.input]
    return any(
        node.op_type in _NORMALISES or (node.op_type in _CHANGES_NOTHING and _is_normalised(graph, node.output[0]))
        for node in readers
    )


def _black(side: int) -> NDArray[np.uint8]:
    return np.zeros((side, side, 3), dtype=np.uint8)
