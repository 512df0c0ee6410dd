"""Text that another program would misread or refuse: formulas in cells of CSV files, characters that XML forbids.

A spreadsheet takes `=1+1` in a CSV file for a formula and runs it, wherever the name came from. A cell that begins with
= + - @, a tab or a carriage return gets an apostrophe in front, as OWASP advises against such injection; so does one in
which apostrophes stand before them, so that every text can be read back as it was.
"""

from __future__ import annotations

import re

FORMULA = "^'*[=+@\t\r-]"
"""Regular expression of what gets an apostrophe; of Python's and of RE2's."""

_FORMULA = re.compile(FORMULA)
_MARKED = re.compile("'" + FORMULA[1:])
_NOT_A_CHAR = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""All but `Char`, production 2 of https://www.w3.org/TR/xml/#charsets: control characters and halves of pairs."""


def safe_cell(text: str) -> str:
    """A text as it is written."""
    return f"'{text}" if _FORMULA.match(text) else text


def plain_cell(cell: str) -> str:
    """The inverse of `safe_cell`."""
    return cell[1:] if _MARKED.match(cell) else cell


def without_forbidden(xml: str) -> str:
    """XML text with U+FFFD in place of each character that XML 1.0 forbids, which no reference can stand for either."""
    return _NOT_A_CHAR.sub("\N{REPLACEMENT CHARACTER}", xml)
