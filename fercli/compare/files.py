"""The files of a comparison: JSON, CSV, one picture, and a page of disagreements."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fercli.errors import ConfigError
from fercli.escapes import safe_cell
from fercli.writing import write_atomically, writing


def prepare(directory: Path, kind: str, *, overwrite: bool) -> None:
    """Make the directory of a comparison, before the work.

    Raises:
        ConfigError: it has a comparison of this kind, and replacing is not allowed.
        OutputError: it cannot be made.
    """
    with writing(directory):
        directory.mkdir(parents=True, exist_ok=True)
    there = directory / f"{kind}.json"
    if there.exists() and not overwrite:
        raise ConfigError(f"{there} exists", hint="choose another -o, or add --overwrite", code="output-exists")


def write_figures(directory: Path, kind: str, rows: Sequence[dict[str, Any]], terms: dict[str, Any]) -> None:
    """Write `KIND.json`, all figures with what they were measured on, and `KIND.csv`, a row each.

    Raises:
        OutputError: one cannot be written.
    """
    content = json.dumps({**terms, kind: list(rows)}, indent=1, ensure_ascii=False, default=str)
    write_atomically(directory / f"{kind}.json", f"{content}\n".encode("utf-8", "backslashreplace"))
    text = io.StringIO()
    flat = [{key: value for key, value in row.items() if not isinstance(value, (dict, list))} for row in rows]
    columns = list(dict.fromkeys(key for row in flat for key in row))
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    for row in flat:
        table.writerow(["" if row.get(name) is None else _cell(row[name]) for name in columns])
    write_atomically(directory / f"{kind}.csv", text.getvalue().encode("utf-8", "backslashreplace"))


def _cell(value: Any) -> str:
    return safe_cell(value) if isinstance(value, str) else str(value)
