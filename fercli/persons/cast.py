"""The cast of a series: one file that keeps who was seen across videos, so that `Person 3` stays `Person 3`.

An SQLite file, because it is safe with several runs at once and after a crash: a video is matched and enrolled in one
transaction. Enrolling a video again replaces what it left the last time and finds the same persons again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.persons.cast_check import check_length, embedding
from fercli.persons.cast_file import create, opened, require_embedder
from fercli.tracking.clustering import cluster
from fercli.tracking.conflicts import enemies_of
from fercli.tracking.identity import NOBODY, rms_distances, scatter, settle
from fercli.writing import require_parent

TRACKS_KEPT = 24
"""Of each person and video: the tracks that show them best. Enough for every look, and a file that stays small."""


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
        InputError: the file is no cast, of another version, of another embedder, or has values that cannot be.
        OutputError: it cannot be written.
        WorkspaceLocked: another process keeps it locked.
    """
    if not path.exists():
        create(path, embedder)
    with opened(path) as connection:
        require_embedder(connection, path, embedder)
        persons = _recognised(connection, path, groups, list(conflicts), max_distance)
        connection.execute("DELETE FROM track WHERE video = ?", (video,))
        for person, group in zip(persons, groups, strict=True):
            best = np.argsort(-group.confidence, kind="stable")[:TRACKS_KEPT]
            connection.executemany(
                "INSERT INTO track VALUES (?, ?, ?, ?)",
                [(person, video, group.embeddings[k].tobytes(), float(group.confidence[k])) for k in best],
            )
        connection.execute("DELETE FROM person WHERE id NOT IN (SELECT person FROM track) AND is_numbered(name)")
        names = dict(connection.execute("SELECT id, name FROM person"))
    return [names[person] for person in persons]


def check(path: Path, embedder: str) -> None:
    """Find out before a long run whether the file can be enrolled in; one that is not there can.

    Raises:
        InputError, OutputError, WorkspaceLocked: as `enrol`.
    """
    if path.exists():
        with opened(path) as connection:
            require_embedder(connection, path, embedder)
    else:
        require_parent(path, "the cast")


class Names:
    """The names in a cast while they are changed, see `renaming`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __contains__(self, name: str) -> bool:
        return self._id(name) is not None

    def rename(self, old: str, new: str) -> None:
        """Name a person for all videos to come; if the new name is somebody's already, the two are one from now on."""
        person, other = self._id(old), self._id(new)
        if person is None or person == other:
            return
        if other is None:
            self._connection.execute("UPDATE person SET name = ? WHERE id = ?", (new, person))
        else:
            self._connection.execute("UPDATE track SET person = ? WHERE person = ?", (other, person))
            self._connection.execute("DELETE FROM person WHERE id = ?", (person,))

    def _id(self, name: str) -> int | None:
        row = self._connection.execute("SELECT id FROM person WHERE name = ?", (name,)).fetchone()
        return None if row is None else int(row[0])


@contextmanager
def renaming(path: Path) -> Iterator[Names]:
    """The names in a cast, to be changed; all stays as it was if the block does not end well.

    Raises:
        InputError, OutputError, WorkspaceLocked: as `enrol`.
    """
    with opened(path) as connection:
        yield Names(connection)


def _recognised(
    connection: sqlite3.Connection,
    path: Path,
    groups: Sequence[Group],
    conflicts: list[tuple[int, int]],
    max_distance: float,
) -> list[int]:
    """Person of every group: by the name it came with, by its looks, or a new one."""
    ids, known = _known(connection, path)
    if known and groups:
        check_length(known[0].shape[1], groups[0].embeddings.shape[1], path)
    found = settle(_distances(groups, known, max_distance), conflicts, max_distance)
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


def _distances(
    groups: Sequence[Group], known: Sequence[NDArray[np.float32]], max_distance: float
) -> NDArray[np.float64]:
    """(G, P) root mean square distance of each group from the nearest look of each known person."""
    looks = [_looks(tracks, max_distance) for tracks in known]
    first = np.cumsum([0, *map(len, looks)])[:-1]
    distances = rms_distances([group.embeddings for group in groups], [look for own in looks for look in own])
    nearest: NDArray[np.float64] = np.minimum.reduceat(distances, first, axis=1) if looks else distances
    return nearest


def _looks(tracks: NDArray[np.float32], max_distance: float) -> list[NDArray[np.float32]]:
    """A person's tracks, apart where they are too different for one face: who was merged would resemble nobody else."""
    if (scatter(tracks) <= max_distance).all():
        return [tracks]
    look = cluster(tracks, (), max_distance)
    return [tracks[look == number] for number in range(int(look.max()) + 1)]


def _named(connection: sqlite3.Connection, name: str, looks_like: int | None) -> int:
    """The person of that name; else whom the group looks like takes it, unless that one has a name of their own."""
    there = connection.execute("SELECT id FROM person WHERE name = ?", (name,)).fetchone()
    if there is not None:
        return int(there[0])
    renamed = connection.execute(
        "UPDATE person SET name = ? WHERE id = ? AND is_numbered(name)", (name, looks_like)
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


def _known(connection: sqlite3.Connection, path: Path) -> tuple[list[int], list[NDArray[np.float32]]]:
    looks: dict[int, list[NDArray[np.float32]]] = {}
    for person, content in connection.execute("SELECT person, embedding FROM track ORDER BY person, rowid"):
        looks.setdefault(person, []).append(embedding(content, path))
    return list(looks), [np.stack(rows) for rows in looks.values()]
