"""WebVTT, the captions of web pages: a cue a segment, with the person as its voice.

The form of https://www.w3.org/TR/webvtt1/.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

from fercli.formats.document import Document
from fercli.formats.timeline import Interval, intervals


def write(document: Document, path: Path) -> None:
    """Write the assessed segments as `<v Ross>Ross: happy`: pages can style a voice, but do not show its name."""
    cues = ["WEBVTT\n", *(_cue(interval) for interval in intervals(document.segments))]
    path.write_text("\n".join(cues), encoding="utf-8")


def _cue(interval: Interval) -> str:
    voice, text = (escape(text, quote=False) for text in (interval.segment.person, interval.caption))
    return f"{_clock(interval.start_ms)} --> {_clock(interval.end_ms)}\n<v {voice}>{text}\n"


def _clock(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:03d}"
