"""What a running stage works with, and what the checks of stages share. The stages are declared in `fercli.chain`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from fercli.config import Runtime
from fercli.errors import ConfigError
from fercli.models.loaded import Models
from fercli.progress import Reporter
from fercli.tables import write_table
from fercli.workspace import Workspace
from fercli.workspace.chunks import Chunks

NO_FACE = "no face was found, or none could be followed"
"""Why what looks at faces does not apply."""


@dataclass
class StageContext:
    """What a running stage works with.

    Attributes:
        workspace: to read the tables of earlier stages from.
        out: empty directory for the finished outputs; it becomes the stage's directory.
        chunks: finished pieces, kept if the process is killed and found again by the next run with the same key.
        runtime: device and batch size.
        reporter: gets progress and warnings.
        models: networks that are loaded already.
        warnings: what goes into the receipt; add through `warn`.
        skipped: why the stage does not apply to this video, for the receipt; set through `skip`.
    """

    workspace: Workspace
    out: Path
    chunks: Chunks
    runtime: Runtime
    reporter: Reporter
    models: Models = field(default_factory=Models)
    warnings: list[str] = field(default_factory=list)
    skipped: str = ""

    def warn(self, message: str) -> None:
        """Report a warning now, and keep it in the receipt."""
        self.warnings.append(message)
        self.reporter.warn(message)

    def skip(self, reason: str, schemas: Mapping[str, pa.Schema]) -> None:
        """Leave empty tables, and say in the receipt why the stage does not apply to this video.

        Args:
            reason: a short sentence without a full stop.
            schemas: table -> schema, of all tables that the stage writes.
        """
        self.skipped = reason
        for name, schema in schemas.items():
            write_table(self.out / f"{name}.parquet", [], schema)


def require_ranges(params: Any, *ranges: tuple[str, bool, str]) -> None:
    """Refuse a parameter that is out of range.

    Args:
        params: the parameters of a stage.
        ranges: name, whether its value is in range, and the range in words, as `from 0 to 1`.

    Raises:
        ConfigError: names the first that is not.
    """
    for name, in_range, words in ranges:
        if not in_range:
            raise ConfigError(
                f"{name} is {getattr(params, name)}", hint=f"use a value {words}", code="option-out-of-range"
            )
