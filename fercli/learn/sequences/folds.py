"""Which persons are trained on, chosen by and tested on: no person is ever in two parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from fercli.errors import ConfigError, DatasetError
from fercli.learn.sequences.series import Series

EACH = "person"
"""Value of --folds that leaves out one person at a time."""
SHARES = (0.7, 0.15)
"""Shares of persons in train and valid of a set without splits; the rest is test."""


@dataclass(frozen=True)
class Parts:
    """The parts of a run: its name, empty for the only one, and the series of each part."""

    name: str
    train: tuple[Series, ...]
    valid: tuple[Series, ...]
    test: tuple[Series, ...]


def split_up(series: Sequence[Series], folds: str) -> list[Parts]:
    """The runs over a set.

    Args:
        series: all of it.
        folds: empty takes the set's own splits, or, if it has none, deals out the persons by SHARES; a number of at
            least 3 tests each of so many parts of the persons once; EACH tests each person once. The part before the
            tested one chooses the best network.

    Raises:
        ConfigError: `folds` is none of these, or there are fewer persons.
        DatasetError: a part has nothing.
    """
    if not folds:
        return [_required(_own(series))]
    persons = _shuffled(series)
    if folds != EACH and not (folds.isdecimal() and 3 <= int(folds) <= len(persons)):
        raise ConfigError(
            f"--folds is {folds}, and there are {len(persons)} persons",
            hint=f"give 3 to the number of persons, or {EACH}, which leaves out one at a time",
            code="option-out-of-range",
        )
    count = len(persons) if folds == EACH else int(folds)
    if count < 3:
        raise ConfigError(
            f"there are {count} persons: one each for training, choosing and testing are needed",
            code="option-out-of-range",
        )
    place = {person: number % count for number, person in enumerate(persons)}
    return [_required(_fold(series, place, number, count)) for number in range(count)]


def _own(series: Sequence[Series]) -> Parts:
    if not any(one.split for one in series):
        persons = _shuffled(series)
        ends = [max(1, round(SHARES[0] * len(persons))), max(2, round(sum(SHARES) * len(persons)))]
        home = {
            person: "train" if number < ends[0] else "valid" if number < ends[1] else "test"
            for number, person in enumerate(persons)
        }
        return _parts("", [(home[one.person], one) for one in series])
    pairs = [(one.split, one) for one in series]
    if not any(split == "test" for split, _ in pairs):  # a public set: others report on its valid part
        pairs = [("test" if split == "valid" else split, one) for split, one in pairs]
    if not any(split == "valid" for split, _ in pairs):
        persons = _shuffled([one for split, one in pairs if split == "train"])
        chosen = set(persons[: max(1, round(0.15 * len(persons)))])
        pairs = [("valid" if split == "train" and one.person in chosen else split, one) for split, one in pairs]
    return _parts("", pairs)


def _fold(series: Sequence[Series], place: dict[str, int], number: int, count: int) -> Parts:
    named = {number: "test", (number - 1) % count: "valid"}
    tested = sorted({one.person for one in series if place[one.person] == number})
    name = tested[0] if len(tested) == 1 and count == len(place) else f"{number + 1}"
    return _parts(name, [(named.get(place[one.person], "train"), one) for one in series])


def _parts(name: str, pairs: Sequence[tuple[str, Series]]) -> Parts:
    train, valid, test = (tuple(one for split, one in pairs if split == part) for part in ("train", "valid", "test"))
    return Parts(name, train, valid, test)


def _required(parts: Parts) -> Parts:
    for name in ("train", "valid"):
        if not getattr(parts, name):
            raise DatasetError(
                f"there is nothing for {name}",
                hint="features and annotations of at least three persons are needed; see the notes above",
                code="labels-missing",
            )
    return parts


def _shuffled(series: Sequence[Series]) -> list[str]:
    """The persons in an order that depends on their names alone."""
    return sorted({one.person for one in series}, key=lambda person: sha256(person.encode()).digest())
