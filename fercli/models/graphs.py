"""Shipped networks as onnxruntime runs them on the CPU, so that `import torch` (3 s of processor time and 200 MB) is
spared where nothing is trained.

`graph_files/NAME.onnx` is the structure alone, written by `benchmarks/make_graphs.py`; the numbers come from the
weights file that torch would read, so they are stored once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fercli.errors import WeightsError
from fercli.models.onnx_session import ERRORS, open_session

DIRECTORY = Path(__file__).resolve().parent / "graph_files"


Run: TypeAlias = Callable[..., NDArray[np.float32]]
"""Takes the inputs of a graph in their order, gives its only output."""


def open_graph(name: str, tensors: Mapping[str, NDArray[np.float32]], weights: Path) -> Run:
    """A network on the CPU.

    Args:
        name: file in DIRECTORY, without its suffix.
        tensors: name -> numbers, exactly those that the graph lacks.
        weights: the file that they are from, for the error.

    Raises:
        WeightsError: they are those of another network, or the graph itself is missing or altered.
    """
    path = DIRECTORY / f"{name}.onnx"
    try:
        session = open_session(path, "cpu", tensors)
    except ERRORS as error:
        raise WeightsError(f"{weights} does not fit the network {path}: {error}", hint="reinstall fercli") from error
    names = [found.name for found in session.get_inputs()]

    def run(*inputs: NDArray[Any]) -> NDArray[np.float32]:
        (found,) = session.run(None, dict(zip(names, map(np.ascontiguousarray, inputs), strict=True)))
        return np.asarray(found, np.float32)

    return run
