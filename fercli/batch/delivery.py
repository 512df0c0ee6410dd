"""The outputs of a run at an address, as `s3://BUCKET/season/`: sent through fsspec when a video is done.

Workspaces, and a copy of the outputs, are in a local folder. A workspace notes what was sent, so that files are sent
once, and files that fercli did not send are not replaced.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from fercli.batch.outcome import DONE, Outcome, failure
from fercli.errors import ConfigError, FercliError, OutputError, reason_of
from fercli.media.remote import file_system, version_of
from fercli.writing import write_atomically

NOTE = "sent.json"
"""File of a workspace: address -> sha256 of what was sent there, and size and version that the address then had."""


class Delivery:
    """Sends the files of a folder to an address.

    Args:
        folder: the local folder.
        url: the address that stands for it.
        overwrite: whether files are replaced that were not sent from here.

    Raises:
        ConfigError: it is no address of a kind that is known.
        MissingDependency: the package for such addresses is not installed.
    """

    def __init__(self, folder: Path, url: str, *, overwrite: bool) -> None:
        self._folder, self._url, self._overwrite = folder, url.rstrip("/"), overwrite
        self._system, self._root = file_system(self._url, ConfigError, "output-unwritable")

    def refuse_existing(self, workspace: Path, outputs: Iterable[Path]) -> None:
        """Check, before the work, that the files may be sent.

        Raises:
            ConfigError: there is a file that was not sent from this workspace, or was changed since.
            OutputError: the address cannot be read.
        """
        sent = _sent(workspace)
        for output in outputs:
            url, path = self._place(output)
            with _named(url):
                if self._overwrite or self._is_as_sent(path, sent.get(url)) or not self._system.exists(path):
                    continue
                digest = hashlib.sha256(self._system.cat_file(path)).hexdigest()
            if digest not in sent.get(url, {}).get("sha256", ()):
                raise ConfigError(
                    f"{url} exists, and was not sent from {workspace} or has changed since",
                    hint="add --overwrite, or choose another -o",
                    code="output-exists",
                )

    def deliver(self, workspace: Path, outcome: Outcome) -> Outcome:
        """Send the outputs of a video that is done, unless they are there already; returns its outcome, with the
        addresses, or as failed."""
        if outcome.state != DONE:
            return outcome
        try:
            files = [Path(output) for output in outcome.outputs]
            self.refuse_existing(workspace, files)
            for file in files:
                self._send_noted(workspace, file)
        except FercliError as error:
            return replace(failure(outcome.video, error), seconds=outcome.seconds, warnings=outcome.warnings)
        return replace(outcome, outputs=tuple(self._place(file)[0] for file in files))

    def send(self, file: Path) -> None:
        """Send a file, and replace the one that is there.

        Raises:
            OutputError: it cannot be written; then there is still the old one, or none.
        """
        url, path = self._place(file)
        content = file.read_bytes()
        with _named(url):
            self._system.makedirs(self._system._parent(path), exist_ok=True)
            with self._system.transaction:  # a file is there when it is complete
                self._system.pipe_file(path, content)

    def _send_noted(self, workspace: Path, file: Path) -> None:
        url, path = self._place(file)
        sent, digest = _sent(workspace), hashlib.sha256(file.read_bytes()).hexdigest()
        known = sent.get(url, {})
        with _named(url):
            if known.get("sha256", [])[-1:] == [digest] and self._is_as_sent(path, known):
                return
        # Noted before it is sent, so that after a kill the next run may replace either version.
        sent[url] = {"sha256": [*known.get("sha256", [])[-1:], digest]}
        _note(workspace, sent)
        self.send(file)
        with _named(url):
            sent[url] = {"sha256": [digest], **self._state(path)}
        _note(workspace, sent)

    def _is_as_sent(self, path: str, known: Any) -> bool:
        if not known or "size" not in known or not self._system.exists(path):
            return False
        return self._state(path) == {name: known.get(name) for name in ("size", "version")}

    def _state(self, path: str) -> dict[str, Any]:
        self._system.invalidate_cache()  # kept listings would hide what others change
        facts = self._system.info(path)
        return {"size": facts.get("size"), "version": version_of(facts)}

    def _place(self, file: Path) -> tuple[str, str]:
        inside = file.relative_to(self._folder).as_posix()
        return f"{self._url}/{inside}", f"{self._root.rstrip('/')}/{inside}"


@contextmanager
def _named(url: str) -> Iterator[None]:
    """Errors of file systems, whose packages have their own classes for them, become an OutputError."""
    try:
        yield
    except FercliError:
        raise
    except Exception as error:
        reason = reason_of(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
        if isinstance(error, NotImplementedError):
            reason = "nothing can be written to such an address"
        raise OutputError(
            f"cannot write {url}: {reason}", hint="check the address, and your rights; then run it again"
        ) from error


def _sent(workspace: Path) -> dict[str, Any]:
    try:
        found = json.loads((workspace / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _note(workspace: Path, sent: dict[str, Any]) -> None:
    write_atomically(workspace / NOTE, (json.dumps(sent, indent=1) + "\n").encode())
