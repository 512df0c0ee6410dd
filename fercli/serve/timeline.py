"""What the page draws: the timeline, which changes with every edit, and the tracks, which do not.

Times are whole milliseconds, boxes whole pixels, probabilities and ratings whole percent; long ascending columns are
steps, the first value and then the differences. `schemas.Timeline` and `schemas.TracksDrawn` describe every column.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli import tables
from fercli.edits.listing import rows_of
from fercli.edits.state import PERSONS, read_state
from fercli.geometry import keyframes
from fercli.labels import EMOTIONS_8, NOT_ASSESSABLE
from fercli.results.details import Details, read_details
from fercli.results.model import Interval, Person, Result, Segment, Signal
from fercli.results.said import joined
from fercli.results.smoothed import SmoothedProbabilities
from fercli.results.valence import load_ratings
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
        "warnings": result.warnings,
        "edits": rows_of(read_state(workspace)),
    }


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
    columns: dict[str, list[Any]] = {name: [] for name in ("track", "end", "pts", *names)}
    for track, rows in rows_by_value(details.faces["track"]).items():
        own = details.faces.take(rows)
        pts = own["pts_s"].to_numpy()
        edges = np.stack([own[name].to_numpy().astype(np.float64) for name in names], axis=1)
        side = float(np.median(np.maximum(edges[:, 2] - edges[:, 0], edges[:, 3] - edges[:, 1])))
        kept = keyframes(pts, edges, max(1.0, _TOLERANCE * side))
        columns["track"].append(track)
        columns["end"].append(ms(own["end_s"][-1].as_py()))
        columns["pts"].append(steps(pts[kept] * 1000))
        for name, edge in zip(names, edges[kept].T, strict=True):
            columns[name].append(steps(edge))
    return columns


def _predicted(workspace: Workspace) -> dict[int, list[Segment]]:
    rows = tables.read_table(workspace.table("segments"), tables.SEGMENTS).to_pylist()
    found: dict[int, list[Segment]] = defaultdict(list)
    for row in rows:
        found[row["track"]].append(
            Segment(row["start_s"], row["end_s"], emotion=row["class"], person="", track=row["track"])
        )
    return found


def _streams(details: Details, predicted: dict[int, list[Segment]], origin_s: float) -> dict[str, list[Any]]:
    """Of each track the probabilities beside the label, as the report draws them, in bins."""
    start, end = (details.windows[name].to_numpy() for name in ("start_s", "end_s"))
    smoothed = SmoothedProbabilities(details)
    shortest = max(_SHORTEST_BIN_S, float(np.sum(end - start)) / _BINS)
    columns: dict[str, list[Any]] = {name: [] for name in ("track", "step", "bin", "percent")}
    for track, rows in rows_by_value(details.windows["track"]).items():
        values: NDArray[np.float64] = smoothed.of_windows(details.windows.take(rows), predicted.get(track, []))
        stream = bin_stream(start[rows], end[rows], values, origin_s=origin_s, shortest_s=shortest, most=_BINS)
        columns["track"].append(track)
        columns["step"].append(round(1000 * stream.step_s, 3))
        columns["bin"].append(steps(stream.bins))
        columns["percent"].append(np.rint(100 * stream.values).astype(int).T.tolist())
    return columns


def _rated(workspace: Workspace, numbers: Sequence[int]) -> dict[str, Any]:
    """Of each track the ratings over time, in bins, and from what they are; no track where there are none."""
    ratings, _, _ = load_ratings(workspace, [], dict.fromkeys(numbers, ""))
    found: dict[int, dict[str, Signal]] = defaultdict(dict)
    for signal in ratings() if ratings else ():
        found[signal.track][signal.name] = signal
    seconds = sum(float(np.sum(own["valence"].end_s - own["valence"].start_s)) for own in found.values())
    shortest = max(_SHORTEST_BIN_S, seconds / _BINS)
    columns: dict[str, Any] = {"source": "", "track": [], "step": [], "bin": [], "percent": []}
    for track, own in found.items():
        values = np.stack([own[name].values[:, place] for name, place in RATED], axis=1).astype(np.float64)
        values[:, 1:3] = np.where(np.isnan(values[:, 1:3]), values[:, :1], values[:, 1:3])  # a network without an error
        valence, origin_s = own["valence"], workspace.video.start_s
        stream = bin_stream(valence.start_s, valence.end_s, values, origin_s=origin_s, shortest_s=shortest, most=_BINS)
        columns["source"] = valence.source
        columns["track"].append(track)
        columns["step"].append(round(1000 * stream.step_s, 3))
        columns["bin"].append(steps(stream.bins))
        columns["percent"].append(np.rint(100 * stream.values).astype(int).T.tolist())
    return columns
