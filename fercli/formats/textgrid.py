"""Praat: an interval tier a person, from 0 to the end of the video; no label where no emotion is known.

The long text form of https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html.
"""

from __future__ import annotations

from pathlib import Path

from praatio.data_classes.interval_tier import IntervalTier
from praatio.data_classes.textgrid import Textgrid

from fercli.formats.document import Document
from fercli.formats.timeline import Tier, tiers


def write(document: Document, path: Path) -> None:
    """Write the assessed segments; a person with overlapping ones has several tiers."""
    rows = tiers(document, document.segments)
    end_s = _end_s(document, rows)
    grid = Textgrid(0, end_s)
    for tier in rows:
        entries = [(i.start_ms / 1000, i.end_ms / 1000, i.emotion) for i in tier.intervals]
        grid.addTier(IntervalTier(tier.name, entries, 0, end_s), reportingMode="error")
    grid.save(str(path), "long_textgrid", includeBlankSpaces=True, reportingMode="error")


def _end_s(document: Document, rows: list[Tier]) -> float:
    """Until the video ends, or the last segment if it goes on."""
    ends_ms = [tier.intervals[-1].end_ms for tier in rows if tier.intervals]
    video_end_s: float = document.video["start_s"] + document.video["duration_s"]
    return max(round(video_end_s * 1000), *ends_ms, 1) / 1000
