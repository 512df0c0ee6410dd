"""Results of finished jobs, read once for all requests until the tables or the edits change."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from fercli.api import Result, open_workspace
from fercli.chain import STAGES
from fercli.workspace import FileState, Workspace

T = TypeVar("T")
_KEPT = 8
"""Values that are kept; the largest, the tracks of a long video, has some megabytes."""


@dataclass(frozen=True)
class Version:
    """The state of a workspace: `tables` changes when a stage has run, `edits` with every edit."""

    tables: str
    edits: str

    @property
    def whole(self) -> str:
        """One text for both."""
        return f"{self.tables}-{self.edits}"


def version_of(workspace: Path) -> Version:
    """The present state, from the states of its files; reads none of them."""
    receipts = [FileState.of(workspace / stage.name / "receipt.json") for stage in STAGES]
    return Version(_digest(receipts), _digest([FileState.of(workspace / "edits.jsonl")]))


class Reading:
    """Values made from workspaces, kept until what they were made from changes. Safe for threads: of several that want
    the same value, one makes it."""

    def __init__(self) -> None:
        self._values: OrderedDict[tuple[str, str, str], Any] = OrderedDict()
        self._lock = threading.Lock()
        self._making: dict[tuple[str, str, str], threading.Lock] = {}

    def result(self, workspace: Path) -> Result:
        """The result, with all edits.

        Raises:
            as `fercli.open`.
        """
        return self.kept(workspace, "result", version_of(workspace).whole, lambda: open_workspace(workspace))

    def tables_only(self, workspace: Path, name: str, make: Callable[[Workspace], T]) -> T:
        """A value that does not depend on edits."""
        version = version_of(workspace).tables
        return self.kept(workspace, name, version, lambda: make(Workspace.open(workspace)))

    def kept(self, workspace: Path, name: str, version: str, make: Callable[[], T]) -> T:
        """A value of a version of a workspace."""
        key = str(workspace), name, version
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]  # type: ignore[no-any-return]  # of the type that `make` gave
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                if key in self._values:
                    return self._values[key]  # type: ignore[no-any-return]
            try:
                value = make()
                with self._lock:
                    for old in [one for one in self._values if one[:2] == key[:2]]:
                        del self._values[old]
                    self._values[key] = value
                    while len(self._values) > _KEPT:
                        self._values.popitem(last=False)
            finally:
                with self._lock:
                    self._making.pop(key, None)
        return value

    def forget(self, workspace: Path) -> None:
        """Drop everything of a workspace, because it is erased."""
        with self._lock:
            for key in [one for one in self._values if one[0] == str(workspace)]:
                del self._values[key]


def _digest(parts: list[Any]) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
