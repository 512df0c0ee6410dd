"""Checks of the content of a cast file, which may be damaged or made by another program."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np

from fercli.errors import InputError

_COLUMNS = {
    "cast": ("embedder", "last_number"),
    "person": ("id", "name", "same_as"),
    "former": ("person", "name"),
    "given": ("video", "name", "person"),
    "track": ("person", "video", "embedding", "confidence"),
}
_MOST_PERSONS = 2**53
_HINT = "restore the cast from a copy, or give a new name to create another cast"

_BROKEN = {
    "the embedder it was made with is not given exactly once": "SELECT count(*) <> 1 FROM cast",
    "its embedder or its last number has the wrong type": (
        "SELECT typeof(embedder) <> 'text' OR typeof(last_number) <> 'integer'"
        f" OR last_number NOT BETWEEN 0 AND {_MOST_PERSONS} FROM cast"
    ),
    "the name of a person is not text": "SELECT typeof(name) <> 'text' OR name = '' FROM person",
    "a person is merged into one that is missing": (
        "SELECT same_as IS NOT NULL AND same_as NOT IN (SELECT id FROM person) FROM person"
    ),
    "a name belongs to a person that is missing": (
        "SELECT person NOT IN (SELECT id FROM person) FROM former"
        " UNION SELECT person NOT IN (SELECT id FROM person) FROM given"
    ),
    "a former name is not text": (
        "SELECT typeof(name) <> 'text' FROM former"
        " UNION SELECT typeof(name) <> 'text' OR typeof(video) <> 'text' FROM given"
    ),
    "two persons have the same name": "SELECT count(*) > count(DISTINCT name) FROM person WHERE same_as IS NULL",
    "a track belongs to a person that is missing": "SELECT person NOT IN (SELECT id FROM person) FROM track",
    "a track has no video": "SELECT typeof(video) <> 'text' FROM track",
    "an embedding is not a sequence of float32": (
        "SELECT typeof(embedding) <> 'blob' OR length(embedding) = 0 OR length(embedding) % 4 <> 0 FROM track"
    ),
    "its embeddings differ in length": "SELECT count(DISTINCT length(embedding)) > 1 FROM track",
    "a confidence is not in [0, 1]": (
        "SELECT typeof(confidence) NOT IN ('real', 'integer') OR confidence NOT BETWEEN 0 AND 1.0001 FROM track"
    ),
}
"""Problem -> a query that has a row 1 if the problem is present."""


def check_content(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a cast with invalid rows before anything in it is changed.

    Raises:
        InputError: it has other tables, triggers or views, or invalid values; the message names the file.
    """
    reason = _other_schema(connection) or next(
        (reason for reason, query in _BROKEN.items() if (1,) in set(connection.execute(query))), ""
    )
    if reason:
        raise InputError(f"the cast {path} cannot be used: {reason}", hint=_HINT, code="cast-unusable")


def embedding(content: bytes, path: Path) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """(D,) one embedding of a cast.

    Raises:
        InputError: it has numbers that are not finite.
    """
    values = np.frombuffer(content, dtype=np.float32)
    if not np.isfinite(values).all():
        raise InputError(
            f"the cast {path} cannot be used: an embedding has numbers that are not finite",
            hint=_HINT,
            code="cast-unusable",
        )
    return values


def check_length(known: int, made: int, path: Path) -> None:
    """Embeddings of a cast and of a video can only be compared if they have the same length.

    Raises:
        InputError: the lengths differ.
    """
    if known != made:
        raise InputError(
            f"the cast {path} cannot be used: its embeddings have {known} numbers, those of the embedder {made}",
            hint=_HINT,
            code="cast-other-embedder",
        )


def _other_schema(connection: sqlite3.Connection) -> str:
    """Unexpected triggers and views would run inside our transaction."""
    found = [(kind, name) for kind, name in connection.execute("SELECT type, name FROM sqlite_master")]
    strange = sorted(str(name) for kind, name in found if kind not in ("table", "index"))
    if strange:
        return f"it has a trigger or a view, {strange[0]}"
    for table, columns in _COLUMNS.items():
        own = tuple(row[1] for row in connection.execute(f"PRAGMA table_info({table})"))
        if own != columns:
            return f"its table {table} has the columns {', '.join(map(str, own)) or '(none)'}"
    return ""
