"""SubRip subtitles: `Ross: happy`, a cue a segment."""

from __future__ import annotations

from pathlib import Path

from pysubs2 import SSAEvent, SSAFile

from fercli.formats.document import Document
from fercli.formats.timeline import intervals

_MARKUP = str.maketrans("<>{}\\", "()()/")
"""Players take these for markup, and the format has no way to say that they are not."""


def write(document: Document, path: Path) -> None:
    """Write the assessed segments; signs that players take for markup become others."""
    subtitles = SSAFile()
    for interval in intervals(document.segments):
        text = interval.caption.translate(_MARKUP)
        subtitles.append(SSAEvent(interval.start_ms, interval.end_ms, text))
    subtitles.save(path, format_="srt")
