"""Write `fercli/models/graph_files/*.onnx`: the shipped networks as onnxruntime runs them, without their weights.

    pip install onnx
    python benchmarks/make_graphs.py

Each graph names its weights and their shapes; the numbers come from the weights file when fercli opens the graph
(`fercli/models/graphs.py`). So they are stored once, and torch and onnxruntime read the same file. Run again after a
change here; the results are committed. `tests/models/test_graphs.py` compares them with the networks of torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from fercli.models import covered, dlib_file, lr_asd
from fercli.models.catalogue import CLASSIFIERS
from fercli.models.registry import packaged_weights
from fercli.models.weights import read_header

TARGET = Path(__file__).resolve().parent.parent / "fercli" / "models" / "graph_files"
OPSET, IR = 17, 8
"""Understood by onnxruntime 1.20, the oldest that fercli accepts."""
LR_ASD_WIDTHS = (32, 64, 128)
"""Channels behind each of its blocks."""
RUNNING = ("running_mean", "running_var")


class Graph:
    """A graph in the making. A value is the name of a tensor; each operation gives the name of its result."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._tensors: dict[str, onnx.TensorProto] = {}

    def weight(self, name: str, *shape: int) -> str:
        """A tensor of the weights file."""
        if name not in self._tensors:
            tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape)
            tensor.data_location = TensorProto.EXTERNAL
            tensor.external_data.add(key="location", value="weights")
            self._tensors[name] = tensor
        return name

    def constant(self, value: Any, dtype: type = np.float32) -> str:
        """A number or some, that no weights file holds."""
        array: NDArray[Any] = np.asarray(value, dtype)
        name = f"constant_{len(self._tensors)}"
        self._tensors[name] = numpy_helper.from_array(array, name)
        return name

    def __call__(self, operator: str, *inputs: str, result: str = "", **attributes: Any) -> str:
        """The result of an operator; it needs a name if it is an output of the graph."""
        result = result or f"value_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [result], **attributes))
        return result

    def convolution(
        self, x: str, name: str, shape: Sequence[int], stride: int = 1, padding: Sequence[int] | int = 0, bias: str = ""
    ) -> str:
        """A convolution with the filters `name` of that shape."""
        top, left = (padding, padding) if isinstance(padding, int) else padding
        biases = [self.weight(bias, shape[0])] if bias else []
        weight = self.weight(name, *shape)
        return self("Conv", x, weight, *biases, strides=[stride, stride], pads=[top, left, top, left])

    def normalised(self, x: str, name: str, channels: int) -> str:
        """Batch normalisation, which onnxruntime merges into the convolution before it."""
        of_weights = (self.weight(f"{name}.{part}", channels) for part in ("weight", "bias", *RUNNING))
        return self("BatchNormalization", x, *of_weights, epsilon=1e-5)

    def write(self, name: str, inputs: dict[str, tuple[int, list[Any]]], outputs: dict[str, list[Any]]) -> None:
        """Check and write it.

        Args:
            inputs: name -> type and shape; a string is a free dimension.
            outputs: name -> shape, float32.
        """
        made = helper.make_graph(
            self._nodes,
            name,
            [helper.make_tensor_value_info(key, kind, shape) for key, (kind, shape) in inputs.items()],
            [helper.make_tensor_value_info(key, TensorProto.FLOAT, shape) for key, shape in outputs.items()],
            list(self._tensors.values()),
        )
        model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
        TARGET.mkdir(exist_ok=True)
        path = TARGET / f"{name}.onnx"
        path.write_bytes(model.SerializeToString(deterministic=True))
        print(f"{path.name}: {path.stat().st_size} bytes")


