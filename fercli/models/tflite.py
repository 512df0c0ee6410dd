"""TensorFlow Lite networks, run by LiteRT on the CPU: .36 of the time that OpenCV takes for the face mesh."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from fercli.cores import usable_cores

ERRORS = (ValueError, RuntimeError)
"""Errors of LiteRT for a file that is not a network it can run."""


class TfLiteNetwork:
    """A network with one input of a fixed shape.

    Args:
        path: the file.

    Raises:
        one of ERRORS: it is not a network that can be run.
    """

    def __init__(self, path: Path) -> None:
        with _quiet():
            self._interpreter = Interpreter(model_path=str(path), num_threads=usable_cores())
            self._interpreter.allocate_tensors()
        (self._input,) = self._interpreter.get_input_details()
        self._outputs = {one["name"]: one["index"] for one in self._interpreter.get_output_details()}

    def run(self, values: NDArray[np.float32], *outputs: str) -> list[NDArray[np.float32]]:
        """The named outputs, or all in the order of the file, for one input.

        Args:
            values: as many numbers as the input has, in its order.
        """
        self._interpreter.set_tensor(self._input["index"], values.reshape(self._input["shape"]))
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(self._outputs[name]) for name in outputs or self._outputs]


@contextmanager
def _quiet() -> Iterator[None]:
    """Nothing on stderr: the first network that LiteRT opens is announced there, and no setting prevents it."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
