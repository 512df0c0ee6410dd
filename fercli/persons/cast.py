"""The cast of a series: one file with the persons seen in several videos, so that `Person 3` stays `Person 3`.

An SQLite file, because it is safe with several runs at once and after a crash: a video is matched and enrolled in one
transaction. Enrolling a video again replaces its earlier tracks and finds the same persons again.

The file stores which person got which name in which video. So a video whose table still has an old name is shown with
the current name of the person, even if the person was renamed in another episode.
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
from fercli.tracking.clustering import cluster, conflicts_of
from fercli.tracking.identity import NO_PERSON, rms_distances, scatter, settle
from fercli.writing import require_parent

TRACKS_KEPT = 24
"""Best tracks stored per person and video: enough for different appearances, and the file stays small."""


@dataclass(frozen=True)
class Group:
    """One person of a video.

    Attributes:
        embeddings: (n, D) float32, one per track.
        confidence: (n,) how well each track identifies its person, in [0, 1].
        name: the person's name if it is known already.
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
    """Find the persons of a video in the cast, add the others as `Person N`, and store their embeddings.

    Args:
        path: the file; created if it does not exist.
        embedder: name and weights of the network that made the embeddings; those of two networks cannot be compared.
        video: sha256 of the video.
        groups: the persons of the video.
        conflicts: pairs of groups of different persons.
        max_distance: a group further than this from every known person is new; see `fercli.tracking.identity.match`.

    Returns:
        The name of each group. A group that has a name keeps it, and the matched person in the cast gets that name.

    Raises:
        InputError: the file is not a cast, has another version or embedder, or has invalid values.
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
    """Check before a long run whether the cast can be used; a file that does not exist yet can.

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
    """The current names of the persons of one video in its cast.

    Attributes:
        given: name that the cast gave in this video -> current name of that person.
        former: current name -> all names that person has had.
    """

    given: Mapping[str, str] = field(default_factory=dict)
    former: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def names(self) -> Collection[str]:
        """Current names of the persons of this video."""
        return self.former.keys()

    def now(self, name: str | None) -> str | None:
        """The current name for a name in the table of the video; the same name if the cast did not give it."""
        return None if name is None else self.given.get(name, name)

    def was(self, now: str, name: str) -> bool:
        """Whether the person of this video whose current name is `now` was ever called `name`."""
        return name in self.former.get(now, ())


NOT_IN_A_CAST = CastNames()


