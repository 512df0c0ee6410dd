"""What the page draws: the timeline, which changes with every edit, and the tracks, which do not.

Times are whole milliseconds, boxes whole pixels, probabilities and ratings whole percent; long ascending columns are
steps, the first value and then the differences. `schemas.Timeline` and `schemas.TracksDrawn` describe every column.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli import tables
from fercli.edits.listing import rows_of
from fercli.edits.state import PERSONS, read_state
from fercli.expressions.valence import RATE_HZ
from fercli.geometry import keyframes
from fercli.labels import EMOTIONS_8, NOT_ASSESSABLE
from fercli.results.details import Details, read_details
from fercli.results.model import Interval, Person, Result, Segment
from fercli.results.said import joined
from fercli.results.smoothed import SmoothedProbabilities
from fercli.results.valence import SERIES, load_ratings
from fercli.tables import rows_by_value
from fercli.views.render.sampled import Sampled
from fercli.views.report.columns import class_facts, ms, steps
from fercli.views.report.content import RATED
from fercli.views.report.thinning import bin_stream
from fercli.workspace import Workspace

_BINS = 60_000
"""Approximate number of bins of all streams of a video."""
_SHORTEST_BIN_S = 0.1
_TOLERANCE = 0.04
"""Largest deviation of an interpolated edge of a box between keyframes, as a share of its side."""
CLASSES = (*EMOTIONS_8, NOT_ASSESSABLE)
"""The classes of all columns, and of the keys 1 to 8 in the page."""


def timeline(result: Result, workspace: Workspace) -> dict[str, Any]:
    """Persons with their segments, and the edits.

    Args:
        result: with all edits.
        workspace: where it was read.
    """
    video = result.video
    everyone = [*result.everyone, *result.ignored]
    said = _said(result)
    return {
        "classes": [class_facts(name) for name in CLASSES],
        "video": {
            "name": video["name"],
            "start": ms(video["start_s"]),
            "end": max(ms(video["start_s"] + video["duration_s"]), ms(video["start_s"]) + 1),
            "unseen": [[ms(one.start_s), ms(one.end_s)] for one in result.not_analysed],
            "width": video["width"],
            "height": video["height"],
        },
        "persons": [_person(person, said.get(person.name, ())) for person in everyone],
        "speech": {
            "start": [one.start_ms for one in result.utterances],
            "end": [one.end_ms for one in result.utterances],
            "text": [one.text for one in result.utterances],
            "person": [one.person for one in result.utterances],
        },
        "rated": result.ratings is not None,
        "warnings": result.warnings,
        "edits": rows_of(read_state(workspace)),
    }


def edits(result: Result, workspace: Workspace) -> dict[str, Any]:
    """The log of edits, and the warnings."""
    return {"edits": rows_of(read_state(workspace)), "warnings": result.warnings}


def tracks(workspace: Workspace) -> dict[str, Any]:
    """Boxes, probabilities and ratings of every track, and the cuts.

    Raises:
        CorruptTable: a table cannot be read.
    """
    people = tables.read_table(workspace.table(PERSONS), tables.SCHEMAS[PERSONS]).to_pylist()
    details = read_details(workspace, {row["track"]: "" for row in people})
    cuts = Sampled.of(tables.read_table(workspace.table("frames"), tables.FRAMES)).cuts_s
    return {
        "shots": steps(np.array(cuts, np.float64) * 1000),
        "labels": [CLASSES.index(label) for label in details.labels],
        "boxes": _boxes(details),
        "streams": _streams(details, _predicted(workspace), workspace.video.start_s),
        "rated": _rated(workspace, [row["track"] for row in people]),
    }


def _said(result: Result) -> dict[str, list[tuple[Interval, str]]]:
    """Person -> the words that the person says one after the other in an utterance: when, and which."""
    found: dict[str, list[tuple[Interval, str]]] = defaultdict(list)
    texts = {one.number: one.text for one in result.utterances}
    counts = Counter(word.utterance for word in result.words)
    for (number, person), group in groupby(result.words, key=lambda word: (word.utterance, word.person)):
        words = list(group)
        if person is None or result.speech is None:
            continue
        whole = len(words) == counts[number]
        text = texts[number] if whole else joined(words, result.speech.language)
        found[person].append((Interval(words[0].start_s, max(word.end_s for word in words)), text))
    return found


def _person(person: Person, said: Sequence[tuple[Interval, str]]) -> dict[str, Any]:
    segments = person.segments
    return {
        "name": person.name,
        "ignored": person.ignored,
        "by_hand": person.by_hand,
        "seconds": person.screen_time_s,
        "identity": person.identity,
        "face": person.best.best_face if person.tracks else None,
        "tracks": {
            "track": [track.track for track in person.tracks],
            "start": [track.start_ms for track in person.tracks],
            "end": [track.end_ms for track in person.tracks],
        },
        "segments": {
            "start": [segment.start_ms for segment in segments],
            "end": [segment.end_ms for segment in segments],
            "class": [CLASSES.index(segment.emotion) for segment in segments],
            "score": [None if segment.score is None else round(100 * segment.score) for segment in segments],
            "reason": [segment.reason for segment in segments],
            "doubtful": [segment.doubtful for segment in segments],
            "track": [segment.track for segment in segments],
            "human": [int(segment.source == "human") for segment in segments],
        },
        "said": {
            "start": [when.start_ms for when, _ in said],
            "end": [when.end_ms for when, _ in said],
            "text": [text for _, text in said],
        },
    }


def _boxes(details: Details) -> dict[str, list[Any]]:
    names = ("x1", "y1", "x2", "y2")
    of_track = rows_by_value(details.faces["track"])
    pts_s, end_s = (details.faces[name].to_numpy() for name in ("pts_s", "end_s"))
    edges = np.stack([details.faces[name].to_numpy().astype(np.float64) for name in names], axis=1)
    kept = [rows[_keyframes(pts_s[rows], edges[rows])] for rows in of_track.values()]
    every = np.concatenate([*kept, np.zeros(0, np.int64)])
    sizes = [len(one) for one in kept]
    return {
        "track": list(of_track),
        "end": [ms(end_s[rows[-1]]) for rows in of_track.values()],
        "pts": _steps_of_each(pts_s[every] * 1000, sizes),
        **{name: _steps_of_each(edge, sizes) for name, edge in zip(names, edges[every].T, strict=True)},
    }


def _keyframes(pts_s: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    side = float(np.median(np.maximum(edges[:, 2] - edges[:, 0], edges[:, 3] - edges[:, 1])))
    return keyframes(pts_s, edges, max(1.0, _TOLERANCE * side))


def _predicted(workspace: Workspace) -> list[Segment]:
    rows = tables.read_table(workspace.table("segments"), tables.SEGMENTS).to_pylist()
    return [Segment(row["start_s"], row["end_s"], emotion=row["class"], person="", track=row["track"]) for row in rows]


def _streams(details: Details, predicted: list[Segment], origin_s: float) -> dict[str, list[Any]]:
    """Of each track the probabilities beside the label, as the report draws them, in bins."""
    windows = details.windows.select(["track", "start_s", "end_s", *details.labels]).combine_chunks()
    start_s, end_s = (windows[name].to_numpy() for name in ("start_s", "end_s"))
    values: NDArray[np.float64] = SmoothedProbabilities(replace(details, windows=windows)).of_windows(
        windows, predicted
    )
    return _binned(windows["track"].to_numpy(), start_s, end_s, values, origin_s)


def _rated(workspace: Workspace, numbers: Sequence[int]) -> dict[str, Any]:
    """Of each track the ratings over time, in bins, and from what they are; no track where there are none."""
    ratings, _, _ = load_ratings(workspace, [], dict.fromkeys(numbers, ""))
    first = next(ratings(), None) if ratings else None
    if first is None:
        return {"source": "", "track": [], "step": [], "bin": [], "percent": []}
    # All tracks at once: a long video has thousands, and to read and check each alone takes ten times as long.
    rows = tables.read_table(workspace.table("valence"), tables.VALENCE)
    start_s = rows["seconds"].to_numpy()
    values = np.stack([rows[SERIES[name][place]].to_numpy() for name, place in RATED], axis=1).astype(np.float64)
    values[:, 1:3] = np.where(np.isnan(values[:, 1:3]), values[:, :1], values[:, 1:3])  # a network without an error
    track, origin_s = rows["track"].to_numpy(), workspace.video.start_s
    return {"source": first.source, **_binned(track, start_s, start_s + 1 / RATE_HZ, values, origin_s)}


def _binned(
    track: NDArray[np.int64],
    start_s: NDArray[np.float64],
    end_s: NDArray[np.float64],
    values: NDArray[np.float64],
    origin_s: float,
) -> dict[str, list[Any]]:
    """Means of each track in bins, all of the same length.

    The tracks are binned in one go, each after the end of the one before.
    """
    numbers, place = np.unique(track, return_inverse=True)
    step_s = max(_SHORTEST_BIN_S, float(np.sum(end_s - start_s)) / _BINS)
    first = int(np.floor((start_s.min(initial=origin_s) - origin_s) / step_s))
    each = int(np.ceil((end_s.max(initial=origin_s) - origin_s) / step_s)) + 1 - first
    shift = (place * each - first) * step_s
    stream = bin_stream(start_s + shift, end_s + shift, values, origin_s=origin_s, shortest_s=step_s, most=2 * _BINS)
    owner, bins = np.divmod(stream.bins, each)
    sizes = np.bincount(owner, minlength=len(numbers)).tolist()
    percent = np.rint(100 * stream.values).astype(int).T.tolist()
    ends = np.cumsum([0, *sizes]).tolist()
    return {
        "track": numbers.tolist(),
        "step": [round(1000 * step_s, 3)] * len(numbers),
        "bin": _steps_of_each(bins + first, sizes),
        "percent": [[column[begin:end] for column in percent] for begin, end in pairwise(ends)],
    }


def _steps_of_each(values: NDArray[Any], sizes: Sequence[int]) -> list[list[int]]:
    """As `steps`, of runs of values one after the other, of so many each."""
    whole = np.rint(values).astype(np.int64)
    ends = np.cumsum([0, *sizes])
    found = np.diff(whole, prepend=0)
    begins = ends[:-1][np.array(sizes, np.int64) > 0]
    found[begins] = whole[begins]
    listed = found.tolist()
    return [listed[begin:end] for begin, end in pairwise(ends.tolist())]
