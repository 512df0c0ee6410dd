"""SubRip subtitles: `Ross: happy`, one cue per segment; or what is said, `Ross: Hello.`."""

from __future__ import annotations

from pathlib import Path

from pysubs2 import SSAEvent, SSAFile

from fercli.formats.spoken import captions
from fercli.formats.timeline import in_milliseconds
from fercli.results.model import Result

MARKUP = str.maketrans("<>{}\\", "()()/")
"""Players read these as markup, and the format cannot escape them."""


def write(result: Result, path: Path) -> None:
    """Write the assessed segments; characters that players read as markup are replaced."""
    subtitles = SSAFile()
    for segment in in_milliseconds(result.segments):
        text = segment.caption.translate(MARKUP)
        subtitles.append(SSAEvent(segment.start_ms, segment.end_ms, text))
    subtitles.save(path, format_="srt")


def write_speech(result: Result, path: Path) -> None:
    """Write what is said, with the speaker in front; characters that players read as markup are replaced."""
    subtitles = SSAFile()
    for one in captions(result):
        subtitles.append(SSAEvent(one.start_ms, one.end_ms, one.text.translate(MARKUP)))
    subtitles.save(path, format_="srt")
