"""ONNX networks, opened with onnxruntime on the fastest hardware that its build supports."""

from __future__ import annotations

from pathlib import Path

import onnxruntime
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


def open_session(weights: Path, device: str) -> onnxruntime.InferenceSession:
    """A session on `usable_cores`. Without a CUDA build of onnxruntime, on the CPU.

    Raises:
        one of ERRORS: it is not a network that can be run.
    """
    onnxruntime.disable_telemetry_events()  # for a program that imported onnxruntime before fercli
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = usable_cores()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # leave idle cores to the decoder
    options.log_severity_level = 3
    wanted = ("CUDAExecutionProvider", "CPUExecutionProvider") if device != "cpu" else ("CPUExecutionProvider",)
    providers = [name for name in wanted if name in onnxruntime.get_available_providers()]
    # onnxruntime would report another provider on stdout, which is for data; here the error is raised instead.
    return onnxruntime.InferenceSession(str(weights), options, providers=providers, enable_fallback=0)
