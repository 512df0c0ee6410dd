"""ONNX networks, opened with onnxruntime on the fastest hardware that its build supports."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from fercli.cores import usable_cores

ERRORS = (
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoSuchFile,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
    UnicodeDecodeError,
)
"""Errors of onnxruntime for a file that is not a network it can run."""


def open_session(
    weights: Path, device: str, tensors: Mapping[str, NDArray[np.float32]] | None = None
) -> onnxruntime.InferenceSession:
    """A session on `usable_cores`. Without a CUDA build of onnxruntime, on the CPU.

    Args:
        weights: the ONNX file.
        device: `cpu`, or anything else for CUDA where there is a build for it.
        tensors: name -> numbers of weights, exactly those that the file declares as stored elsewhere.

    Raises:
        one of ERRORS: it is not a network that can be run.
    """
    onnxruntime.disable_telemetry_events()  # for a program that imported onnxruntime before fercli
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = usable_cores()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # leave idle cores to the decoder
    options.log_severity_level = 3
    if tensors:
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(found)) for found in tensors.values()]
        options.add_external_initializers(list(tensors), values)
        options.enable_mem_pattern = False  # batches vary in size, and a block of memory for each size would be kept
    wanted = ("CUDAExecutionProvider", "CPUExecutionProvider") if device != "cpu" else ("CPUExecutionProvider",)
    providers = [name for name in wanted if name in onnxruntime.get_available_providers()]
    # onnxruntime would report another provider on stdout, which is for data; here the error is raised instead.
    return onnxruntime.InferenceSession(str(weights), options, providers=providers, enable_fallback=0)