def names_now(path: Path, video: str) -> CastNames:
    """Read the current names of the persons of a video; the file is not changed.

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
    """The names in a cast, for reading or, with `renaming`, for changes.

    Two merged persons stay two rows, and one row refers to the other by `same_as`, so that the merge can be undone. The
    other row is called the root. Persons are identified by the `id` of their row.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def given(self, video: str) -> list[tuple[str, int]]:
        """Names that the cast gave in a video, each with the id of its person."""
        return list(self._connection.execute("SELECT name, person FROM given WHERE video = ?", (video,)))

    def find(self, name: str) -> int | None:
        """The root that has this name; None if there is none."""
        row = self._connection.execute("SELECT id FROM person WHERE name = ? AND same_as IS NULL", (name,)).fetchone()
        return None if row is None else int(row[0])

    def root(self, person: int) -> int:
        """The person that this one was merged into; the person itself if it was not merged."""
        seen = {person}
        while (row := self._connection.execute("SELECT same_as FROM person WHERE id = ?", (person,)).fetchone())[0]:
            person = int(row[0])
            if person in seen:  # a cycle, which only a damaged file has
                return min(seen)
            seen.add(person)
        return person

    def name(self, person: int) -> str:
        """The name of a person's row."""
        return str(self._connection.execute("SELECT name FROM person WHERE id = ?", (person,)).fetchone()[0])

    def former(self, root: int) -> frozenset[str]:
        """All present and former names of a root and of the persons merged into it."""
        people = {row[0] for row in self._connection.execute("SELECT id FROM person") if self.root(row[0]) == root}
        had = {name for person, name in self._connection.execute("SELECT person, name FROM former") if person in people}
        return frozenset(had | {self.name(person) for person in people})

    def rename(self, person: int, new: str) -> None:
        """Rename a root in all videos; if another person has that name already, the two are merged."""
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
        """Undo that a person was renamed to `name` or merged into the person of that name; restore the name
        `before`."""
        if self.root(person) != person:
            self._connection.execute("UPDATE person SET same_as = NULL WHERE id = ?", (person,))
            if (other := self._namesake(person)) is not None:
                self._connection.execute("UPDATE person SET same_as = ? WHERE id = ?", (other, person))
                return
        self.rename(person, before)
        self._connection.execute("DELETE FROM former WHERE person = ? AND name = ?", (person, name))

    def erase(self, person: int) -> None:
        """Remove a root and all persons merged into it: their embeddings and all their names."""
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
    """The names in a cast, for changes; an exception in the block undoes all of them.

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
    """Person of every group: by its given name, by its embeddings, or a new person."""
    ids, known = _known(connection, path)
    if known and groups:
        check_length(known[0].shape[1], groups[0].embeddings.shape[1], path)
    found = settle(_distances(groups, known, max_distance), conflicts, max_distance)
    looks_like = [None if row == NO_PERSON else ids[row] for row in found]
    conflicting = conflicts_of(conflicts)
    persons: dict[int, int] = {}
    # Groups with a name first.
    for number in sorted(range(len(groups)), key=lambda number: groups[number].name is None):
        name, person = groups[number].name, looks_like[number]
        if name is not None:
            person = _named(connection, name, person)
        elif person is None or any(persons.get(other) == person for other in conflicting[number]):
            person = _new(connection, None)
        persons[number] = person
    return [persons[number] for number in range(len(groups))]


def _distances(
    groups: Sequence[Group], known: Sequence[NDArray[np.float32]], max_distance: float
) -> NDArray[np.float64]:
    """(G, P) root mean square distance of each group from the nearest appearance of each known person."""
    looks = [_looks(tracks, max_distance) for tracks in known]
    first = np.cumsum([0, *map(len, looks)])[:-1]
    distances = rms_distances([group.embeddings for group in groups], [look for own in looks for look in own])
    nearest: NDArray[np.float64] = np.minimum.reduceat(distances, first, axis=1) if looks else distances
    return nearest


def _looks(tracks: NDArray[np.float32], max_distance: float) -> list[NDArray[np.float32]]:
    """A person's tracks, split by appearance: the mean of the different faces of a merged person would match no
    face."""
    if (scatter(tracks) <= max_distance).all():
        return [tracks]
    look = cluster(tracks, (), max_distance)
    return [tracks[look == number] for number in range(int(look.max()) + 1)]


def _named(connection: sqlite3.Connection, name: str, looks_like: int | None) -> int:
    """The person of that name; else the matched person is renamed, unless it has a real name; else a new person."""
    there = connection.execute("SELECT id FROM person WHERE name = ? AND same_as IS NULL", (name,)).fetchone()
    if there is not None:
        return int(there[0])
    renamed = connection.execute(
        "UPDATE person SET name = ? WHERE id = ? AND is_numbered(name)", (name, looks_like)
    ).rowcount
    return looks_like if renamed and looks_like is not None else _new(connection, name)


def _new(connection: sqlite3.Connection, name: str | None) -> int:
    """Add a person; numbers are never used twice."""
    if name is None:
        connection.execute("UPDATE cast SET last_number = last_number + 1")
        name = f"Person {connection.execute('SELECT last_number FROM cast').fetchone()[0]}"
    added = connection.execute("INSERT INTO person (name) VALUES (?)", (name,)).lastrowid
    assert added is not None  # after a successful INSERT it is an integer
    return added


def _known(connection: sqlite3.Connection, path: Path) -> tuple[list[int], list[NDArray[np.float32]]]:
    looks: dict[int, list[NDArray[np.float32]]] = {}
    root = Names(connection).root
    rows = connection.execute("SELECT person, embedding FROM track ORDER BY person, rowid").fetchall()
    roots = {person: root(person) for person, _ in rows}
    for person, content in rows:
        looks.setdefault(roots[person], []).append(embedding(content, path))
    return list(looks), [np.stack(rows) for rows in looks.values()]
