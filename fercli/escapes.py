"""Text that another program would misread or refuse: formulas in cells of CSV files, characters that XML forbids.

A spreadsheet reads `=1+1` in a CSV file as a formula and runs it. A cell that begins with = + - @, a tab or a carriage
return gets an apostrophe in front, as OWASP recommends against such injection; so does one that begins with apostrophes
before them, so that every text can be restored.
"""

from __future__ import annotations

import re

FORMULA = "^'*[=+@\t\r-]"
"""Regular expression of cells that get an apostrophe; valid in Python and in RE2."""

_FORMULA = re.compile(FORMULA)
_MARKED = re.compile("'" + FORMULA[1:])
_NOT_A_CHAR = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Everything except `Char`, production 2 of https://www.w3.org/TR/xml/#charsets: control characters and halves of
pairs."""


def safe_cell(text: str) -> str:
    """A text as a safe cell."""
    return f"'{text}" if _FORMULA.match(text) else text


def plain_cell(cell: str) -> str:
    """The inverse of `safe_cell`."""
    return cell[1:] if _MARKED.match(cell) else cell


def without_forbidden(xml: str) -> str:
    """XML text with U+FFFD in place of each character that XML 1.0 forbids, also as a character reference."""
    return _NOT_A_CHAR.sub("\N{REPLACEMENT CHARACTER}", xml)
