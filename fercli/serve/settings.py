"""What a service is started with: its folder, its limits, and who may use it."""

from __future__ import annotations

import ipaddress
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from fercli.config import DEVICES
from fercli.errors import ConfigError, InputError
from fercli.files import require_regular_file
from fercli.writing import create_atomically

DATA = ".fercli"
"""Folder below the root with the table of jobs, the uploaded videos and the workspaces."""
SHORTEST_TOKEN = 16
_LOCAL_NAMES = ("localhost",)


@dataclass(frozen=True)
class Limits:
    """What one service accepts.

    Attributes:
        upload_bytes: largest uploaded video.
        hours: longest video.
        pixels: largest frame, width x height.
        jobs: number of jobs in the table, finished ones included.
        watchers: number of open event streams.
    """

    upload_bytes: int = 20_000_000_000
    hours: float = 12.0
    pixels: int = 8192 * 4320
    jobs: int = 1000
    watchers: int = 256


@dataclass(frozen=True)
class Settings:
    """One service.

    Attributes:
        root: folder of the videos; no path leaves it.
        host: address or name to listen at. port: 0 for a free one.
        token: what every request must have; empty only for a loopback host.
        jobs: videos at once; 0 for as many as fit the machine.
        scheduler: address of a running Dask scheduler, used instead of this machine; empty for none.
        device: `auto`, `cpu` or `cuda`.
        retention_days: jobs are erased that many days after their end; None: never.
        limits: what is accepted.
    """

    root: Path
    host: str = "127.0.0.1"
    port: int = 8000
    token: str = field(default="", repr=False)
    jobs: int = 0
    scheduler: str = ""
    device: str = "auto"
    retention_days: float | None = None
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        """Raises ConfigError for settings that cannot be used, or are not safe."""
        if not self.root.is_dir():
            raise ConfigError(
                f"the root {self.root} is no folder",
                hint="give --root the folder of your videos",
                code="root-unusable",
            )
        if not os.access(self.root, os.W_OK):
            raise ConfigError(
                f"the root {self.root} cannot be written",
                hint=f"the service keeps its data in {DATA} there: give a folder of your own",
                code="root-unusable",
            )
        if not self.token and not is_loopback(self.host):
            raise ConfigError(
                f"--host {self.host} can be reached from other machines, and needs a token",
                hint="add --token-file FILE; the file is made if it does not exist",
                code="token-missing",
            )
        if self.token and len(self.token) < SHORTEST_TOKEN:
            raise ConfigError(
                f"the token has fewer than {SHORTEST_TOKEN} characters",
                hint="remove the token file: the next start makes one with a good token",
                code="token-unusable",
            )
        if self.device not in DEVICES:
            raise ConfigError(
                f"unknown device {self.device!r}", hint=f"known: {', '.join(DEVICES)}", code="name-unknown"
            )

    @property
    def data(self) -> Path:
        """Folder of the service's own data."""
        return self.root / DATA

    @property
    def only_local_names(self) -> bool:
        """Whether requests must name this machine as loopback: a page of another origin could otherwise reach a
        service without a token through a name that it makes point here (DNS rebinding)."""
        return not self.token


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a host."""
    if host in _LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def read_token(path: Path) -> str:
    """The token in a file, which is made, for its owner only, if it does not exist.

    Raises:
        InputError: it cannot be read, or others can read it.
        OutputError: it cannot be made.
    """
    create_atomically(path, (secrets.token_urlsafe(32) + "\n").encode(), private=True)
    require_regular_file(path, InputError, "give a text file with the token")
    if path.stat().st_mode & 0o077:
        raise InputError(
            f"other users can read the token in {path}", hint=f"run: chmod 600 {path}", code="token-unusable"
        )
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise InputError(
            f"cannot read {path}: {error}", hint="check its permissions", code="file-unreadable"
        ) from error
    if not token.isascii() or not token.isprintable() or " " in token:
        raise InputError(
            f"the token in {path} is not one word of ASCII letters",
            hint="remove the file: the next start makes one with a good token",
            code="token-unusable",
        )
    return token
