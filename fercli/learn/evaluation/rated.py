"""Agreement of ratings over time with reference ratings: CCC and others, person by person.

Compared at the moments of the annotation, ten a second. Reference values are interpolated between neighbours that are
no more than twice the usual distance apart (and never over more than LONGEST_S); moments without a value in both do
not count.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.errors import DatasetError, command
from fercli.files import require_regular_file
from fercli.formats.ratings import NAMES, Rated, has_ratings, read_ratings
from fercli.learn.evaluation.concordance import VideoConcordance, over_videos
from fercli.persons.names import UNASSIGNED
from fercli.results.load import load
from fercli.results.model import Signal
from fercli.workspace import Workspace

LONGEST_S = 2.0
"""Reference ratings are not interpolated over more, seconds."""
_ROUNDING_S = 1e-6

Ours = dict[tuple[str, str], tuple[NDArray[np.float64], NDArray[np.float64]]]
"""Rating and person -> (N,) times, and values with NaN where there is none."""


@dataclass(frozen=True)
class RatingScores:
    """Agreement of one rating.

    Attributes:
        agreement: over the persons, as over videos: each alike (`mean`), and all moments together (`pooled`).
        covered: person -> share of the moments with a reference value in which the annotation has one, too.
    """

    agreement: VideoConcordance
    covered: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        """For programs; null for what is not defined, as the correlation with a constant."""
        found = self.agreement
        persons = {
            name: {**asdict(one), "covered": round(self.covered[name], 4)} for name, one in found.per_video.items()
        }
        content = {"persons": persons, "mean": asdict(found.mean), "pooled": asdict(found.pooled)}
        plain: dict[str, Any] = json.loads(json.dumps(content), parse_constant=lambda _: None)
        return plain


def score_ratings(annotation: Path, truth: Path) -> tuple[dict[str, RatingScores], list[str]]:
    """Compare the ratings of a document or a workspace with reference ratings.

    Args:
        annotation: a document exported as json, a table of ratings, or a workspace.
        truth: a file for `formats.ratings.read_ratings`.

    Returns:
        Rating -> its scores, and messages about what was not compared.

    Raises:
        DatasetError: one of them cannot be read or has no ratings, or they have nothing in common.
        WorkspaceError: the workspace cannot be read.
    """
    ours, reference = _read(annotation), read_ratings(truth)
    persons = list(dict.fromkeys(person for _, person in ours))
    pairs: dict[str, dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]] = defaultdict(dict)
    covered: dict[str, dict[str, float]] = defaultdict(dict)
    notes = []
    for one in reference:
        person = _matching(one, persons, annotation, truth)
        if (one.name, person) not in ours:
            notes.append(f"{annotation} has no {one.name} of {person or one.person}, so it is not scored")
            continue
        seconds, values = ours[one.name, person]
        theirs = at_moments(one, seconds)
        known = np.isfinite(theirs)
        pairs[one.name][person] = values, theirs
        covered[one.name][person] = float(np.isfinite(values[known]).mean()) if known.any() else 0.0
    found = {}
    for name in [name for name in NAMES if name in pairs]:
        try:
            found[name] = RatingScores(over_videos(pairs[name]), covered[name])
        except ValueError:
            notes.append(f"{annotation} and {truth} have no moments of {name} in common, so it is not scored")
    if not found:
        raise DatasetError(
            f"{annotation} and {truth} have no ratings of the same person at the same time",
            hint="; ".join(notes) or "check the times, which are seconds, and the names of the persons",
            code="ratings-unusable",
        )
    return found, notes


def at_moments(rated: Rated, at_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) reference values at some times, interpolated linearly; NaN outside, and in holes."""
    known = np.isfinite(rated.values)
    times, values = rated.seconds[known], rated.values[known]
    if not len(times):
        return np.full(len(at_s), np.nan)
    usual = float(np.median(np.diff(rated.seconds))) if len(rated.seconds) > 1 else 0.0
    longest = min(2 * usual, LONGEST_S) if usual <= LONGEST_S else usual
    after = np.searchsorted(times, at_s - _ROUNDING_S).clip(0, len(times) - 1)
    before = (np.searchsorted(times, at_s + _ROUNDING_S, side="right") - 1).clip(0, len(times) - 1)
    inside = (at_s >= times[0] - _ROUNDING_S) & (at_s <= times[-1] + _ROUNDING_S)
    near = times[after] - times[before] <= longest + _ROUNDING_S
    return np.where(inside & near, np.interp(at_s, times, values), np.nan)


def is_about_ratings(truth: Path) -> bool:
    """Whether reference annotations are ratings over time, and not labels."""
    return truth.is_file() and has_ratings(truth)


def _matching(one: Rated, persons: Sequence[str], annotation: Path, truth: Path) -> str:
    """The person of the annotation with the name in the truth, or the only one."""
    if one.person:
        return next((name for name in persons if name.casefold() == one.person.casefold()), "")
    named = [name for name in persons if name != UNASSIGNED]
    if len(named) > 1:
        raise DatasetError(
            f"{truth} does not say whose {one.name} it is, and {annotation} has {len(named)} persons",
            hint=f"add a column `object` with one of {', '.join(named[:5])}",
            code="ratings-unusable",
        )
    return (named or list(persons) or [""])[0]


def _read(annotation: Path) -> Ours:
    if annotation.is_dir():
        result = load(Workspace.open(annotation))
        signals = list(result.ratings()) if result.ratings else []
        return _joined([_plain(signal) for signal in signals], annotation)
    require_regular_file(annotation, DatasetError, "give a document exported as json, or a workspace")
    if annotation.suffix.lower() != ".json":
        rows = [(one.name, one.person, one.seconds, one.values) for one in read_ratings(annotation)]
        return _joined(rows, annotation)
    return _joined(_of_document(annotation), annotation)


_Row = tuple[str, str, NDArray[np.float64], NDArray[np.float64]]


def _plain(signal: Signal) -> _Row:
    return signal.name, signal.person, signal.start_s, signal.values[:, 0].astype(np.float64)


def _of_document(path: Path) -> list[_Row]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        signals = content["signals"] if isinstance(content, Mapping) and "signals" in content else []
        return [
            (one["name"], one["object"], np.array(one["seconds"], np.float64), np.array(one["values"], np.float64))
            for one in signals
        ]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DatasetError(
            f"cannot read {path}: {error!r}", hint="export it again as json", code="file-unreadable"
        ) from error


def _joined(rows: Sequence[_Row], annotation: Path) -> Ours:
    """The tracks of each person, one behind the other; at a time that two tracks have, the first counts."""
    of_person: dict[tuple[str, str], list[_Row]] = defaultdict(list)
    for row in rows:
        of_person[row[0], row[1]].append(row)
    if not of_person:
        made = command("annotate", "VIDEO", "-o", annotation.name, "--with", "valence")
        raise DatasetError(
            f"{annotation} has no ratings over time", hint=f"make them with {made}", code="ratings-missing"
        )
    found: Ours = {}
    for key, own in of_person.items():
        seconds, values = (np.concatenate([row[place] for row in own]) for place in (2, 3))
        order = np.lexsort((~np.isfinite(values), seconds))
        seconds, values = seconds[order], values[order]
        first = np.diff(seconds, prepend=-np.inf) > _ROUNDING_S
        found[key] = seconds[first], values[first]
    return found
