"""Text in the cells of CSV files: a spreadsheet takes `=1+1` for a formula and runs it, wherever the name came from.

A cell that begins with = + - @, a tab or a carriage return gets an apostrophe in front, as OWASP advises against such
injection; so does one in which apostrophes stand before them, so that every text can be read back as it was.
"""

from __future__ import annotations

import re

FORMULA = "^'*[=+@\t\r-]"
"""Regular expression of what gets an apostrophe; of Python's and of RE2's."""

_FORMULA = re.compile(FORMULA)
_MARKED = re.compile("'" + FORMULA[1:])


def safe_cell(text: str) -> str:
    """A text as it is written."""
    return f"'{text}" if _FORMULA.match(text) else text


def plain_cell(cell: str) -> str:
    """The inverse of `safe_cell`."""
    return cell[1:] if _MARKED.match(cell) else cell
