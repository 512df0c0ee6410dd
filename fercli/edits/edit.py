"""One edit, a manual correction of one video, and its JSON line.

    {"edit": "rename", "at": {"time_s": 12.4, "box": [310, 80, 402, 190]}, "person": "Person 2", "to": "Ross",
     "by": "annotator-2", "on": "2026-11-25T14:03:00Z"}

`at` is an anchor: a time, and the box of a face at that time. After the next run of a stage, names and track numbers
may belong to another person; a face at a time does not change. docs/edits.md describes every kind.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fercli.errors import ConfigError
from fercli.labels import NOT_ASSESSABLE, RECORD_NAMES, canonical
from fercli.persons.names import clean_name, clean_or_unassigned

RENAME, MERGE, SPLIT, IGNORE, RESTORE = "rename", "merge", "split", "ignore", "restore"
SET_EMOTION, CLEAR, UNDO, ERASED = "set-emotion", "clear", "undo", "erased"
SET_TEXT, SET_WORDS, SET_SPEAKER = "set-text", "set-words", "set-speaker"

_ALWAYS = {"edit", "by", "on"}
_FIELDS: dict[str, tuple[set[str], set[str]]] = {
    RENAME: ({"person", "to"}, {"at", "file"}),
    MERGE: ({"at", "persons", "to"}, set()),
    SPLIT: ({"at", "person", "to"}, {"rest", "joins"}),
    IGNORE: ({"person"}, {"at"}),
    RESTORE: ({"person"}, {"at"}),
    SET_EMOTION: ({"person", "start_s", "end_s", "class"}, {"at", "beside", "file"}),
    CLEAR: ({"person", "start_s", "end_s"}, {"at", "file"}),
    SET_TEXT: ({"start_s", "end_s", "text"}, {"at", "person", "beside", "file"}),
    SET_WORDS: ({"start_s", "end_s", "words"}, {"at", "person", "beside", "file"}),
    SET_SPEAKER: ({"start_s", "end_s"}, {"at", "person", "file"}),
    UNDO: ({"of"}, set()),
    ERASED: (set(), set()),
}
"""Kind -> required and optional fields, in addition to `_ALWAYS`."""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")
_LONGEST_TEXT = 1000
_LONGEST_SAID = 10_000
_LATEST_S = 1e7
"""Seconds; no video is longer than four months."""


@dataclass(frozen=True)
class Anchor:
    """Time and place of a face.

    Attributes:
        time_s: presentation timestamp, seconds.
        box: x1, y1, x2, y2 in pixels of the upright full-size frame.
    """

    time_s: float
    box: tuple[float, float, float, float]

    @property
    def middle(self) -> tuple[float, float]:
        """x, y of the middle of the box, pixels."""
        x1, y1, x2, y2 = self.box
        return (x1 + x2) / 2, (y1 + y2) / 2

    def __str__(self) -> str:
        x, y = self.middle
        return f"{self.time_s:g} s, ({x:g}, {y:g})"


@dataclass(frozen=True)
class TimedWord:
    """A corrected word.

    Attributes:
        start_ms, end_ms: [start, end) in presentation timestamps, whole milliseconds; the end is later.
        text: the word, with the punctuation beside it.
    """

    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True)
class Edit:
    """One line of the log.

    Attributes:
        kind: `rename`, `merge`, ..., see docs/edits.md.
        by: the annotator.
        on: date and time, ISO 8601 with the time zone.
        at: anchors: one of the person, or one for each merged person or track that is split off; none if the person has
            no face.
        person: name of the person when the edit was made; may be `Unassigned`; for `set-speaker` empty if nobody known
            speaks, for `set-text` and `set-words` if the speaker stays.
        to: the new name.
        persons: for a merge, the names when it was made, one for each anchor; the first is the target.
        rest: for a split, a face that stays `person`, if that name was given by an edit.
        joins: for a split, a face of the person who already had the name `to`.
        start_ms, end_ms: time interval [start, end), whole milliseconds.
        emotion: canonical name, or `not assessable`; None for all kinds but `set-emotion`.
        text: what is said, in one line, empty for nothing; None for all kinds but `set-text`.
        words: the words by start, none for silence; None for all kinds but `set-words`.
        beside: whether it keeps other manual annotations of the same person and time, as in a split screen; for
            `set-text` and `set-words`, whether it keeps what others say at the same time.
        of: number of the edit that is undone.
        file: name of the imported file; empty if there is none.
        number: its line in the log, from 1; 0 if it is not in the log yet.
    """

    kind: str
    by: str
    on: str
    at: tuple[Anchor, ...] = ()
    person: str = ""
    to: str = ""
    persons: tuple[str, ...] = ()
    rest: Anchor | None = None
    joins: Anchor | None = None
    start_ms: int = 0
    end_ms: int = 0
    emotion: str | None = None
    text: str | None = None
    words: tuple[TimedWord, ...] | None = None
    beside: bool = False
    of: int = 0
    file: str = ""
    number: int = 0

    @property
    def anchors(self) -> tuple[Anchor, ...]:
        """All anchors of the edit."""
        return (*self.at, *(anchor for anchor in (self.rest, self.joins) if anchor is not None))

    @property
    def names(self) -> tuple[str, ...]:
        """All names that the edit mentions."""
        return tuple(name for name in (self.person, self.to, *self.persons) if name)


class Unusable(Exception):
    """Why a line is not a valid edit."""


def parse(line: str, number: int) -> Edit:
    """The edit in a line of the log.

    Args:
        number: number of the line, from 1.

    Raises:
        Unusable: it is not a valid edit; the message has the reason.
    """
    values = _object(line)
    kind = values.get("edit")
    if not isinstance(kind, str) or kind not in _FIELDS:
        raise Unusable(f"edit is {_short(kind)}, not one of {', '.join(_FIELDS)}" if "edit" in values else "no edit")
    needed, possible = _FIELDS[kind]
    if missing := sorted((needed | _ALWAYS) - values.keys()):
        raise Unusable(f"{kind} without {', '.join(missing)}")
    if unknown := sorted(values.keys() - needed - possible - _ALWAYS):
        raise Unusable(f"{kind} has no field {_short(unknown[0])}")
    several = kind in (MERGE, SPLIT)
    start_ms, end_ms = _stretch(values) if "start_s" in values else (0, 0)
    edit = Edit(
        kind=kind,
        by=_text(values, "by"),
        on=_moment(values["on"]),
        at=_anchors(values["at"]) if several else _one_or_none(values.get("at")),
        person=_person(values["person"]) if "person" in values else "",
        to=_name(values, "to") if "to" in values else "",
        persons=_persons(values["persons"]) if "persons" in values else (),
        rest=_anchor(values["rest"], "rest") if "rest" in values else None,
        joins=_anchor(values["joins"], "joins") if "joins" in values else None,
        start_ms=start_ms,
        end_ms=end_ms,
        emotion=_emotion(values["class"]) if "class" in values else None,
        text=_said(values["text"]) if "text" in values else None,
        words=_words(values["words"]) if "words" in values else None,
        beside=_flag(values, "beside"),
        of=_earlier(values["of"], number) if "of" in values else 0,
        file=_text(values, "file") if "file" in values else "",
        number=number,
    )
    if kind == MERGE and len(edit.persons) != len(edit.at):
        raise Unusable(f"merge has {len(edit.at)} anchors and {len(edit.persons)} persons")
    return edit


def as_line(edit: Edit) -> str:
    """The edit as one line of JSON, without the line end."""
    values: dict[str, Any] = {"edit": edit.kind}
    if edit.kind in (MERGE, SPLIT):
        values["at"] = [_anchor_json(anchor) for anchor in edit.at]
    elif edit.at:
        values["at"] = _anchor_json(edit.at[0])
    if edit.kind in (SET_EMOTION, CLEAR, SET_TEXT, SET_WORDS, SET_SPEAKER):
        values |= {"start_s": edit.start_ms / 1000, "end_s": edit.end_ms / 1000}
    if edit.emotion is not None:
        values["class"] = RECORD_NAMES[edit.emotion]
    if edit.text is not None:
        values["text"] = edit.text
    if edit.words is not None:
        values["words"] = [_word_json(word) for word in edit.words]
    values |= {name: anchor for name in ("rest", "joins") if (anchor := _optional(getattr(edit, name)))}
    values |= {name: value for name in ("person", "to", "of", "beside", "file") if (value := getattr(edit, name))}
    if edit.persons:
        values["persons"] = list(edit.persons)
    return json.dumps({**values, "by": edit.by, "on": edit.on}, ensure_ascii=False, allow_nan=False)


def _optional(anchor: Anchor | None) -> dict[str, Any] | None:
    return None if anchor is None else _anchor_json(anchor)


def _anchor_json(anchor: Anchor) -> dict[str, Any]:
    return {"time_s": round(anchor.time_s, 3), "box": [_whole(edge) for edge in anchor.box]}


def _word_json(word: TimedWord) -> dict[str, Any]:
    """The keys of a word in the document."""
    return {"text": word.text, "seconds": word.start_ms / 1000, "end": word.end_ms / 1000}


def _whole(value: float) -> float:
    """Rounded to a tenth of a pixel; integers without a decimal point."""
    value = round(value, 1)
    return int(value) if value == int(value) else value


def _object(line: str) -> dict[str, Any]:
    try:
        values = json.loads(line, object_pairs_hook=_unique, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Unusable(f"it is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise Unusable("it is not a JSON object")
    return values


def _unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in pairs:
        if key in values:
            raise Unusable(f"{_short(key)} occurs twice")
        values[key] = value
    return values


def _no_number(text: str) -> Any:
    raise Unusable(f"{text} is not a number")


def _text(values: dict[str, Any], key: str) -> str:
    value = values[key]
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_TEXT or not value.isprintable():
        raise Unusable(f"{key} is {_short(value)}, not a printable text")
    return value


def _said(value: Any) -> str:
    """What is said; may be empty."""
    if not isinstance(value, str) or len(value) > _LONGEST_SAID or not value.isprintable():
        raise Unusable(f"text is {_short(value)}, not a printable text")
    return value.strip()


def _words(value: Any) -> tuple[TimedWord, ...]:
    """Words by start; may be none."""
    if not isinstance(value, list):
        raise Unusable(f"words is {_short(value)}, not a list of words")
    return tuple(sorted((_word(one) for one in value), key=lambda word: (word.start_ms, word.end_ms)))


def _word(value: Any) -> TimedWord:
    if not isinstance(value, dict) or value.keys() != {"text", "seconds", "end"}:
        raise Unusable(f'a word is {_short(value)}, not {{"text": WORD, "seconds": SECONDS, "end": SECONDS}}')
    start_ms, end_ms = _stretch({"start_s": value["seconds"], "end_s": value["end"]})
    return TimedWord(start_ms, end_ms, _text(value, "text").strip())


def _name(values: dict[str, Any], key: str) -> str:
    return _cleaned(values[key], key, clean_name)


def _person(value: Any) -> str:
    return _cleaned(value, "person", clean_or_unassigned)


def _persons(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise Unusable(f"persons is {_short(value)}, not a list of names")
    return tuple(_cleaned(name, "persons", clean_name) for name in value)


def _cleaned(value: Any, key: str, clean: Callable[[str], str]) -> str:
    if not isinstance(value, str):
        raise Unusable(f"{key} is {_short(value)}, not a name")
    try:
        return clean(value)
    except ConfigError as error:
        raise Unusable(f"{key}: {error.message}") from error


def _moment(value: Any) -> str:
    try:
        if isinstance(value, str) and _MOMENT.fullmatch(value):
            datetime.fromisoformat(value.replace("Z", "+00:00").split(".")[0])
            return value
    except ValueError:
        pass
    raise Unusable(f"on is {_short(value)}, not a time such as 2026-11-25T14:03:00Z")


def _one_or_none(value: Any) -> tuple[Anchor, ...]:
    return () if value is None else (_anchor(value, "at"),)


def _anchors(value: Any) -> tuple[Anchor, ...]:
    if not isinstance(value, list) or not value:
        raise Unusable(f"at is {_short(value)}, not a list of anchors")
    return tuple(_anchor(one, "at") for one in value)


def _anchor(value: Any, key: str) -> Anchor:
    if not isinstance(value, dict) or value.keys() != {"time_s", "box"}:
        raise Unusable(f'{key} is {_short(value)}, not {{"time_s": SECONDS, "box": [X1, Y1, X2, Y2]}}')
    box = value["box"]
    if not isinstance(box, list) or len(box) != 4:
        raise Unusable(f"the box of {key} is {_short(box)}, not [x1, y1, x2, y2]")
    x1, y1, x2, y2 = (_number(edge, f"the box of {key}") for edge in box)
    if x1 >= x2 or y1 >= y2:
        raise Unusable(f"the box of {key} is {_short(box)}, which is empty")
    return Anchor(_number(value["time_s"], f"time_s of {key}"), (x1, y1, x2, y2))


def _number(value: Any, what: str) -> float:
    """A finite number small enough for a time or a coordinate."""
    if type(value) not in (int, float) or not -_LATEST_S <= value <= _LATEST_S or not math.isfinite(value):
        raise Unusable(f"{what} is {_short(value)}, not a number in range")
    return float(value)


def _stretch(values: dict[str, Any]) -> tuple[int, int]:
    start_ms, end_ms = (round(1000 * _number(values[key], key)) for key in ("start_s", "end_s"))
    if end_ms <= start_ms:
        raise Unusable(f"it ends at {end_ms / 1000:g} s but starts at {start_ms / 1000:g} s")
    return start_ms, end_ms


def _emotion(value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    emotion = NOT_ASSESSABLE if text.lower() == NOT_ASSESSABLE else canonical(text)
    if emotion is None:
        raise Unusable(f"{_short(value)} is not an emotion; known: {', '.join(RECORD_NAMES.values())}")
    return emotion


def _flag(values: dict[str, Any], key: str) -> bool:
    value = values.get(key, False)
    if not isinstance(value, bool):
        raise Unusable(f"{key} is {_short(value)}, not true or false")
    return value


def _earlier(value: Any, number: int) -> int:
    if type(value) is not int or not 0 < value < number:
        raise Unusable(f"of is {_short(value)}, not the number of an earlier line")
    return value


def _short(value: Any) -> str:
    """A value for a message, truncated."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
