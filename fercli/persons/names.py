"""Names of persons: which are allowed, which are automatic numbers, and what is shown for tracks without a person."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from fercli.errors import ConfigError

UNASSIGNED = "Unassigned"
"""Shown for tracks without a person; no person can have this name."""

_DIRECTIONS = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
_NUMBERED = re.compile(r"(?:person|unknown) *(\d+)", re.IGNORECASE)
"""Automatic names of persons, in any spelling: the next run may give them to other persons."""


def clean_name(name: str) -> str:
    """A name as it is stored: stripped and composed (Unicode NFC), so that equal names compare equal.

    Joiners and spaces of any kind are kept: Persian, Hindi and French need them.

    Raises:
        ConfigError: empty, `Unassigned`, or with control characters and similar, see `_spoils_text`.
    """
    cleaned = unicodedata.normalize("NFC", name.strip())
    if all(unicodedata.category(character) in ("Cf", "Zs") for character in cleaned):
        raise ConfigError("the name is empty", hint="give a name", code="name-invalid")
    if cleaned.casefold() == UNASSIGNED.casefold():
        raise ConfigError(
            f"{cleaned!r} is reserved for tracks without a person",
            hint="give a name",
            code="name-invalid",
        )
    if any(map(_spoils_text, cleaned)):
        raise ConfigError(
            f"the name {cleaned!r} has characters that cannot be printed", hint="leave them out", code="name-invalid"
        )
    return cleaned


def clean_or_unassigned(name: str) -> str:
    """As `clean_name`, but `Unassigned` is allowed and means the tracks without a person."""
    return UNASSIGNED if unicodedata.normalize("NFC", name.strip()) == UNASSIGNED else clean_name(name)


def _spoils_text(character: str) -> bool:
    """Control characters, surrogates, line and paragraph separators, characters that XML does not allow, and direction
    overrides and isolates, which would reverse the rest of a line."""
    return (
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        or character in "\ufffe\uffff"
        or character in _DIRECTIONS
    )


def is_numbered(name: str) -> bool:
    """Whether a name is an automatic number, such as `Person 3`: it is valid only within one video or one cast."""
    return _NUMBERED.fullmatch(name) is not None


def next_free_name(names: Iterable[str]) -> str:
    """`Person N` with N above every number in use."""
    return f"Person {max((int(match[1]) for match in map(_NUMBERED.fullmatch, names) if match), default=0) + 1}"
