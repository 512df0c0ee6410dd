"""Reading of subtitles, WebVTT and SubRip, as what is said.

Speakers are voices (`<v Ross>`), or stand in front of the text (`Ross: Hello.`). Cues of one moment are several lines.
"""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

from fercli.errors import DatasetError
from fercli.formats.annotations import Annotations, Line, emotion_of, line

_CLOCK = r"(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{3})"
_TIMES = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}.*")
_VOICE = re.compile(r"<v(?:\.[^ >]*)?\s+([^>]*)>")
_TAG = re.compile(r"<[^>]*>|\{\\[^}]*\}")
_PREFIX = re.compile(r"(?:- ?)?([^\W\d_][^:.!?]{0,39}):\s+(?=\S)")


def read(path: Path) -> Annotations:
    """Read a file of either kind; places are its lines.

    Raises:
        DatasetError: it has no cue, a cue is invalid, or its cues are emotions.
        OSError, ValueError: it cannot be read.
    """
    lines = tuple(cues_of(path.read_text(encoding="utf-8-sig"), str(path)))
    if not lines:
        raise DatasetError(f"{path} has no cue", hint="give subtitles as .vtt or .srt", code="file-unreadable")
    if all(emotion_of(_behind(one.text)) for one in lines):
        raise DatasetError(
            f"{path} holds emotions, which cannot be read from subtitles",
            hint="correct them in ELAN, Praat or a spreadsheet: export as .eaf, .TextGrid or .csv",
        )
    return Annotations([], said=lines, cues=True, prefixed=path.suffix.lower() == ".srt")


def cues_of(text: str, file: str) -> list[Line]:
    """The cues of a text; a line of each voice in it.

    Raises:
        DatasetError: a cue ends before it starts.
    """
    rows = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    found: list[Line] = []
    place = 0
    while place < len(rows):
        times = _TIMES.fullmatch(rows[place])
        place += 1
        if times is None:
            continue
        first = place
        while place < len(rows) and rows[place].strip():
            place += 1
        start, end = (_milliseconds(times.groups()[k : k + 4]) for k in (0, 4))
        for speaker, said in _voices("\n".join(rows[first:place])):
            plain = unescape(_TAG.sub("", said))
            if plain.strip():
                found.append(line(start, end, plain, unescape(speaker), f"{file}:{first}"))
    return found


def prefix_of(text: str) -> tuple[str, str]:
    """A speaker in front of a text, and the rest; empty if there is none."""
    found = _PREFIX.match(text)
    return (found[1], text[found.end() :]) if found else ("", text)


def _behind(text: str) -> str:
    return text.rpartition(": ")[2]


def _voices(text: str) -> list[tuple[str, str]]:
    """The text of each voice; what stands before the first has none."""
    parts = _VOICE.split(text)
    return [("", parts[0]), *zip(parts[1::2], parts[2::2], strict=True)]


def _milliseconds(clock: tuple[str | None, ...]) -> int:
    hours, minutes, seconds, rest = (int(part or 0) for part in clock)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + rest
