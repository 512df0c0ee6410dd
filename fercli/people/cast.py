"""The cast of a series: one file that keeps who was seen across videos, so that `Person 3` stays `Person 3`.

An SQLite file, because it is safe with several runs at once and after a crash: a video is matched and enrolled in one
transaction. Enrolling a video again replaces what it left the last time and finds the same persons again.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.errors import InputError, OutputError, WorkspaceLocked
from fercli.tracking.conflicts import enemies_of
from fercli.tracking.identity import NOBODY, match

FORMAT = 1
"""Version of the layout. A reader refuses another one."""
APPLICATION_ID = 0x46455243
"""SQLite's mark of whose file it is: `FERC`."""
TRACKS_KEPT = 24
"""Of each person and video: the tracks that show them best. Enough for every look, and a file that stays small."""
PATIENCE_S = 60.0
"""How long a run waits for another one that is enrolling; that takes milliseconds."""

_NUMBERED = "name GLOB 'Person [0-9]*'"
"""Of persons who have no name of their own."""
_SCHEMA = """
CREATE TABLE cast (embedder TEXT NOT NULL, last_number INTEGER NOT NULL);
CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE track (
    person INTEGER NOT NULL REFERENCES person, video TEXT NOT NULL, embedding BLOB NOT NULL, confidence REAL NOT NULL
);
CREATE INDEX track_video ON track (video);
"""


@dataclass(frozen=True)
class Group:
    """One person of a video.

    Attributes:
        embeddings: (n, D) float32, one a track.
        confidence: (n,) how well each shows whose it is, in [0, 1].
        name: who it is, where that is known already.
    """

    embeddings: NDArray[np.float32]
    confidence: NDArray[np.float32]
    name: str | None = None


def enrol(
    path: Path,
    embedder: str,
    video: str,
    groups: Sequence[Group],
    conflicts: Iterable[tuple[int, int]],
    max_distance: float,
) -> list[str]:
    """Find the persons of a video in the cast, add the others as `Person N`, and keep what they look like.

    Args:
        path: the file; made if it is not there.
        embedder: what the embeddings were made with, name and weights; embeddings of two networks cannot be compared.
        video: sha256 of the video.
        groups: the persons of the video.
        conflicts: pairs of groups that are different people.
        max_distance: a group further than this from everybody is new; see `fercli.tracking.identity.match`.

    Returns:
        The name of each group. Groups that come with a name keep it, and give it to the person they are found to be.

    Raises:
        InputError: the file is no cast, of another version, or of another embedder.
        OutputError: it cannot be written.
        WorkspaceLocked: another process keeps it locked.
    """
    if not path.exists():
        _create(path, embedder)
    with _opened(path) as connection:
        _check_embedder(connection, path, embedder)
        persons = _recognised(connection, groups, list(conflicts), max_distance)
        connection.execute("DELETE FROM track WHERE video = ?", (video,))
        for person, group in zip(persons, groups, strict=True):
            best = np.argsort(-group.confidence, kind="stable")[:TRACKS_KEPT]
            connection.executemany(
                "INSERT INTO track VALUES (?, ?, ?, ?)",
                [(person, video, group.embeddings[k].tobytes(), float(group.confidence[k])) for k in best],
            )
        connection.execute("DELETE FROM person WHERE id NOT IN (SELECT person FROM track) AND " + _NUMBERED)
        names = dict(connection.execute("SELECT id, name FROM person"))
    return [names[person] for person in persons]


def check(path: Path, embedder: str) -> None:
    """Find out before a long run whether the file can be enrolled in; one that is not there can.

    Raises:
        InputError, OutputError, WorkspaceLocked: as `enrol`.
    """
    if path.exists():
        with _opened(path) as connection:
            _check_embedder(connection, path, embedder)
    elif not path.parent.is_dir():
        raise OutputError(f"no directory {path.parent} for the cast", hint=f"run: mkdir -p {path.parent}")


def rename(path: Path, old: str, new: str) -> bool:
    """Name a person for all videos to come; returns whether the cast has one of that name.

    If the new name is somebody's already, the two are one person from now on.

    Raises:
        InputError, OutputError, WorkspaceLocked: as `enrol`.
    """
    with _opened(path) as connection:
        ids = dict(connection.execute("SELECT name, id FROM person WHERE name IN (?, ?)", (old, new)))
        if old not in ids or old == new:
            return old in ids
        if new in ids:
            connection.execute("UPDATE track SET person = ? WHERE person = ?", (ids[new], ids[old]))
            connection.execute("DELETE FROM person WHERE id = ?", (ids[old],))
        else:
            connection.execute("UPDATE person SET name = ? WHERE id = ?", (new, ids[old]))
        return True


