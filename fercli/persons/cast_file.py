"""The file of a cast: creating it, opening it for one transaction, and errors for a file that cannot be used."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from fercli.errors import InputError, OutputError, WorkspaceLocked
from fercli.files import require_regular_file
from fercli.persons.cast_check import check_content
from fercli.persons.names import is_numbered
from fercli.writing import new_file, remove_leftovers, restrict_to_owner

FORMAT = 2
"""Version of the layout. Other versions are refused. Version 1 did not store which names were given in which video."""
APPLICATION_ID = 0x46455243
"""SQLite's application id of the file: `FERC`."""
LOCK_TIMEOUT_S = 60.0
"""How long a run waits for another run that is enrolling; enrolling takes less than a second."""

_SCHEMA = """
CREATE TABLE cast (embedder TEXT NOT NULL, last_number INTEGER NOT NULL);
CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL, same_as INTEGER REFERENCES person);
CREATE UNIQUE INDEX person_name ON person (name) WHERE same_as IS NULL;
CREATE TABLE former (person INTEGER NOT NULL REFERENCES person, name TEXT NOT NULL, PRIMARY KEY (person, name));
CREATE TABLE given (
    video TEXT NOT NULL, name TEXT NOT NULL, person INTEGER NOT NULL REFERENCES person, PRIMARY KEY (video, name)
);
CREATE TABLE track (
    person INTEGER NOT NULL REFERENCES person, video TEXT NOT NULL, embedding BLOB NOT NULL, confidence REAL NOT NULL
);
CREATE INDEX track_video ON track (video);
"""


def create(path: Path, embedder: str) -> None:
    """Create an empty cast under a temporary name and move it into place, unless another run was faster.

    Only the owner can read it, and the journal that SQLite keeps beside it during a transaction.

    Raises:
        OutputError: it cannot be written.
    """
    with _translated(path), suppress(FileExistsError), new_file(path, private=True, replace=False) as temporary:
        # The file is still private and locked by the writer, so SQLite needs no locks and no journal.
        own = f"{temporary.as_uri()}?nolock=1"
        with closing(sqlite3.connect(own, isolation_level=None, uri=True)) as connection:
            connection.execute("PRAGMA journal_mode = OFF")
            connection.executescript(
                f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT};{_SCHEMA}"
            )
            connection.execute("INSERT INTO cast VALUES (?, 0)", (embedder,))


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """One exclusive transaction; an exception rolls it back. SQL has the function `is_numbered(name)`.

    Raises:
        InputError: the file is not a cast, has another version, or has invalid values.
        OutputError: it cannot be written.
        WorkspaceLocked: another process keeps it locked.
    """
    require_regular_file(path)
    remove_leftovers(path.resolve())
    restrict_to_owner(path)
    with _translated(path), closing(sqlite3.connect(path, timeout=LOCK_TIMEOUT_S, isolation_level=None)) as connection:
        _check_format(connection, path)
        check_content(connection, path)
        connection.create_function("is_numbered", 1, is_numbered, deterministic=True)
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            if connection.in_transaction:  # a full disk has already ended the transaction
                connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


@contextmanager
def read_only(path: Path) -> Iterator[sqlite3.Connection]:
    """Open read-only, also in a directory without write permission; errors as `opened`."""
    require_regular_file(path)
    uri = f"{path.resolve().as_uri()}?mode=ro"
    with (
        _translated(path, "read"),
        closing(sqlite3.connect(uri, timeout=LOCK_TIMEOUT_S, isolation_level=None, uri=True)) as connection,
    ):
        _check_format(connection, path)
        connection.execute("BEGIN")
        check_content(connection, path)
        yield connection


def _check_format(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise InputError(
            f"{path} is not a cast file of fercli", hint="give a new name to begin a cast", code="cast-unusable"
        )
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version < FORMAT:
        raise InputError(
            f"{path} has cast format {version}, of an older fercli; this one reads {FORMAT}",
            hint="give a new name with --cast, and run `fercli track` again on each video, the first one first",
            code="cast-format",
        )
    if version > FORMAT:
        raise InputError(
            f"{path} has cast format {version}, this fercli reads {FORMAT}",
            hint="pip install -U fercli",
            code="cast-format",
        )


def require_embedder(connection: sqlite3.Connection, path: Path, embedder: str) -> None:
    """Embeddings of two networks cannot be compared.

    Raises:
        InputError: the cast was made with another embedder.
    """
    used = connection.execute("SELECT embedder FROM cast").fetchone()[0]
    if used != embedder:
        raise InputError(
            f"{path} was made with the embedder {used}, not with {embedder}: their embeddings cannot be compared",
            hint="use the same --embedder, or begin another cast",
            code="cast-other-embedder",
        )


@contextmanager
def _translated(path: Path, what: str = "write") -> Iterator[None]:
    """The only place where an error of SQLite becomes an error that names the file."""
    elsewhere = "choose a writable place with --cast"
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise WorkspaceLocked(
                f"another process keeps {path} locked", hint="wait until it is done", code="cast-locked"
            ) from error
        if "UTF-8" in str(error):
            raise InputError(
                f"the cast {path} cannot be used: {error}", hint="restore the cast from a copy", code="cast-unusable"
            ) from error
        raise OutputError(f"cannot {what} {path}: {error}", hint=elsewhere) from error
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # SQLite's message contains the damaged bytes
        raise InputError(
            f"{path} is not a cast file of fercli: {error}",
            hint="give a new name to begin a cast",
            code="cast-unusable",
        ) from error
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}", hint=elsewhere) from error
