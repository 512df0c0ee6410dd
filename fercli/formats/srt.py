"""SubRip subtitles: `Ross: happy`, a cue a segment."""

from __future__ import annotations

from pathlib import Path

from pysubs2 import SSAEvent, SSAFile

from fercli.formats.timeline import in_milliseconds
from fercli.results.model import Result

_MARKUP = str.maketrans("<>{}\\", "()()/")
"""Players take these for markup, and the format has no way to say that they are not."""


def write(result: Result, path: Path) -> None:
    """Write the assessed segments; signs that players take for markup become others."""
    subtitles = SSAFile()
    for segment in in_milliseconds(result.segments):
        text = segment.caption.translate(_MARKUP)
        subtitles.append(SSAEvent(segment.start_ms, segment.end_ms, text))
    subtitles.save(path, format_="srt")
