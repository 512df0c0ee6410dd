"""What a person says about names in one video, told to the cast of its series.

A cast may know a person by the name that is shown in the video, or still by the one that `track` found there. A number
counts only as the latter: the cast gives each number to one person and never again, but one that a person or
`fercli people split` gave in a video may be somebody else's in the cast.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fercli.chain import PERSONS
from fercli.persons.cast import Names, renaming
from fercli.persons.names import is_numbered
from fercli.workspace import Workspace


@dataclass(frozen=True)
class Shown:
    """A person as a video shows them.

    Attributes:
        name: with corrections.
        machine: what `track` calls the person; more than one if they were merged, none if only a person knows them.
    """

    name: str
    machine: frozenset[str]


@contextmanager
def told_to_cast(workspace: Workspace, persons: Sequence[Shown], new: str) -> Iterator[list[str]]:
    """Let the cast know persons of a video by one name; it stays as it was if the block does not end well.

    Args:
        workspace: the cast is the one its tracks were found with; without one nothing is done.
        persons: all whom the name is for; if it is a number, the one who has it already is among them.
        new: the name.

    Yields:
        Sentences on what the cast could not be told.

    Raises:
        InputError, OutputError, WorkspaceLocked: as `fercli.persons.cast.enrol`.
    """
    receipt = workspace.receipt(PERSONS.name)
    cast = receipt.params.get("cast", "") if receipt is not None else ""
    if not cast:
        yield []
    elif not Path(cast).is_file():
        yield [f"the cast {cast} is not there, so the name stays in this video"]
    else:
        with renaming(Path(cast)) as names:
            yield [f"the cast {cast} {problem}" for problem in _tell(names, persons, new)]


def _tell(names: Names, persons: Sequence[Shown], new: str) -> list[str]:
    """Rename in the cast; what is wrong where that cannot be."""
    known = {person.name: _known_as(names, person) for person in persons}
    name = _name_there(names, known, new)
    if name is None:
        return [f"has nobody of the name {new!r}, and gives its numbers itself"]
    for own in known.values():
        for old in own:
            if (person := names.find(old)) is not None:
                names.rename(person, name)
    return [f"does not know {shown!r}, so the name stays in this video" for shown, own in known.items() if not own]


def _known_as(names: Names, person: Shown) -> list[str]:
    """The names of a person in the cast. A machine's name that is no number may have become somebody else's since."""
    numbers = {name for name in person.machine if is_numbered(name)}
    own = {person.name} if person.machine and not is_numbered(person.name) else set()
    if not any(names.find(name) is not None for name in own):
        own = set(person.machine - numbers)
    return sorted(name for name in own | numbers if names.find(name) is not None)


def _name_there(names: Names, known: dict[str, list[str]], new: str) -> str | None:
    """What the cast is to call the person; None if a number is not one of its own."""
    if not is_numbered(new):
        return new
    if new not in known:
        return new if names.find(new) is not None else None
    return new if new in known[new] else next(iter(known[new]), None)
