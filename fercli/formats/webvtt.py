"""WebVTT, the captions of web pages: one cue per segment, or what is said, with the person as its voice.

Format: https://www.w3.org/TR/webvtt1/.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

from fercli.formats.spoken import clock, cues
from fercli.formats.timeline import in_milliseconds
from fercli.results.model import Result, Segment


def write(result: Result, path: Path) -> None:
    """Write the assessed segments as `<v Ross>Ross: happy`: web pages can style a voice, but do not show its name."""
    cues = ["WEBVTT\n", *(_cue(segment) for segment in in_milliseconds(result.segments))]
    path.write_text("\n".join(cues), encoding="utf-8")


def write_speech(result: Result, path: Path) -> None:
    """Write what is said as `<v Ross>Hello.`; without a voice if the speaker is unknown."""
    lines = ["WEBVTT\n"]
    for one in cues(result):
        voice = f"<v {escape(one.speaker, quote=False)}>" if one.speaker else ""
        lines.append(f"{clock(one.start_ms)} --> {clock(one.end_ms)}\n{voice}{escape(one.text, quote=False)}\n")
    path.write_text("\n".join(lines), encoding="utf-8")


def _cue(segment: Segment) -> str:
    voice, text = (escape(text, quote=False) for text in (segment.person, segment.caption))
    return f"{clock(segment.start_ms)} --> {clock(segment.end_ms)}\n<v {voice}>{text}\n"
