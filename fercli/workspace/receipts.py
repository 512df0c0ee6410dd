"""The receipt beside each output of a stage: what exactly made it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Receipt:
    """What made the files beside it. `key()` is what staleness compares; the rest is for people.

    `skipped` says why the stage does not apply to this video; its tables are then empty.
    """

    stage: str
    version: int
    params: dict[str, Any]
    inputs: dict[str, str]
    weights: dict[str, str]
    outputs: dict[str, str] = field(default_factory=dict)
    counts: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    seconds: float = 0.0
    skipped: str = ""
    runtime: dict[str, Any] = field(default_factory=dict)
    fercli: str = ""

    def key(self) -> dict[str, Any]:
        """The part that decides the outputs."""
        return {name: getattr(self, name) for name in ("stage", "version", "params", "inputs", "weights")}

    def key_file(self) -> bytes:
        """What `key.json` beside the pieces of a stage at work holds."""
        return json.dumps(self.key(), sort_keys=True).encode()
