"""Names of persons: which are allowed, which only count, and what is shown where nobody is known."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from fercli.errors import ConfigError

UNASSIGNED = "Unassigned"
"""Shown for tracks without a known person; no person can have this name."""

_DIRECTIONS = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
_NUMBERED = re.compile(r"(?:person|unknown) *(\d+)", re.IGNORECASE)
"""Names that only count persons, in any spelling: the next run may give them to others."""


def clean_name(name: str) -> str:
    """A name as it is kept: without blanks around it, composed (Unicode NFC), so that equal names are equal.

    Joiners and blanks of any kind are letters to those who write Persian, Hindi or French, and stay.

    Raises:
        ConfigError: empty, `Unassigned`, or with characters that spoil the text around a name.
    """
    cleaned = unicodedata.normalize("NFC", name.strip())
    if all(unicodedata.category(character) in ("Cf", "Zs") for character in cleaned):
        raise ConfigError("the name is empty", hint="give a name", code="name-invalid")
    if cleaned.casefold() == UNASSIGNED.casefold():
        raise ConfigError(
            f"nobody can be called {cleaned!r}: that is for tracks of nobody known",
            hint="give a name",
            code="name-invalid",
        )
    if any(map(_spoils_text, cleaned)):
        raise ConfigError(
            f"the name {cleaned!r} has characters that cannot be printed", hint="leave them out", code="name-invalid"
        )
    return cleaned


def clean_or_unassigned(name: str) -> str:
    """As `clean_name`, where also the tracks without a known person may be meant, as `Unassigned`."""
    return UNASSIGNED if unicodedata.normalize("NFC", name.strip()) == UNASSIGNED else clean_name(name)


def _spoils_text(character: str) -> bool:
    """Control characters, surrogates, ends of lines and paragraphs, and what no XML can hold; and the overrides and
    isolates of direction, which would turn around all that follows in a line."""
    return (
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        or character in "\ufffe\uffff"
        or character in _DIRECTIONS
    )


def is_numbered(name: str) -> bool:
    """Whether a name only counts persons, as `Person 3`: then it means somebody in one video, or in one cast, alone."""
    return _NUMBERED.fullmatch(name) is not None


def next_free_name(names: Iterable[str]) -> str:
    """`Person N` with N above every number in use."""
    return f"Person {max((int(match[1]) for match in map(_NUMBERED.fullmatch, names) if match), default=0) + 1}"
