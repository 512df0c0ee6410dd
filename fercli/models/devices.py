"""Devices on which networks run."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from fercli.config import DEVICES
from fercli.errors import ConfigError

DRIVER = "nvcuda.dll" if os.name == "nt" else "libcuda.so.1"
"""The library of NVIDIA's driver, which torch needs for CUDA."""
AMD_DEVICE = Path("/dev/kfd")
"""Where AMD's driver is, which builds of torch for ROCm present as CUDA."""


def pick_device(device: str) -> str:
    """Resolve `auto`: `cuda` if available, else `cpu`.

    Raises:
        ConfigError: not a device, or CUDA is requested and not available.
    """
    if device not in DEVICES:
        raise ConfigError(f"unknown device {device!r}", hint=f"known: {', '.join(DEVICES)}", code="name-unknown")
    if device == "cpu" or not has_cuda():
        if device == "cuda":
            raise ConfigError(
                "--device cuda, but torch finds no CUDA device", hint="use --device auto or cpu", code="device-missing"
            )
        return "cpu"
    return "cuda"


def has_cuda() -> bool:
    """Whether torch can use a GPU; torch is not imported where there is no driver for one."""
    if not _has_driver():
        return False
    import torch

    return bool(torch.cuda.is_available())


def _has_driver() -> bool:
    if AMD_DEVICE.exists():
        return True
    try:
        ctypes.CDLL(DRIVER)
    except OSError:
        return False
    return True
