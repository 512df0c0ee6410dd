"""Praat: an interval tier a person, from 0 to the end of the video; no label where no emotion is known.

The long text form of https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html.
"""

from __future__ import annotations

from pathlib import Path

from praatio.data_classes.interval_tier import IntervalTier
from praatio.data_classes.textgrid import Textgrid

from fercli.formats.timeline import Tier, tiers
from fercli.results.model import Result


def write(result: Result, path: Path) -> None:
    """Write the assessed segments; a person with overlapping ones has several tiers."""
    rows = tiers(result, result.segments)
    end_s = _end_s(result, rows)
    grid = Textgrid(0, end_s)
    for tier in rows:
        entries = [(i.start_ms / 1000, i.end_ms / 1000, i.short_name) for i in tier.segments]
        grid.addTier(IntervalTier(tier.name, entries, 0, end_s), reportingMode="error")
    grid.save(str(path), "long_textgrid", includeBlankSpaces=True, reportingMode="error")


def _end_s(result: Result, rows: list[Tier]) -> float:
    """Until the video ends, or the last segment if it goes on."""
    ends_ms = [tier.segments[-1].end_ms for tier in rows if tier.segments]
    video_end_s: float = result.video["start_s"] + result.video["duration_s"]
    return max(round(video_end_s * 1000), *ends_ms, 1) / 1000