def dlib_resnet() -> None:
    """`fercli.models.dlib_resnet.DlibResNet`, from the pixels of aligned faces on."""
    graph = Graph()
    shapes = dlib_file.filters()

    def convolved(x: str, name: str, stride: int, padding: int) -> str:
        return graph.convolution(x, f"{name}.weight", shapes[name], stride, padding, bias=f"{name}.bias")

    pixels = graph("Transpose", graph("Cast", "faces", to=TensorProto.FLOAT), perm=[0, 3, 1, 2])
    centred = graph("Sub", pixels, graph.constant(np.reshape(dlib_file.MEAN_RGB, (3, 1, 1))))
    x = graph("Relu", convolved(graph("Div", centred, graph.constant(dlib_file.SCALE)), "stem", 2, 0))
    x = graph("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2])
    side = ((dlib_file.CHIP_SIZE - 7) // 2 + 1 - 3) // 2 + 1
    for number, (before, after, halves) in enumerate(dlib_file.blocks()):
        y = graph("Relu", convolved(x, f"blocks.{number}.first", 2 if halves else 1, 0 if halves else 1))
        y = convolved(y, f"blocks.{number}.second", 1, 1)
        if halves:
            x = graph("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
            # The strided convolution does not pad: what one side lacks is zero.
            lacks = side // 2 - ((side - 3) // 2 + 1)
            y = graph("Pad", y, graph.constant([0, 0, 0, 0, 0, 0, lacks, lacks], np.int64)) if lacks else y
            side //= 2
        if after > before:
            x = graph("Pad", x, graph.constant([0, 0, 0, 0, 0, after - before, 0, 0], np.int64))
        x = graph("Relu", graph("Add", x, y))
    features = graph("Flatten", graph("GlobalAveragePool", x))
    head = graph.weight("head.weight", dlib_file.DIMENSIONS, dlib_file.LEVELS[-1][0])
    graph("Gemm", features, head, result="embeddings", transB=1)
    face = [dlib_file.CHIP_SIZE, dlib_file.CHIP_SIZE, 3]
    graph.write(
        "dlib-resnet",
        {"faces": (TensorProto.UINT8, ["faces", *face])},
        {"embeddings": ["faces", dlib_file.DIMENSIONS]},
    )


def covered_faces() -> None:
    """`fercli.models.covered_net`: its input, `CoveredNet` and the sigmoid."""
    graph = Graph()
    pixels = graph("Unsqueeze", graph("Cast", "faces", to=TensorProto.FLOAT), graph.constant([1], np.int64))
    centred = graph("Sub", pixels, graph("ReduceMean", pixels, axes=[2, 3]))
    squares = graph("ReduceSum", graph("Mul", centred, centred), graph.constant([2, 3], np.int64))
    spread = graph("Sqrt", graph("Div", squares, graph.constant(covered.INPUT_SIZE**2 - 1)))
    normal = graph("Div", centred, graph("Max", spread, graph.constant(8)))
    x = graph("Clip", normal, graph.constant(-3), graph.constant(3))
    names = [*(f"features.{number}" for number in range(len(covered.LAYERS))), "squeeze"]
    for name, (before, after, stride) in zip(names, [*covered.LAYERS, covered.SQUEEZE], strict=True):
        x = graph.convolution(x, f"{name}.0.weight", (after, before, 3, 3), stride, 1)
        x = graph("Relu", graph.normalised(x, f"{name}.1", after))
    inputs = covered.SQUEEZE[1] * (covered.INPUT_SIZE // 8) ** 2
    head = graph.weight("head.weight", len(covered.LIMITS), inputs), graph.weight("head.bias", len(covered.LIMITS))
    graph("Sigmoid", graph("Gemm", graph("Flatten", x), *head, transB=1), result="probabilities")
    graph.write(
        "covered-faces",
        {"faces": (TensorProto.UINT8, ["faces", covered.INPUT_SIZE, covered.INPUT_SIZE])},
        {"probabilities": ["faces", len(covered.LIMITS)]},
    )


def lr_asd_see() -> None:
    """`fercli.models.lr_asd_net.TorchSpeakerNetwork.see`."""
    graph = Graph()
    pixels = graph("Unsqueeze", graph("Cast", "pictures", to=TensorProto.FLOAT), graph.constant([1], np.int64))
    shares = graph("Div", pixels, graph.constant(255))
    x = graph("Div", graph("Sub", shares, graph.constant(lr_asd.MEAN)), graph.constant(lr_asd.STD))
    before, side = 1, lr_asd.SIDE

    def convolved(x: str, layer: str, before: int, after: int, size: int, *, over_time: bool, stride: int = 1) -> str:
        kernel = (size, 1) if over_time else (size, size)
        stored = graph.weight(f"{layer}.weight", after, before, *((size, 1, 1) if over_time else (1, size, size)))
        weight = graph("Reshape", stored, graph.constant([after, before, *kernel], np.int64))
        pads = [edge // 2 for edge in kernel] * 2
        bias = graph.weight(f"{layer}.bias", after)
        return graph("Relu", graph("Conv", x, weight, bias, strides=[stride, stride], pads=pads))

    for number, (block, after) in enumerate(zip(lr_asd.BLOCKS, LR_ASD_WIDTHS, strict=True)):
        name = f"visualEncoder.{block}"
        if number:
            x = graph("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
        half = after // 2
        x = convolved(x, f"{name}.s_1", before, half, 5, over_time=False, stride=1 if number else 2)
        x = convolved(x, f"{name}.s_2", half, after, 3, over_time=False)
        side = (side + 1) // 2
        # (N, C, H, W) -> (1, C, N, H W): the convolutions in time take each place for itself.
        places = graph("Reshape", x, graph.constant([-1, after, side * side], np.int64))
        x = graph("Unsqueeze", graph("Transpose", places, perm=[1, 0, 2]), graph.constant([0], np.int64))
        x = convolved(x, f"{name}.t_1", after, after, 5, over_time=True)
        x = convolved(x, f"{name}.t_2", after, after, 3, over_time=True)
        places = graph("Transpose", graph("Squeeze", x, graph.constant([0], np.int64)), perm=[1, 0, 2])
        x = graph("Reshape", places, graph.constant([-1, after, side, side], np.int64))
        before = after
    rows = graph("Flatten", graph("GlobalMaxPool", x))
    graph("Unsqueeze", rows, graph.constant([0], np.int64), result="seen")
    graph.write(
        "lr-asd-see",
        {"pictures": (TensorProto.UINT8, ["pictures", lr_asd.SIDE, lr_asd.SIDE])},
        {"seen": [1, "pictures", LR_ASD_WIDTHS[-1]]},
    )


def lr_asd_hear() -> None:
    """`fercli.models.lr_asd_net.TorchSpeakerNetwork.hear`."""
    graph = Graph()
    x = graph("Unsqueeze", graph("Transpose", "mfcc", perm=[1, 0]), graph.constant([0, 1], np.int64))
    before = 1
    for number, (block, after) in enumerate(zip(lr_asd.BLOCKS, LR_ASD_WIDTHS, strict=True)):
        if number:
            x = graph("MaxPool", x, kernel_shape=[1, 3], strides=[1, 2], pads=[0, 1, 0, 1])
        half = after // 2
        layers = {"m_1": (half, before, 5, 1), "m_2": (after, half, 3, 1)}
        layers |= {"t_1": (after, after, 1, 5), "t_2": (after, after, 1, 3)}
        for layer, shape in layers.items():
            name = f"audioEncoder.{block}.{layer}"
            padding = (shape[2] // 2, shape[3] // 2)
            x = graph("Relu", graph.convolution(x, f"{name}.weight", shape, 1, padding, bias=f"{name}.bias"))
        before = after
    graph("Transpose", graph("ReduceMean", x, axes=[2], keepdims=0), perm=[0, 2, 1], result="heard")
    graph.write(
        "lr-asd-hear",
        {"mfcc": (TensorProto.FLOAT, ["rows", lr_asd.COEFFICIENTS])},
        {"heard": [1, "pictures", LR_ASD_WIDTHS[-1]]},
    )


def lr_asd_talks() -> None:
    """`fercli.models.lr_asd_net.TorchSpeakerNetwork.talks`."""
    graph = Graph()
    width = LR_ASD_WIDTHS[-1]
    hidden = width // 2

    def gate(x: str, name: str, size: int) -> str:
        weight = graph("Squeeze", graph.weight(f"{name}.weight", size, size, 1), graph.constant([2], np.int64))
        product = graph("MatMul", x, graph("Transpose", weight, perm=[1, 0]))
        return graph("Mul", x, graph("Sigmoid", graph("Add", product, graph.weight(f"{name}.bias", size))))

    def of_gru(part: str, *shape: int) -> list[str]:
        """The weights of both directions. ONNX has the gates in the order update, reset, new; torch reset first."""
        order = graph.constant([*range(hidden, 2 * hidden), *range(hidden), *range(2 * hidden, 3 * hidden)], np.int64)
        names = [f"detector.gru_{side}.{part}_l0" for side in ("forward", "backward")]
        ordered = (graph("Gather", graph.weight(name, 3 * hidden, *shape), order, axis=0) for name in names)
        return [graph("Unsqueeze", one, graph.constant([0], np.int64)) for one in ordered]

    joined = gate(graph("Concat", "heard", "seen", axis=2), "fusion.attention", 2 * width)
    inputs = graph("Concat", *of_gru("weight_ih", 2 * width), axis=0)
    recurrent = graph("Concat", *of_gru("weight_hh", hidden), axis=0)
    biases = zip(of_gru("bias_ih"), of_gru("bias_hh"), strict=True)
    bias = graph("Concat", *(graph("Concat", *both, axis=1) for both in biases), axis=0)
    sequence = graph("Transpose", joined, perm=[1, 0, 2])
    both = graph(
        "GRU", sequence, inputs, recurrent, bias, hidden_size=hidden, direction="bidirectional", linear_before_reset=1
    )
    rows = graph("Reshape", both, graph.constant([-1, width], np.int64))
    rows = gate(rows, "detector.attention.attention", width)
    scores = graph("Gemm", rows, graph.weight("head.weight", 2, width), graph.weight("head.bias", 2), transB=1)
    graph("Gather", scores, graph.constant(1, np.int64), axis=1, result="scores")
    each = (TensorProto.FLOAT, [1, "pictures", width])
    graph.write("lr-asd-talks", {"seen": each, "heard": each}, {"scores": ["pictures"]})


def classifier(file: str) -> None:
    """`fercli.models.tsm.TsmResNet18` of a shipped file, from pixels to the logits of each frame."""
    header = read_header(packaged_weights() / file)
    graph = Graph()
    frames, size = header.n_frames, header.input_size

    def convolved(x: str, name: str, norm: str, shape: tuple[int, ...], stride: int) -> str:
        found = graph.convolution(x, f"{name}.weight", shape, stride, shape[-1] // 2)
        return graph.normalised(found, norm, shape[0])

    pixels = graph("Cast", "clips", to=TensorProto.FLOAT)
    normal = graph(
        "Div",
        graph("Sub", graph("Div", pixels, graph.constant(255)), graph.constant(header.mean)),
        graph.constant(header.std),
    )
    grey = graph("Reshape", normal, graph.constant([-1, 1, size, size], np.int64))
    # All three channels are the same grey, so their filters are summed.
    filters = graph("ReduceSum", graph.weight("conv1.weight", 64, 3, 7, 7), graph.constant([1], np.int64))
    stem = graph("Conv", grey, filters, strides=[2, 2], pads=[3, 3, 3, 3])
    x = graph("Relu", graph.normalised(stem, "bn1", 64))
    before, side = 64, size // 2
    for number, after in enumerate((64, 128, 256, 512)):
        for block in range(2):
            stride = 2 if number and not block else 1
            name = f"layer{number + 1}.{block}"
            y = shifted(graph, x, frames, before, side, header.fold_div) if frames > 1 else x
            side = (side + stride - 1) // stride
            y = graph("Relu", convolved(y, f"{name}.conv1", f"{name}.bn1", (after, before, 3, 3), stride))
            y = convolved(y, f"{name}.conv2", f"{name}.bn2", (after, after, 3, 3), 1)
            if before != after:
                x = convolved(x, f"{name}.downsample.0", f"{name}.downsample.1", (after, before, 1, 1), stride)
            x = graph("Relu", graph("Add", y, x))
            before = after
    features = graph("Flatten", graph("GlobalAveragePool", x))
    head = graph.weight("fc.weight", header.n_outputs, before), graph.weight("fc.bias", header.n_outputs)
    rows = graph("Gemm", features, *head, transB=1)
    graph("Reshape", rows, graph.constant([-1, frames, header.n_outputs], np.int64), result="logits")
    graph.write(
        Path(file).stem,
        {"clips": (TensorProto.UINT8, ["clips", frames, size, size])},
        {"logits": ["clips", frames, header.n_outputs]},
    )


def shifted(graph: Graph, x: str, frames: int, channels: int, side: int, fold_div: int) -> str:
    """`fercli.models.tsm.temporal_shift` of (clips * frames, channels, side, side)."""
    fold = channels // fold_div
    clips = graph("Reshape", x, graph.constant([-1, frames, channels, side * side], np.int64))

    def part(starts: list[int], ends: list[int]) -> str:
        bounds = (graph.constant(edge, np.int64) for edge in (starts, ends, [1, 2]))
        return graph("Slice", clips, *bounds)

    later = graph("Pad", part([1, 0], [frames, fold]), graph.constant([0, 0, 0, 0, 0, 1, 0, 0], np.int64))
    earlier = graph("Pad", part([0, fold], [frames - 1, 2 * fold]), graph.constant([0, 1, 0, 0, 0, 0, 0, 0], np.int64))
    mixed = graph("Concat", later, earlier, part([0, 2 * fold], [frames, channels]), axis=2)
    return graph("Reshape", mixed, graph.constant([-1, channels, side, side], np.int64))


def main() -> None:
    """Write all of them."""
    for spec in CLASSIFIERS:
        classifier(spec.weights)
    lr_asd_see()
    lr_asd_hear()
    lr_asd_talks()
    dlib_resnet()
    covered_faces()


if __name__ == "__main__":
    main()
