"""SubRip subtitles: `Ross: happy`, one cue per segment."""

from __future__ import annotations

from pathlib import Path

from pysubs2 import SSAEvent, SSAFile

from fercli.formats.timeline import in_milliseconds
from fercli.results.model import Result

_MARKUP = str.maketrans("<>{}\\", "()()/")
"""Players read these as markup, and the format cannot escape them."""


def write(result: Result, path: Path) -> None:
    """Write the assessed segments; characters that players read as markup are replaced."""
    subtitles = SSAFile()
    for segment in in_milliseconds(result.segments):
        text = segment.caption.translate(_MARKUP)
        subtitles.append(SSAEvent(segment.start_ms, segment.end_ms, text))
    subtitles.save(path, format_="srt")
