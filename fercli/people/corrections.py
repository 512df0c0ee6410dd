"""What a person says about who is who: one correction, and the lines of TOML it is written in."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from fercli.errors import ConfigError
from fercli.persons.names import clean_name

_WHO = {"person": "was", "track": "track"}
"""Kind of entry -> the key that says whom it is about."""
_HEADER = re.compile(r"\[\[\s*(person|track)\s*\]\]\s*(#.*)?")


@dataclass(frozen=True)
class Seen:
    """A moment and a place where a face is: seconds, and pixels of the upright full-size frame."""

    time_s: float
    x: float
    y: float

    def __str__(self) -> str:
        return f"{self.time_s:g} s, ({self.x:g}, {self.y:g})"


@dataclass(frozen=True)
class Correction:
    """What a person says about one of the machine's persons or tracks.

    Attributes:
        who: name of the person as the machine gave it (str), or number of the track (int).
        name: who it is; None leaves it as it is.
        ignore: leave it out of every export.
        seen: where its face is, so that it is found again when names and numbers have changed.
        line: where the entry begins in the file as it was read, from 1; 0 if it is not in the file yet.
    """

    who: str | int
    name: str | None
    ignore: bool = False
    seen: Seen | None = None
    line: int = 0

    @property
    def kind(self) -> str:
        """`person` or `track`."""
        return "person" if isinstance(self.who, str) else "track"

    @property
    def decision(self) -> tuple[str | None, bool]:
        """What it says, whomever it is about."""
        return self.name, self.ignore


class Unusable(Exception):
    """What is wrong with an entry: in the line of a key, or `line` lines below the first where no key is to blame."""

    def __init__(self, key: str, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.key, self.line = key, line


def parse_entry(block: str, line: int) -> Correction:
    """The correction in the lines of one entry, of which the first is its header; `line` is where that stands.

    Raises:
        Unusable: it cannot be meant so.
    """
    kind, values = _values(block)
    who_key = _WHO[kind]
    for key in values:
        if key not in (who_key, "name", "ignore", "seen"):
            raise Unusable(key, f"[[{kind}]] has no key {key!r}, only {who_key}, name, ignore and seen")
    if who_key not in values:
        raise Unusable("", f"the entry does not say whom it is about: {who_key} is missing")
    who = _text("was", values["was"]) if kind == "person" else _track_number(values["track"])
    name = _name(values["name"]) if "name" in values else None
    ignore = values.get("ignore", False)
    if not isinstance(ignore, bool):
        raise Unusable("ignore", f"ignore is {ignore!r}, not true or false")
    if name is None and not ignore:
        raise Unusable("", "the entry has neither a name nor ignore = true")
    return Correction(who, name, ignore, _seen(values["seen"]) if "seen" in values else None, line)


def edit_entry(block: str, entry: Correction) -> str:
    """The lines of one entry, changed to say what `entry` says; comments and the order of keys stay."""
    import tomlkit

    document = tomlkit.parse(block)
    table: Any = document[entry.kind]
    seen = [_number(n) for n in (entry.seen.time_s, entry.seen.x, entry.seen.y)] if entry.seen else None
    values = {_WHO[entry.kind]: entry.who, "name": entry.name, "ignore": entry.ignore or None, "seen": seen}
    for key, value in values.items():
        if value is None:
            table[0].pop(key, None)
        elif table[0].get(key) != value:
            table[0][key] = value
    return document.as_string()


def _values(block: str) -> tuple[str, dict[str, Any]]:
    """Kind of the entry, and what it says."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    first = block.split("\n")[0].strip()
    header = _HEADER.fullmatch(first)
    if not header:
        raise Unusable("", f"{first!r} is neither [[person]] nor [[track]]")
    try:
        return header[1], tomlkit.parse(block).unwrap()[header[1]][0]
    except TOMLKitError as error:
        reason = re.sub(r" at line \d+ col \d+$", "", str(error))
        raise Unusable("", reason, getattr(error, "line", 1) - 1) from error


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Unusable(key, f"{key} is {value!r}, not a text in quotes")
    return unicodedata.normalize("NFC", value)


def _name(value: Any) -> str:
    try:
        return clean_name(_text("name", value))
    except ConfigError as error:
        raise Unusable("name", error.message) from error


def _track_number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise Unusable("track", f"track is {value!r}, not the number of a track")
    return value


def _seen(value: Any) -> Seen:
    numbers = value if isinstance(value, list) else []
    if len(numbers) != 3 or not all(type(n) in (int, float) and math.isfinite(n) for n in numbers):
        raise Unusable("seen", f"seen is {value!r}, not [seconds, x, y]")
    return Seen(*numbers)


def _number(value: float) -> float:
    """Whole numbers without a decimal point."""
    return int(value) if value == int(value) else value
