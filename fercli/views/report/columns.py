"""The data of the page as columns of integers, which are small and fast to read: milliseconds, pixels, percent."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.colours import COLOURS, as_hex, ink_on
from fercli.geometry import keyframes
from fercli.labels import NOT_ASSESSABLE, RECORD_NAMES
from fercli.tables import rows_by_value
from fercli.views.report.balance import SIGNS
from fercli.views.report.content import LINES, Content, PersonContent
from fercli.views.report.playback import Playback
from fercli.views.report.thumbnails import COLUMNS, SIDE

_TOLERANCE = 0.04
"""Largest deviation of an interpolated edge between two keyframes, as a share of the longer side; at least 1 pixel."""

_LINE_UNITS = np.array([1.0 if name == "yaw" else 100.0 for name in LINES])
"""Shares are percent on the page, angles stay degrees."""


def charts(content: Content, playback: Playback) -> dict[str, Any]:
    """The data of the charts. Class n is `classes[n]`; the last one is `not assessable`."""
    names = content.classes
    video = content.result.video
    return {
        "classes": [class_facts(name) for name in names],
        "lines": list(LINES),
        "video": {
            "source": playback.source,
            "problem": playback.problem,
            "start": ms(video["start_s"]),
            "end": max(ms(video["start_s"] + video["duration_s"]), ms(video["start_s"]) + 1),
            "unseen": [[ms(one.start_s), ms(one.end_s)] for one in content.result.not_analysed],
            "size": video["size"],
            "width": video["width"],
            "height": video["height"],
        },
        "shots": steps(content.shots_s * 1000),
        "sheet": {"side": SIDE, "columns": COLUMNS},
        "persons": [_person(person, {name: number for number, name in enumerate(names)}) for person in content.persons],
    }


def boxes(content: Content) -> dict[str, list[Any]]:
    """The boxes of each track at keyframes: `pts` and the four edges as steps from the one before."""
    faces = content.faces.select(["pts_s", "end_s", "x1", "y1", "x2", "y2"])
    person_of = {row.track: number for number, person in enumerate(content.persons) for row in person.person.tracks}
    columns: dict[str, list[Any]] = {name: [] for name in ("track", "person", "end", "pts", "x1", "y1", "x2", "y2")}
    for track, rows in rows_by_value(content.faces["track"]).items():
        own = faces.take(rows)
        pts = own["pts_s"].to_numpy()
        edges = np.stack([own[name].to_numpy().astype(np.float64) for name in ("x1", "y1", "x2", "y2")], axis=1)
        side = float(np.median(np.maximum(edges[:, 2] - edges[:, 0], edges[:, 3] - edges[:, 1])))
        kept = keyframes(pts, edges, max(1.0, _TOLERANCE * side))
        columns["track"].append(track)
        columns["person"].append(person_of[track])
        columns["end"].append(ms(own["end_s"][-1].as_py()))
        columns["pts"].append(steps(pts[kept] * 1000))
        for name, edge in zip(("x1", "y1", "x2", "y2"), edges[kept].T, strict=True):
            columns[name].append(steps(edge))
    return columns


def class_facts(name: str) -> dict[str, Any]:
    """How a class is drawn, by its canonical name."""
    shown = RECORD_NAMES[name]
    return {
        "name": shown,
        "letters": "\N{EN DASH}" if name == NOT_ASSESSABLE else shown[:2].title(),
        "colour": as_hex(COLOURS[name]),
        "ink": as_hex(ink_on(COLOURS[name])),
        "sign": SIGNS.get(name, 0),
    }


def _person(content: PersonContent, number_of: dict[str, int]) -> dict[str, Any]:
    segments, stream = content.person.segments, content.stream
    unnamed = len(number_of) - 1 - stream.values.shape[1]
    probabilities = np.pad(stream.values, ((0, 0), (0, unnamed)))  # classes that only occur in manual annotations
    return {
        "name": content.person.name,
        "lanes": int(content.lane.max(initial=0)) + 1,
        "segments": {
            "start": [ms(segment.start_s) for segment in segments],
            "end": [ms(segment.end_s) for segment in segments],
            "class": [number_of[segment.emotion] for segment in segments],
            "score": [None if segment.score is None else round(100 * segment.score) for segment in segments],
            "reason": [segment.reason for segment in segments],
            "doubtful": [segment.doubtful for segment in segments],
            "track": [segment.track for segment in segments],
            "lane": content.lane.tolist(),
            "human": [int(segment.source == "human") for segment in segments],
            "apex": [None if segment.course is None else ms(segment.course.apex_s) for segment in segments],
        },
        "stream": {
            "step": round(1000 * stream.step_s, 3),
            "bin": steps(stream.bins),
            "percent": np.rint(100 * probabilities).astype(int).T.tolist(),
        },
        "measured": {
            "step": round(1000 * content.measured.step_s, 3),
            "bin": steps(content.measured.bins),
            "percent": np.rint(content.measured.values * _LINE_UNITS).astype(int).T.tolist(),
        },
        "said": {
            "start": [ms(one.start_s) for one in content.said],
            "end": [ms(one.end_s) for one in content.said],
            "text": [one.text for one in content.said],
        },
        "rated": {
            "step": round(1000 * content.rated.step_s, 3),
            "bin": steps(content.rated.bins),
            "percent": np.rint(100 * content.rated.values).astype(int).T.tolist(),
        },
        "faces": steps(content.face_pts_s * 1000),
    }


def steps(values: NDArray[Any]) -> list[int]:
    """The first value and the differences, rounded so that rounding errors do not accumulate."""
    steps: list[int] = np.diff(np.rint(values).astype(np.int64), prepend=0).tolist()
    return steps


def ms(seconds: float) -> int:
    """Whole milliseconds."""
    return round(1000 * seconds)
