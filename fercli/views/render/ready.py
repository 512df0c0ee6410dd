"""What has to be so before anything is drawn."""

from __future__ import annotations

from pathlib import Path

from fercli.errors import ConfigError


def refuse_existing(out: Path, *, overwrite: bool) -> None:
    """Keep a file that is there.

    Raises:
        ConfigError: it is, and was not to be replaced.
    """
    if out.exists() and not overwrite:
        raise ConfigError(f"{out} exists", hint="choose another name with -o, or add --overwrite")
