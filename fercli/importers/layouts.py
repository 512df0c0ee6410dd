"""How labels look in each kind of file, for the hint of an error."""

from __future__ import annotations

from pathlib import Path

_RECORD = '{"type": "emotion", "class": "happy", "seconds": 15.0, "end": 17.5, "object": "Ross"}'
_LAYOUTS = {
    ".csv": "the columns are start,end,class and, for several persons, object",
    ".eaf": "in ELAN, a tier is a person, and the text of an annotation an emotion",
    ".json": f"it holds a list of records such as {_RECORD}",
    ".jsonl": f"a line is a record such as {_RECORD}",
    ".textgrid": "in Praat, an interval tier is a person, and the text of an interval an emotion",
}
_NAMING = {
    ".csv": "add the column object with the names",
    ".json": 'say in each segment who it is, in records with "object"',
    ".jsonl": 'add "object" with the name to each record',
}


def layout_hint(path: Path) -> str:
    """What labels look like in a file of this suffix, one of the READERS."""
    return _LAYOUTS[path.suffix.lower()]


def naming_hint(path: Path) -> str:
    """How to say in it who shows an emotion."""
    return _NAMING.get(path.suffix.lower(), "give the tier the name of the person")
