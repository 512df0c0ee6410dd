"""The receipt beside the outputs of a stage: a record of everything that made them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Receipt:
    """Record of what made the files beside it. Staleness compares `key()`; the rest is for users.

    `skipped` is the reason why the stage does not apply to this video; its tables are then empty.
    """

    stage: str
    version: int
    params: dict[str, Any]
    inputs: dict[str, str]
    weights: dict[str, str]
    outputs: dict[str, str] = field(default_factory=dict)
    counts: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    training_data: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    skipped: str = ""
    runtime: dict[str, Any] = field(default_factory=dict)
    fercli: str = ""

    def key(self) -> dict[str, Any]:
        """The part that determines the outputs."""
        return {name: getattr(self, name) for name in ("stage", "version", "params", "inputs", "weights")}

    def key_file(self) -> bytes:
        """Content of `key.json` beside the pieces of a running stage."""
        return json.dumps(self.key(), sort_keys=True).encode()
