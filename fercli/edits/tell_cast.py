"""Names of one video, made known to the cast of its series.

The cast knows which person it called what in this video. A number is only told if the cast gave it: one that
`people split` gave in a video may be somebody else's in the cast.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fercli.persons.cast import Names, renaming
from fercli.persons.names import is_numbered


@dataclass(frozen=True)
class Shown:
    """A person as a video shows them.

    Attributes:
        name: with edits.
        predicted: names in the table of the video, more than one if persons were merged; none if only edits know the
            person. Tracks that an edit names alone do not count.
    """

    name: str
    predicted: frozenset[str]


@contextmanager
def told(cast: Path | None, video: str, persons: Sequence[Shown], new: str) -> Iterator[list[str]]:
    """Rename persons of a video in its cast; the cast stays as it was if the block does not end well.

    Args:
        cast: None if there is none.
        video: sha256 of the video.
        persons: all who get the name; if it is a number, the one who has it already is among them.
        new: the name.

    Yields:
        Sentences on what the cast could not learn.

    Raises:
        InputError, OutputError, WorkspaceLocked: as `fercli.persons.cast.enrol`.
    """
    if cast is None:
        yield []
    elif not cast.is_file():
        yield [f"the cast {cast} is not there, so the name stays in this video"]
    else:
        with renaming(cast) as names:
            yield [f"the cast {cast} {problem}" for problem in _tell(names, video, persons, new)]


@contextmanager
def told_changes(
    cast: Path | None, video: str, before: Mapping[str, str], after: Mapping[str, str]
) -> Iterator[list[str]]:
    """Take names back in the cast, or give them again, after an undo. What another video renamed since stays.

    Args:
        before, after: name in the table of the video -> name by the edits of this video alone.

    Yields and raises: as `told`.
    """
    changed = {name: (before[name], after[name]) for name in before.keys() & after.keys()}
    changed = {name: (old, new) for name, (old, new) in changed.items() if old != new}
    if cast is None or not changed:
        yield []
    elif not cast.is_file():
        yield [f"the cast {cast} is not there, so the names stay as they are in it"]
    else:
        with renaming(cast) as names:
            given = dict(names.given(video))
            problems = []
            for name, (old, new) in sorted(changed.items()):
                if name in given and (problem := _change(names, given[name], old, new)):
                    problems.append(f"the cast {cast} {problem}")
            yield problems


def _change(names: Names, person: int, old: str, new: str) -> str:
    now = names.name(names.root(person))
    if now == new:
        return ""
    if now != old:
        return f"calls {old!r} {now!r} by now, which stays"
    if is_numbered(new) and new not in names.former(names.root(person)) and names.find(new) is None:
        return f"has nobody of the name {new!r}, and gives its numbers itself"
    names.take_back(person, old, new)
    return ""


def _tell(names: Names, video: str, persons: Sequence[Shown], new: str) -> list[str]:
    given = names.given(video)
    known = {
        person.name: sorted({names.root(one) for name, one in given if name in person.predicted}) for person in persons
    }
    name = _name_there(names, known, new)
    if name is None:
        return [f"has nobody of the name {new!r}, and gives its numbers itself"]
    for own in known.values():
        for person in own:
            names.rename(person, name)
    return [f"does not know {shown!r}, so the name stays in this video" for shown, own in known.items() if not own]


def _name_there(names: Names, known: Mapping[str, list[int]], new: str) -> str | None:
    """What the cast is to call the persons; None if a number is not one of its own."""
    if not is_numbered(new):
        return new
    if new not in known:
        return new if names.find(new) is not None else None
    own = [names.name(person) for person in known[new]]
    return new if new in own else next(iter(own), None)
