"""The only place that imports decord, and prevents it from loading other libraries.

When decord2 (3.4) is imported it opens `libcuda`, `libnvcuvid` and every library of the package `nvidia` that pip
brings with torch, `libnvblas` among them, with RTLD_GLOBAL: their symbols then override those of other libraries. The
first matrix product of torch then ends in a segmentation fault, or on a computer with a GPU uses other code. So while
decord is imported, its thread can only open decord's own library, and that one with RTLD_LOCAL, so that its FFmpeg
stays private too; the package `nvidia` cannot be found; and `PATH`, which decord extends, is set. Afterwards all of
this is restored. The order of imports does not matter.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from fercli.errors import MissingDependency

_ONE_AT_A_TIME = threading.Lock()
_MISSING = object()


def load_decord() -> ModuleType:
    """The module decord.

    Raises:
        MissingDependency: it is not installed.
        ImportError: its library cannot be loaded.
    """
    with _ONE_AT_A_TIME:
        if "decord" in sys.modules:
            return sys.modules["decord"]
        if find_spec("decord") is None:
            raise MissingDependency("the decoder decord is not installed", hint="pip install 'fercli[decord]'")
        with _only_its_own_library(), _without_package("nvidia"), _with_path():
            try:
                import decord
            except (OSError, RuntimeError) as error:  # wrong platform, or a missing system library
                raise ImportError(f"decord cannot be loaded: {error}") from error
        decord.logging.set_level(decord.logging.FATAL)
        return decord  # type: ignore[no-any-return]


@contextmanager
def _only_its_own_library() -> Iterator[None]:
    real, mine = ctypes.CDLL, threading.get_ident()

    class OnlyDecord(real):  # type: ignore[misc, valid-type]
        def __init__(self, name: Any, mode: int = ctypes.DEFAULT_MODE, *rest: Any, **more: Any) -> None:
            if threading.get_ident() == mine:
                if "decord" not in Path(str(name)).name:
                    raise OSError(f"{name} is not loaded while decord is imported")
                mode = ctypes.RTLD_LOCAL
            super().__init__(name, mode, *rest, **more)

    ctypes.CDLL = OnlyDecord  # type: ignore[misc]
    try:
        yield
    finally:
        ctypes.CDLL = real  # type: ignore[misc]


@contextmanager
def _without_package(name: str) -> Iterator[None]:
    """`importlib.util.find_spec(name)` finds nothing."""
    before = sys.modules.get(name, _MISSING)
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if before is _MISSING:
            del sys.modules[name]
        else:
            sys.modules[name] = before  # type: ignore[assignment]


@contextmanager
def _with_path() -> Iterator[None]:
    before = os.environ.get("PATH")
    os.environ.setdefault("PATH", os.defpath)
    try:
        yield
    finally:
        if before is None:
            del os.environ["PATH"]
        else:
            os.environ["PATH"] = before
