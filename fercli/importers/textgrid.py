"""Praat's TextGrid, one interval tier a person, in any of its text forms and encodings.

Intervals without a label, point tiers, and tiers that name no emotion are passed over. A tier `Ross (2)` beside a tier
`Ross` is more of Ross.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from fercli.errors import DatasetError
from fercli.importers.marks import Annotations, Mark, emotion_of, mark, milliseconds_from_0


def read(path: Path) -> Annotations:
    """Read the file; places are intervals that have a label, counted from 1.

    Raises:
        DatasetError: it is not a TextGrid, or an interval in it is not usable.
        OSError: it cannot be read.
    """
    return Annotations(list(_marks(path)), written=milliseconds_from_0)


def _marks(path: Path) -> Iterator[Mark]:
    from praatio.data_classes.interval_tier import IntervalTier
    from praatio.textgrid import openTextgrid
    from praatio.utilities.errors import DuplicateTierName, PraatioException

    try:
        grid = openTextgrid(str(path), includeEmptyIntervals=False, reportingMode="silence")
    except DuplicateTierName as error:
        raise DatasetError(f"{path} has two tiers of one name", hint="give each a name of its own in Praat") from error
    except (PraatioException, ValueError, LookupError) as error:
        reason = str(error) or type(error).__name__
        reason = "it is not text in UTF-8 or UTF-16" if isinstance(error, UnicodeDecodeError) else reason
        raise DatasetError(f"cannot read {path}: {reason}", hint="save it again in Praat, as text") from error
    for tier in grid.tiers:
        labelled = [entry for entry in tier.entries if entry.label.strip()]
        if not isinstance(tier, IntervalTier) or not any(emotion_of(entry.label) for entry in labelled):
            continue
        for position, entry in enumerate(labelled, start=1):
            times = {"start": entry.start, "end": entry.end, "class": entry.label.strip()}
            place = f"{path}: tier {tier.name}, label {position}"
            yield mark({**times, "object": _person(tier.name, grid.tierNames), "tier": tier.name}, place)


def _person(tier: str, tiers: tuple[str, ...]) -> str:
    more_of = re.fullmatch(r"(.+) \(\d+\)", tier)
    return more_of[1] if more_of and more_of[1] in tiers else tier
