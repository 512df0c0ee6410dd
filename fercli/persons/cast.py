"""The cast of a series: one file that keeps who was seen across videos, so that `Person 3` stays `Person 3`.

An SQLite file, because it is safe with several runs at once and after a crash: a video is matched and enrolled in one
transaction. Enrolling a video again replaces what it left the last time and finds the same persons again.

The file remembers which name it gave to whom in which video. A video whose table still has an old name is thereby shown
under the name that the person has now, whichever episode the person was renamed in.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.persons.cast_check import check_length, embedding
from fercli.persons.cast_file import create, opened, read_only, require_embedder
from fercli.tracking.clustering import cluster, enemies_of
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
        connection.execute("DELETE FROM given WHERE video = ?", (video,))
        for person, group in zip(persons, groups, strict=True):
            best = np.argsort(-group.confidence, kind="stable")[:TRACKS_KEPT]
            connection.executemany(
                "INSERT INTO track VALUES (?, ?, ?, ?)",
                [(person, video, group.embeddings[k].tobytes(), float(group.confidence[k])) for k in best],
            )
        connection.execute(
            "DELETE FROM person WHERE id NOT IN (SELECT person FROM track)"
            " AND id NOT IN (SELECT same_as FROM person WHERE same_as IS NOT NULL) AND is_numbered(name)"
        )
        connection.execute("DELETE FROM former WHERE person NOT IN (SELECT id FROM person)")
        names = dict(connection.execute("SELECT id, name FROM person"))
        connection.executemany(
            "INSERT OR IGNORE INTO given VALUES (?, ?, ?)", [(video, names[person], person) for person in persons]
        )
        connection.executemany(
            "INSERT OR IGNORE INTO former VALUES (?, ?)", [(person, names[person]) for person in persons]
        )
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


@dataclass(frozen=True)
class CastNames:
    """What the persons of one video are called in its cast now.

    Attributes:
        given: name that the cast gave in this video -> the name of that person now.
        former: name now -> all names that person has had.
    """

    given: Mapping[str, str] = field(default_factory=dict)
    former: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def names(self) -> Collection[str]:
        """Names now of the persons of this video."""
        return self.former.keys()

    def now(self, name: str | None) -> str | None:
        """The name now of who has this one in the table of the video; the same, if the cast did not give it."""
        return None if name is None else self.given.get(name, name)

    def was(self, now: str, name: str) -> bool:
        """Whether the person of this video who is called `now` has had a name."""
        return name in self.former.get(now, ())


NOT_IN_A_CAST = CastNames()


def names_now(path: Path, video: str) -> CastNames:
    """Read what the persons of a video are called now; the file is not changed.

    Args:
        path: of the cast.
        video: sha256 of the video.

    Raises:
        InputError, OutputError, WorkspaceLocked: as `enrol`.
    """
    with read_only(path) as connection:
        names = Names(connection)
        given = {name: names.root(person) for name, person in names.given(video)}
        former: dict[str, frozenset[str]] = {}
        for root in set(given.values()):
            former[names.name(root)] = names.former(root)
        return CastNames({name: names.name(root) for name, root in given.items()}, former)


class Names:
    """The names in a cast, to be read or, with `renaming`, changed.

    Two persons that were found to be one stay two rows, of which one says that it is the other, so that this can be
    undone. The other is called the root; persons are meant by the `id` of their row.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def given(self, video: str) -> list[tuple[str, int]]:
        """Names that the cast gave in a video, each with the person."""
        return list(self._connection.execute("SELECT name, person FROM given WHERE video = ?", (video,)))

    def find(self, name: str) -> int | None:
        """The root that has this name; None if nobody has."""
        row = self._connection.execute("SELECT id FROM person WHERE name = ? AND same_as IS NULL", (name,)).fetchone()
        return None if row is None else int(row[0])

    def root(self, person: int) -> int:
        """Who a person was found to be; the person itself, if nobody else."""
        seen = {person}
        while (row := self._connection.execute("SELECT same_as FROM person WHERE id = ?", (person,)).fetchone())[0]:
            person = int(row[0])
            if person in seen:  # a ring, as only damage can make one
                return min(seen)
            seen.add(person)
        return person

    def name(self, person: int) -> str:
        """The name of a person's row."""
        return str(self._connection.execute("SELECT name FROM person WHERE id = ?", (person,)).fetchone()[0])

    def former(self, root: int) -> frozenset[str]:
        """All names that a root, and who was found to be the same, have had; those they have too."""
        people = {row[0] for row in self._connection.execute("SELECT id FROM person") if self.root(row[0]) == root}
        had = {name for person, name in self._connection.execute("SELECT person, name FROM former") if person in people}
        return frozenset(had | {self.name(person) for person in people})

    def rename(self, person: int, new: str) -> None:
        """Give a root a name in all videos; if somebody has it already, the two are one from now on."""
        other = self.find(new)
        if other == person:
            return
        if other is None:
            self._connection.execute("INSERT OR IGNORE INTO former SELECT id, name FROM person WHERE id = ?", (person,))
            self._connection.execute("UPDATE person SET name = ? WHERE id = ?", (new, person))
            self._connection.execute("INSERT OR IGNORE INTO former VALUES (?, ?)", (person, new))
        else:
            self._connection.execute("UPDATE person SET same_as = ? WHERE id = ?", (other, person))

    def take_back(self, person: int, name: str, before: str) -> None:
        """Undo that a person was named, or found to be the one who is called, `name`; they are called `before`."""
        if self.root(person) != person:
            self._connection.execute("UPDATE person SET same_as = NULL WHERE id = ?", (person,))
            if (other := self._namesake(person)) is not None:
                self._connection.execute("UPDATE person SET same_as = ? WHERE id = ?", (other, person))
                return
        self.rename(person, before)
        self._connection.execute("DELETE FROM former WHERE person = ? AND name = ?", (person, name))

    def erase(self, person: int) -> None:
        """Remove a root and all who were found to be the same: their looks, and all their names."""
        people = [row[0] for row in self._connection.execute("SELECT id FROM person") if self.root(row[0]) == person]
        for table, column in (("track", "person"), ("given", "person"), ("former", "person"), ("person", "id")):
            self._connection.executemany(f"DELETE FROM {table} WHERE {column} = ?", [(one,) for one in people])

    def _namesake(self, person: int) -> int | None:
        row = self._connection.execute(
            "SELECT id FROM person WHERE name = ? AND same_as IS NULL AND id <> ?", (self.name(person), person)
        ).fetchone()
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
    there = connection.execute("SELECT id FROM person WHERE name = ? AND same_as IS NULL", (name,)).fetchone()
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
    root = Names(connection).root
    rows = connection.execute("SELECT person, embedding FROM track ORDER BY person, rowid").fetchall()
    roots = {person: root(person) for person, _ in rows}
    for person, content in rows:
        looks.setdefault(roots[person], []).append(embedding(content, path))
    return list(looks), [np.stack(rows) for rows in looks.values()]
