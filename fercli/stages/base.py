"""The context of a running stage, and helpers shared by the checks of stages. The stages are declared in
`fercli.chain`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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

NO_PICTURE = "the file has sound and no picture"
"""Why a stage that looks at pictures does not apply."""
NO_FACE = "no face was found, or none could be tracked"
"""Why a stage that analyses faces does not apply."""


@dataclass
class StageContext:
    """The context of a running stage.

    Attributes:
        workspace: the workspace, with the tables of earlier stages.
        out: empty directory for the finished outputs; it becomes the stage's directory.
        chunks: finished chunks; after a kill, the next run with the same key continues from them.
        runtime: device and batch size.
        reporter: callback for progress and warnings.
        models: networks that are loaded already.
        warnings: warnings for the receipt; added by `warn`.
        training_data: name of a network -> training data, as its file states them, for the receipt.
        skipped: why the stage does not apply to this video, for the receipt; set by `skip`.
        piece: the chunks that this process does, for a stage that is split; None: all of them, and the final tables.
        share: has other processes do some of these chunks, and returns their warnings when they are done; None if
            there are no other processes.
    """

    workspace: Workspace
    out: Path
    chunks: Chunks
    runtime: Runtime
    reporter: Reporter
    models: Models = field(default_factory=Models)
    warnings: list[str] = field(default_factory=list)
    training_data: dict[str, str] = field(default_factory=dict)
    skipped: str = ""
    piece: range | None = None
    share: Callable[[list[int]], Iterable[str]] | None = None

    def chunks_left(self, total: int) -> list[int]:
        """Numbers of the chunks that this process has to do, of `total`; none is finished. Other processes do their
        share first, if there are any: ask for it before networks are loaded."""
        if self.share is not None:
            for warning in self.share(_left(range(total), self.chunks)):
                if warning not in self.warnings:
                    self.warn(warning)
        return _left(range(total) if self.piece is None else self.piece, self.chunks)

    def warn(self, message: str) -> None:
        """Report a warning now, and store it in the receipt."""
        self.warnings.append(message)
        self.reporter.warn(message)

    def skip(self, reason: str, schemas: Mapping[str, pa.Schema]) -> None:
        """Write empty tables, and state in the receipt why the stage does not apply to this video.

        Args:
            reason: a short sentence without a full stop.
            schemas: table -> schema of each table that the stage writes.
        """
        self.skipped = reason
        for name, schema in schemas.items():
            write_table(self.out / f"{name}.parquet", [], schema)


def _left(numbers: range, chunks: Chunks) -> list[int]:
    done = chunks.done
    return [number for number in numbers if number not in done]


def require_ranges(params: Any, *ranges: tuple[str, bool, str]) -> None:
    """Refuse a parameter that is out of range.

    Args:
        params: the parameters of a stage.
        ranges: name, whether its value is in range, and the range in words, for example `from 0 to 1`.

    Raises:
        ConfigError: a parameter is out of range; the message names the first one.
    """
    for name, in_range, words in ranges:
        if not in_range:
            raise ConfigError(
                f"{name} is {getattr(params, name)}", hint=f"use a value {words}", code="option-out-of-range"
            )
