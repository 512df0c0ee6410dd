"""Praat: one interval tier per person, from 0 to the end of the video; no label if no emotion is known. With sound also
tiers of utterances, words and voices: `speech@Ross`, `words@Ross`, `voice@Ross`, or without a name if it is not known.

The long text format of https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html; the reader accepts all its
text formats and encodings. Intervals without a label and point tiers are skipped, and, with a note, tiers without
emotions. A tier `Ross (2)` beside a tier `Ross` also belongs to Ross.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from praatio.data_classes.interval_tier import IntervalTier
from praatio.data_classes.textgrid import Textgrid

from fercli.errors import DatasetError
from fercli.formats.annotations import (
    Annotations,
    Label,
    Line,
    composed,
    emotion_of,
    line,
    mark,
    milliseconds_from_0,
    not_an_emotion,
    without_emotions,
)
from fercli.formats.spoken import SPEECH, VOICE, WORDS, spoken_tiers
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
    for spoken in spoken_tiers(result, [tier.name for tier in rows]):
        said = [(one.start_ms / 1000, one.end_ms / 1000, one.text) for one in spoken.rows]
        grid.addTier(IntervalTier(spoken.name, said, 0, end_s), reportingMode="error")
    grid.save(str(path), "long_textgrid", includeBlankSpaces=True, reportingMode="error")


def _end_s(result: Result, rows: list[Tier]) -> float:
    """End of the video, or of the last segment if that is later."""
    ends_ms = [tier.segments[-1].end_ms for tier in rows if tier.segments]
    ends_ms += [one.end_ms + 10 for one in (*result.utterances, *result.words)]
    video_end_s: float = result.video["start_s"] + result.video["duration_s"]
    return max(round(video_end_s * 1000), *ends_ms, 1) / 1000


def read(path: Path) -> Annotations:
    """Read the file; places are intervals that have a label, counted from 1.

    Raises:
        DatasetError: it is not a TextGrid, or an interval in it is invalid.
        OSError: it cannot be read.
    """
    unusable: dict[str, DatasetError] = {}
    grid = _opened(path)
    marks = list(_marks(path, grid, unusable))
    notes = without_emotions(unusable, path)
    return Annotations(
        marks,
        written=milliseconds_from_0,
        notes=notes,
        unusable=unusable,
        said=_lines(path, grid, SPEECH),
        words=_lines(path, grid, WORDS),
        unread=_lines(path, grid, VOICE) or (),
    )


def _opened(path: Path) -> Textgrid:
    from praatio.textgrid import openTextgrid
    from praatio.utilities.errors import DuplicateTierName, PraatioException

    try:
        grid = openTextgrid(str(path), includeEmptyIntervals=False, reportingMode="silence")
    except DuplicateTierName as error:
        raise DatasetError(f"{path} has two tiers with the same name", hint="rename one in Praat") from error
    except (PraatioException, ValueError, LookupError) as error:
        reason = str(error) or type(error).__name__
        reason = "it is not text in UTF-8 or UTF-16" if isinstance(error, UnicodeDecodeError) else reason
        raise DatasetError(
            f"cannot read {path}: {reason}", hint="save it again in Praat, as text", code="file-unreadable"
        ) from error
    return grid


def _kind(tier: IntervalTier) -> str:
    """SPEECH, WORDS, VOICE, or another text for a tier of emotions."""
    return str(tier.name.partition("@")[0])


def _lines(path: Path, grid: Textgrid, kind: str) -> tuple[Line, ...] | None:
    """The lines of the tiers of a kind; None if there is no such tier."""
    own = [tier for tier in _intervals(grid) if _kind(tier) == kind]
    lines = []
    for tier in own:
        for position, entry in enumerate(tier.entries, start=1):
            times = round(1000 * entry.start), round(1000 * entry.end)
            place = f"{path}: tier {tier.name}, label {position}"
            lines.append(line(*times, entry.label, tier.name.partition("@")[2], place))
    return tuple(lines) if own else None


def _intervals(grid: Textgrid) -> list[IntervalTier]:
    return [tier for tier in grid.tiers if isinstance(tier, IntervalTier)]


def _marks(path: Path, grid: Textgrid, unusable: dict[str, DatasetError]) -> Iterator[Label]:
    """The marks of all tiers; those without an emotion go into `unusable`."""
    for tier in _intervals(grid):
        if _kind(tier) in (SPEECH, WORDS, VOICE):
            continue
        person = _person(tier.name, grid.tierNames)
        labelled = [(entry.start, entry.end, entry.label.strip()) for entry in tier.entries if entry.label.strip()]
        has_emotions = any(emotion_of(label) for _, _, label in labelled)
        for position, (start, end, label) in enumerate(labelled, start=1):
            place = f"{path}: tier {tier.name}, label {position}"
            if not has_emotions:
                unusable[composed(person)] = not_an_emotion(label, place)
                break
            yield mark({"start": start, "end": end, "class": label, "object": person, "tier": tier.name}, place)


def _person(tier: str, tiers: tuple[str, ...]) -> str:
    more_of = re.fullmatch(r"(.+) \(\d+\)", tier)
    return more_of[1] if more_of and more_of[1] in tiers else tier
