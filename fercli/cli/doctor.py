"""`fercli doctor`: is this installation whole? One line a check; a failed one says what to do."""

from __future__ import annotations

import platform
import shutil
import sys
from importlib import import_module
from pathlib import Path

import fercli
from fercli.cli.show import model_state
from fercli.models.registry import MODELS

PACKAGES = {
    "torch": "torch",
    "decord": "decord2",
    "av": "av",
    "cv2": "opencv-python-headless",
    "onnxruntime": "onnxruntime",
    "dlib": "dlib-bin",
    "scenedetect": "scenedetect-headless",
    "pyarrow": "pyarrow",
    "safetensors": "safetensors",
    "scipy": "scipy",
    "numpy": "numpy",
}
"""Module -> distribution to install if it is missing; others may provide it too."""

LOW_DISK_GIB = 2


def run() -> bool:
    """Print all checks on stdout; True if nothing that is needed by default is broken."""
    print(f"fercli {fercli.__version__}, Python {platform.python_version()}, {platform.platform()}, {sys.prefix}")
    healthy = all([_package(module, distribution) for module, distribution in PACKAGES.items()])
    defaults = {next(spec.name for spec in MODELS.values() if spec.task == task) for task in _tasks()}
    for name, spec in MODELS.items():
        state = model_state(name)
        _line("ok" if state == "ready" else "MISSING" if name in defaults else "-", f"{spec.task} {name}: {state}")
        healthy &= state == "ready" or name not in defaults
    _devices()
    _disk()
    print("all is well" if healthy else "something is missing: see the lines marked MISSING")
    return healthy


def _tasks() -> list[str]:
    return sorted({spec.task for spec in MODELS.values()})


def _package(module: str, distribution: str) -> bool:
    try:
        _line("ok", f"{module} {import_module(module).__version__}")
    except ImportError as error:
        _line("MISSING", f"{module}: {error}; run: pip install {distribution}")
        return False
    return True


def _devices() -> None:
    import torch

    if torch.cuda.is_available():
        _line("ok", f"GPU: {torch.cuda.get_device_name()}")
    else:
        _line("-", f"no GPU; {torch.get_num_threads()} CPU threads")


def _disk() -> None:
    free = shutil.disk_usage(Path.cwd()).free / 2**30
    _line("ok" if free > LOW_DISK_GIB else "-", f"{free:.0f} GiB free here")


def _line(mark: str, text: str) -> None:
    print(f"{mark:8}{text}")
