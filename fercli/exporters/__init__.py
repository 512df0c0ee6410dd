"""Exports by name: one small file a format, imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from fercli.errors import ConfigError
from fercli.exporters.document import Document


@dataclass(frozen=True)
class Exporter:
    """One format: its suffix, where its writer is, and what it holds."""

    suffix: str
    writer: str
    summary: str

    def write(self, document: Document, path: Path) -> None:
        """Write a document in this format."""
        module, function = self.writer.split(":")
        write: Callable[[Document, Path], None] = getattr(import_module(module), function)
        write(document, path)


EXPORTERS = {
    "json": Exporter(".json", "fercli.exporters.json_document:write", "video, persons, segments and provenance"),
    "records": Exporter(".json", "fercli.exporters.records:write", "the bare list of segments"),
    "csv": Exporter(".csv", "fercli.exporters.csv_segments:write", "one row a segment"),
}
"""Name -> exporter. The first one with a suffix is that suffix's default."""


def choose_format(path: Path, name: str = "") -> str:
    """The format asked for by name, or else by the suffix of the file.

    Raises:
        ConfigError: neither is known.
    """
    known = ", ".join(EXPORTERS)
    if name:
        if name not in EXPORTERS:
            raise ConfigError(f"unknown format {name!r}", hint=f"known: {known}")
        return name
    for candidate, exporter in EXPORTERS.items():
        if path.suffix.lower() == exporter.suffix:
            return candidate
    raise ConfigError(
        f"no format has the suffix {path.suffix!r} of {path}",
        hint=f"use {', '.join(sorted({e.suffix for e in EXPORTERS.values()}))}, or --format with one of: {known}",
    )
