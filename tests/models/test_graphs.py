"""The graphs that onnxruntime runs on the CPU; the values of each are tested beside its network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.errors import WeightsError
from fercli.models import graphs
from fercli.models.dlib_file import read_tensors
from fercli.models.registry import find_model, find_weights
from tests.failing import fails


@pytest.fixture(scope="module")
def tensors() -> dict[str, NDArray[np.float32]]:
    return read_tensors(Path(str(find_weights(find_model("dlib-resnet", "embedder")))))


def test_each_graph_is_what_the_script_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnx")
    from benchmarks import make_graphs

    monkeypatch.setattr(make_graphs, "TARGET", tmp_path)
    make_graphs.main()
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert written == {path.name: path.read_bytes() for path in graphs.DIRECTORY.iterdir()}
    assert written


def test_weights_that_are_missing_too_many_or_of_another_shape_are_refused(
    tensors: dict[str, NDArray[np.float32]],
) -> None:
    small = np.zeros((2, 2), np.float32)
    without = {name: values for name, values in tensors.items() if name != "head.weight"}
    for wrong in (without, tensors | {"head.weight": small}, tensors | {"more": small}, {}):
        with fails(WeightsError, "weights-unusable", "given.dat", "dlib-resnet.onnx"):
            graphs.open_graph("dlib-resnet", wrong, Path("given.dat"))


def test_a_graph_that_is_missing_or_altered_is_refused(
    tensors: dict[str, NDArray[np.float32]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphs, "DIRECTORY", tmp_path)
    (tmp_path / "altered.onnx").write_bytes(b"no graph")
    for name in ("missing", "altered"):
        with fails(WeightsError, "weights-unusable", f"{name}.onnx"):
            graphs.open_graph(name, tensors, Path("given.dat"))