def _recognised(
    connection: sqlite3.Connection, groups: Sequence[Group], conflicts: list[tuple[int, int]], max_distance: float
) -> list[int]:
    """Person of every group: by the name it came with, by its looks, or a new one."""
    ids, known = _known(connection)
    found = match([group.embeddings for group in groups], known, conflicts, max_distance)
    looks_like = [None if row == NOBODY else ids[row] for row in found]
    enemies = enemies_of(conflicts)
    persons: dict[int, int] = {}
    for number in sorted(range(len(groups)), key=lambda number: groups[number].name is None):  # who has a name is first
        name, person = groups[number].name, looks_like[number]
        if name is not None:
            person = _named(connection, name, person)
        elif person is None or any(persons.get(enemy) == person for enemy in enemies[number]):
            person = _new(connection, None)
        persons[number] = person
    return [persons[number] for number in range(len(groups))]


def _named(connection: sqlite3.Connection, name: str, looks_like: int | None) -> int:
    """The person of that name; else whom the group looks like takes it, unless that one has a name of their own."""
    there = connection.execute("SELECT id FROM person WHERE name = ?", (name,)).fetchone()
    if there is not None:
        return int(there[0])
    renamed = connection.execute(
        f"UPDATE person SET name = ? WHERE id = ? AND {_NUMBERED}", (name, looks_like)
    ).rowcount
    return looks_like if renamed and looks_like is not None else _new(connection, name)


def _new(connection: sqlite3.Connection, name: str | None) -> int:
    """A person who is added; numbers are never used twice."""
    if name is None:
        connection.execute("UPDATE cast SET last_number = last_number + 1")
        name = f"Person {connection.execute('SELECT last_number FROM cast').fetchone()[0]}"
    added = connection.execute("INSERT INTO person (name) VALUES (?)", (name,)).lastrowid
    assert added is not None  # an INSERT that did not raise has one
    return added


def _known(connection: sqlite3.Connection) -> tuple[list[int], list[NDArray[np.float32]]]:
    looks: dict[int, list[NDArray[np.float32]]] = {}
    for person, embedding in connection.execute("SELECT person, embedding FROM track ORDER BY person, rowid"):
        looks.setdefault(person, []).append(np.frombuffer(embedding, dtype=np.float32))
    return list(looks), [np.stack(rows) for rows in looks.values()]


def _create(path: Path, embedder: str) -> None:
    """Make an empty cast beside its place and move it there whole, unless another run was faster."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    with _translated(path):
        try:
            with closing(sqlite3.connect(temporary, isolation_level=None)) as connection:
                connection.executescript(
                    f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT};{_SCHEMA}"
                )
                connection.execute("INSERT INTO cast VALUES (?, 0)", (embedder,))
            _publish(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def _publish(temporary: Path, path: Path) -> None:
    try:
        path.hardlink_to(temporary)  # fails if there is one, where a rename would replace it
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        temporary.replace(path)


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """One transaction, alone; what it did is undone if it does not reach its end."""
    with _translated(path), closing(sqlite3.connect(path, timeout=PATIENCE_S, isolation_level=None)) as connection:
        _check_format(connection, path)
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            if connection.in_transaction:  # a full disk has ended it already
                connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


def _check_format(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise InputError(f"{path} is not a cast file of fercli", hint="give a new name to begin a cast")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != FORMAT:
        raise InputError(f"{path} has cast format {version}, this fercli reads {FORMAT}", hint="pip install -U fercli")


def _check_embedder(connection: sqlite3.Connection, path: Path, embedder: str) -> None:
    used = connection.execute("SELECT embedder FROM cast").fetchone()[0]
    if used != embedder:
        raise InputError(
            f"{path} was made with the embedder {used}, not with {embedder}: their embeddings cannot be compared",
            hint="use the same --embedder, or begin another cast",
        )


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """The one place where a failure of SQLite becomes an error that names the file."""
    elsewhere = "choose a place you may write to, with --cast"
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise WorkspaceLocked(f"another process keeps {path} locked", hint="wait until it is done") from error
        raise OutputError(f"cannot write {path}: {error}", hint=elsewhere) from error
    except sqlite3.DatabaseError as error:
        raise InputError(
            f"{path} is not a cast file of fercli: {error}", hint="give a new name to begin a cast"
        ) from error
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}", hint=elsewhere) from error
