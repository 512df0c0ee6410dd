"""What a stage is: a small frozen record. The loop that runs stages is `fercli.pipeline`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fercli.chunks import Chunks
from fercli.config import Runtime
from fercli.errors import ConfigError
from fercli.progress import Reporter
from fercli.workspace import Workspace


@dataclass
class StageContext:
    """What a running stage works with.

    Attributes:
        workspace: to read the tables of earlier stages from.
        out: empty directory for the finished outputs; it becomes the stage's directory.
        chunks: finished pieces, kept if the process is killed and found again by the next run with the same key.
        runtime: device and batch size.
        reporter: who is told about progress and warnings.
        warnings: what goes into the receipt; add through `warn`.
    """

    workspace: Workspace
    out: Path
    chunks: Chunks
    runtime: Runtime
    reporter: Reporter
    warnings: list[str] = field(default_factory=list)

    def warn(self, message: str) -> None:
        """Tell the person now, and whoever reads the receipt later."""
        self.warnings.append(message)
        self.reporter.warn(message)


@dataclass(frozen=True)
class Stage:
    """One step of the chain.

    Attributes:
        name: the command that runs it.
        directory: where its outputs lie in the workspace.
        version: raised by hand whenever the code changes the result.
        params: the dataclass of its parameters.
        needs: tables it reads; `video` stands for the video file itself, `corrections` for people.toml.
        outside: what it reads outside the workspace under given parameters, name -> digest.
        weights: the networks used under given parameters, name -> sha256 of the weights.
        check: raises what can be known to be wrong with parameters before any work.
        run: does the work and returns counts for the receipt.
    """

    name: str
    directory: str
    version: int
    params: type
    needs: tuple[str, ...]
    run: Callable[[StageContext, Any], dict[str, Any]]
    outside: Callable[[Any], dict[str, str]] = lambda params: {}
    weights: Callable[[Any], dict[str, str]] = lambda params: {}
    check: Callable[[Any], None] = lambda params: None


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
            raise ConfigError(f"{name} is {getattr(params, name)}", hint=f"use a value {words}")
