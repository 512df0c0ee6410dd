"""Small networks with the inputs and outputs of detectors whose weights cannot be had here, as files of several kinds.

All of the SSD see one face in the middle, half as wide and high as the picture. Its score is 1 / (1 + exp(red - blue)),
of the mean colours of the picture, as the network gets them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

DIFFERENCE = np.array([1.0, 0.0, -1.0], np.float32)
"""Weights of blue, green and red."""
MEAN = np.array([104.0, 177.0, 123.0], np.float32)


def ssd_score(blue: float, red: float) -> float:
    """What the networks below give to a picture."""
    return float(1 / (1 + np.exp((red - MEAN[2]) - (blue - MEAN[0]))))


def write_ssd_onnx(path: Path, columns: int = 7) -> Path:
    """`DetectionOutput` has a face, a thing of another class, and empty rows."""
    rows = np.zeros((1, 1, 4, columns), np.float32)
    rows[0, 0, 0, 1], rows[0, 0, 1, 1:3] = 1, (2, 0.9)
    rows[0, 0, :2, 3:7] = (0.25, 0.25, 0.75, 0.75)[: columns - 3]
    mask = np.zeros_like(rows)
    mask[0, 0, 0, 2] = 1
    nodes = [
        helper.make_node("GlobalAveragePool", ["data"], ["means"]),
        helper.make_node("Conv", ["means", "difference"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["score"]),
        helper.make_node("Mul", ["score", "mask"], ["scores"]),
        helper.make_node("Add", ["scores", "rows"], ["detection_out"]),
    ]
    values = {"difference": DIFFERENCE.reshape(1, 3, 1, 1), "mask": mask, "rows": rows}
    return _save(path, nodes, {"data": (1, 3, 300, 300)}, {"detection_out": (1, 1, 4, columns)}, values)


def write_faster_rcnn(
    path: Path, sides: tuple[int | str, int | str] = ("height", "width"), boxes: str = "boxes"
) -> Path:
    """A face in the upper left quarter, whose score is the mean red of the picture, and a thing of another class."""
    nodes = [
        helper.make_node("Shape", ["image"], ["shape"]),
        helper.make_node("Cast", ["shape"], ["sides"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["sides", "quarter"], ["corner"]),
        helper.make_node("Reshape", ["corner", "two_boxes"], [boxes]),
        helper.make_node("Identity", ["classes"], ["labels"]),
        helper.make_node("ReduceMean", ["image"], ["means"], axes=[1, 2], keepdims=0),
        helper.make_node("Slice", ["means", "zero", "two"], ["scores"]),
    ]
    quarter = np.zeros((3, 8), np.float32)
    quarter[2, 2] = quarter[1, 3] = 0.5  # x2 is half the width, y2 half the height
    quarter[2, 6] = quarter[1, 7] = 1
    values = {
        "quarter": quarter,
        "two_boxes": np.array([2, 4]),
        "classes": np.array([1, 3]),
        "zero": np.array([0]),
        "two": np.array([2]),
    }
    outputs = {boxes: (2, 4), "labels": (2,), "scores": (2,)}
    return _save(path, nodes, {"image": (3, *sides)}, outputs, values)


def _save(
    path: Path,
    nodes: list[onnx.NodeProto],
    inputs: dict[str, tuple[int | str, ...]],
    outputs: dict[str, tuple[int, ...]],
    values: Mapping[str, NDArray[Any]],
) -> Path:
    kinds = {"labels": TensorProto.INT64}
    graph = helper.make_graph(
        nodes,
        "detector",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, kinds.get(name, TensorProto.FLOAT), of) for name, of in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), str(path))
    return path


def write_ssd_tensorflow(folder: Path) -> Path:
    """`opencv_face_detector_uint8.pb` with its text; returns the first."""
    weights = {
        "loc/kernel": np.zeros((1, 1, 3, 4), np.float32),
        "conf/kernel": np.stack([np.zeros(3, np.float32), DIFFERENCE], axis=1).reshape(1, 1, 3, 2),
        "reshape": np.array([0, -1, 2], np.int32),
    }
    (folder / "opencv_face_detector.pbtxt").write_text(_GRAPH)
    path = folder / "opencv_face_detector_uint8.pb"
    path.write_bytes(b"".join(_field(1, _constant(name, value)) for name, value in weights.items()))
    return path


def write_ssd_caffe(folder: Path) -> Path:
    """`res10_300x300_ssd_iter_140000.caffemodel` with `deploy.prototxt`; returns the first."""
    weights = {
        "loc": np.zeros((4, 3, 1, 1), np.float32),
        "conf": np.stack([np.zeros(3, np.float32), DIFFERENCE]).reshape(2, 3, 1, 1),
    }
    (folder / "deploy.prototxt").write_text(_LAYERS)
    path = folder / "res10_300x300_ssd_iter_140000.caffemodel"
    path.write_bytes(b"".join(_field(100, _layer(name, value)) for name, value in weights.items()))
    return path


def _constant(name: str, value: NDArray[Any]) -> bytes:
    """A `NodeDef` of TensorFlow; float32 or int32."""
    kind = _number(6, 3 if value.dtype == np.int32 else 1)
    shape = b"".join(_field(2, _number(1, side)) for side in value.shape)
    tensor = _number(1, 3 if value.dtype == np.int32 else 1) + _field(2, shape) + _field(4, value.tobytes())
    attributes = {b"dtype": kind, b"value": _field(8, tensor)}
    pairs = b"".join(_field(5, _field(1, key) + _field(2, content)) for key, content in attributes.items())
    return _field(1, name.encode()) + _field(2, b"Const") + pairs


def _layer(name: str, value: NDArray[Any]) -> bytes:
    """A `LayerParameter` of Caffe."""
    shape = _field(1, b"".join(_varint(side) for side in value.shape))
    blob = _field(7, shape) + _field(5, value.tobytes())
    return _field(1, name.encode()) + _field(2, b"Convolution") + _field(7, blob)


def _field(number: int, content: bytes) -> bytes:
    """A field of a protocol buffer with a length."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    low, rest = value & 127, value >> 7
    return bytes([low | 128]) + _varint(rest) if rest else bytes([low])


