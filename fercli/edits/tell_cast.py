"""Names of one video, written to the cast of its series.

The cast stores which name it gave to which person of this video. An automatic name is only written if the cast gave it:
one given by `people split` in a video may belong to another person in the cast.
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
    """A person of a video.

    Attributes:
        name: name after edits.
        predicted: names in the table of the video, more than one if persons were merged; none if the person only exists
            in edits. Tracks that an edit names individually do not count.
    """

    name: str
    predicted: frozenset[str]


@contextmanager
def told(cast: Path | None, video: str, persons: Sequence[Shown], new: str) -> Iterator[list[str]]:
    """Rename persons of a video in its cast; an exception in the block leaves the cast unchanged.

    Args:
        cast: None if there is none.
        video: sha256 of the video.
        persons: all that get the name; if it is an automatic name, the person that has it already is one of them.
        new: the name.

    Yields:
        Messages about names that the cast could not store.

    Raises:
        InputError, OutputError, WorkspaceLocked: as `fercli.persons.cast.enrol`.
    """
    if cast is None:
        yield []
    elif not cast.is_file():
        yield [f"the cast {cast} does not exist, so the name is only stored in this video"]
    else:
        with renaming(cast) as names:
            yield [f"the cast {cast} {problem}" for problem in _tell(names, video, persons, new)]


@contextmanager
def told_changes(
    cast: Path | None, video: str, before: Mapping[str, str], after: Mapping[str, str]
) -> Iterator[list[str]]:
    """Undo or repeat renames in the cast, after an undo. Names changed by another video since are kept.

    Args:
        before, after: name in the table of the video -> name by the edits of this video only.

    Yields and raises: as `told`.
    """
    changed = {name: (before[name], after[name]) for name in before.keys() & after.keys()}
    changed = {name: (old, new) for name, (old, new) in changed.items() if old != new}
    if cast is None or not changed:
        yield []
    elif not cast.is_file():
        yield [f"the cast {cast} does not exist, so its names are not changed"]
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
        return f"has renamed {old!r} to {now!r} since, which is kept"
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
    return [f"does not have {shown!r}, so the name stays in this video" for shown, own in known.items() if not own]


def _name_there(names: Names, known: Mapping[str, list[int]], new: str) -> str | None:
    """The new name in the cast; None for an automatic name that the cast did not give."""
    if not is_numbered(new):
        return new
    if new not in known:
        return new if names.find(new) is not None else None
    own = [names.name(person) for person in known[new]]
    return new if new in own else next(iter(own), None)
