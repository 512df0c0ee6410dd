"""Devices on which networks run."""

from __future__ import annotations

import torch

from fercli.config import DEVICES
from fercli.errors import ConfigError


def pick_device(device: str) -> str:
    """Resolve `auto`: `cuda` if available, else `cpu`.

    Raises:
        ConfigError: not a device, or CUDA is requested and not available.
    """
    if device not in DEVICES:
        raise ConfigError(f"unknown device {device!r}", hint=f"known: {', '.join(DEVICES)}", code="name-unknown")
    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            "--device cuda, but torch finds no CUDA device", hint="use --device auto or cpu", code="device-missing"
        )
    return "cuda" if device == "cuda" or (device == "auto" and torch.cuda.is_available()) else "cpu"
