"""Shipped networks as onnxruntime runs them on the CPU, so that `import torch` (3 s of processor time and 200 MB) is
spared where nothing is trained.

`graph_files/NAME.onnx` is the structure alone, written by `benchmarks/make_graphs.py`; the numbers come from the
weights file that torch would read, so they are stored once.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from fercli.errors import WeightsError
from fercli.models.onnx_session import ERRORS, open_session

DIRECTORY = Path(__file__).resolve().parent / "graph_files"


def open_graph(name: str, tensors: Mapping[str, NDArray[np.float32]]) -> onnxruntime.InferenceSession:
    """A session on the CPU.

    Args:
        name: file in DIRECTORY, without its suffix.
        tensors: name -> weights, exactly those of the graph.

    Raises:
        WeightsError: the weights are those of another network, or the graph itself is missing or altered.
    """
    path = DIRECTORY / f"{name}.onnx"
    try:
        return open_session(path, "cpu", tensors)
    except ERRORS as error:
        raise WeightsError(f"{path} does not run with these weights: {error}", hint="reinstall fercli") from error