def _list(*values: int) -> str:
    return "list { " + " ".join(f"i: {value}" for value in values) + " }"


def _node(name: str, kind: str, *inputs: str, **attributes: str) -> str:
    """A `NodeDef` as text."""
    lines = [f'input: "{one}"' for one in inputs]
    lines += [f'attr {{ key: "{key}" value {{ {value} }} }}' for key, value in attributes.items()]
    return f'node {{ name: "{name}" op: "{kind}" {" ".join(lines)} }}\n'


def _floats(*values: float) -> str:
    numbers = " ".join(f"float_val: {value}" for value in values)
    return f"tensor {{ dtype: DT_FLOAT tensor_shape {{ dim {{ size: {len(values)} }} }} {numbers} }}"


_CHANNELS_LAST = {"data_format": 's: "NHWC"', "padding": 's: "VALID"', "strides": _list(1, 1, 1, 1)}
_GRAPH = "".join(
    [
        _node("data", "Placeholder", dtype="type: DT_FLOAT", data_format='s: "NHWC"'),
        _node("mean", "AvgPool", "data", ksize=_list(1, 300, 300, 1), **_CHANNELS_LAST),
        _node("loc", "Conv2D", "mean", "loc/kernel", **_CHANNELS_LAST),
        _node("loc/flat", "Flatten", "loc"),
        _node("conf", "Conv2D", "mean", "conf/kernel", **_CHANNELS_LAST),
        _node("conf/flat", "Flatten", "conf"),
        _node("conf/pairs", "Reshape", "conf/flat", "reshape"),
        _node("conf/softmax", "Softmax", "conf/pairs", axis="i: 2"),
        _node("conf/out", "Flatten", "conf/softmax"),
        _node(
            "prior",
            "PriorBox",
            "mean",
            "data",
            aspect_ratio=_floats(1),
            clip="b: false",
            flip="b: false",
            min_size="i: 150",
            offset="f: 0.5",
            step="f: 300",
            variance=_floats(0.1, 0.1, 0.2, 0.2),
        ),
        _node(
            "detection_out",
            "DetectionOutput",
            "loc/flat",
            "conf/out",
            "prior",
            background_label_id="i: 0",
            code_type='s: "CENTER_SIZE"',
            confidence_threshold="f: 0.01",
            keep_top_k="i: 200",
            nms_threshold="f: 0.45",
            num_classes="i: 2",
            share_location="b: true",
            top_k="i: 400",
        ),
    ]
)
_LAYERS = """
input: "data" input_shape { dim: 1 dim: 3 dim: 300 dim: 300 }
layer { name: "mean" type: "Pooling" bottom: "data" top: "mean" pooling_param { pool: AVE global_pooling: true } }
layer { name: "loc" type: "Convolution" bottom: "mean" top: "loc"
  convolution_param { num_output: 4 kernel_size: 1 bias_term: false } }
layer { name: "loc_flat" type: "Flatten" bottom: "loc" top: "loc_flat" flatten_param { axis: 1 } }
layer { name: "conf" type: "Convolution" bottom: "mean" top: "conf"
  convolution_param { num_output: 2 kernel_size: 1 bias_term: false } }
layer { name: "conf_flat" type: "Flatten" bottom: "conf" top: "conf_flat" flatten_param { axis: 1 } }
layer { name: "pairs" type: "Reshape" bottom: "conf_flat" top: "pairs"
  reshape_param { shape { dim: 0 dim: -1 dim: 2 } } }
layer { name: "softmax" type: "Softmax" bottom: "pairs" top: "softmax" softmax_param { axis: 2 } }
layer { name: "conf_out" type: "Flatten" bottom: "softmax" top: "conf_out" flatten_param { axis: 1 } }
layer { name: "prior" type: "PriorBox" bottom: "mean" bottom: "data" top: "prior"
  prior_box_param { min_size: 150 clip: false variance: 0.1 variance: 0.1 variance: 0.2 variance: 0.2
    step: 300 offset: 0.5 } }
layer { name: "detection_out" type: "DetectionOutput" bottom: "loc_flat" bottom: "conf_out" bottom: "prior"
  top: "detection_out" include { phase: TEST }
  detection_output_param { num_classes: 2 share_location: true background_label_id: 0
    nms_param { nms_threshold: 0.45 top_k: 400 } code_type: CENTER_SIZE keep_top_k: 200 confidence_threshold: 0.01 } }
"""
