"""WebVTT, the captions of web pages: one cue per segment, with the person as its voice.

Format: https://www.w3.org/TR/webvtt1/.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

from fercli.formats.timeline import in_milliseconds
from fercli.results.model import Result, Segment


def write(result: Result, path: Path) -> None:
    """Write the assessed segments as `<v Ross>Ross: happy`: web pages can style a voice, but do not show its name."""
    cues = ["WEBVTT\n", *(_cue(segment) for segment in in_milliseconds(result.segments))]
    path.write_text("\n".join(cues), encoding="utf-8")


def _cue(segment: Segment) -> str:
    voice, text = (escape(text, quote=False) for text in (segment.person, segment.caption))
    return f"{_clock(segment.start_ms)} --> {_clock(segment.end_ms)}\n<v {voice}>{text}\n"


def _clock(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:03d}"
