"""The log of edits as a list for people: each line in words, with its present effect."""

from __future__ import annotations

import json
from typing import Any

from fercli.edits.edit import Edit, as_line
from fercli.edits.state import State
from fercli.labels import RECORD_NAMES


def rows_of(state: State) -> list[dict[str, Any]]:
    """The valid edits and the damaged lines, by number."""
    rows: dict[int, dict[str, Any]] = {}
    undone = state.log.undone
    for edit in state.log.edits:
        effect = state.applied.effects[edit.number]
        rows[edit.number] = {
            "number": edit.number,
            "text": describe(edit),
            **json.loads(as_line(edit)),
            "state": effect.state,
            "detail": effect.detail,
        }
    for number, reason in state.log.damaged.items():
        what = "undone" if number in undone else "not usable"
        rows[number] = {"number": number, "text": "(damaged line)", "state": what, "detail": reason}
    return [rows[number] for number in sorted(rows)]


def describe(edit: Edit) -> str:
    """A short description of an edit, with the names at the time it was made."""
    span = f"from {edit.start_ms / 1000:g} to {edit.end_ms / 1000:g} s"
    source = f" ({edit.file})" if edit.file else ""
    return {
        "rename": f"{edit.person} is {edit.to}{source}",
        "merge": f"{', '.join(edit.persons[1:])} and {edit.to} are merged" if len(edit.persons) > 1 else edit.to,
        "split": f"{len(edit.at)} track{'' if len(edit.at) == 1 else 's'} of {edit.person} to {edit.to}",
        "ignore": f"{edit.person} is ignored",
        "restore": f"{edit.person} is restored",
        "set-emotion": f"{edit.person}: {RECORD_NAMES.get(edit.emotion or '', '')} {span}{source}",
        "set-text": f"said {span}: {_quoted(edit.text)}{source}",
        "set-words": f"words {span}: {_quoted(' '.join(word.text for word in edit.words or ()))}{source}",
        "set-speaker": f"{edit.person or 'nobody known'} speaks {span}{source}",
        "clear": f"{edit.person}: no emotion {span}{source}",
        "undo": f"undo {edit.of}",
        "erased": "erased",
    }[edit.kind]


def _quoted(text: str | None) -> str:
    """A text for a table, shortened."""
    if not text:
        return "nothing"
    return f'"{text if len(text) <= 60 else text[:57] + "..."}"'
