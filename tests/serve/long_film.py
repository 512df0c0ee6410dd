"""The workspace of a long film: hours of video with many persons, with words and valence, made in seconds.

As in television: a cut every few seconds, one to four faces in a shot, a few leading persons and many others, faces
that move a little from frame to frame, and expressions that last two or three seconds.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli import tables
from fercli.labels import EMOTIONS_8, NOT_ASSESSABLE
from fercli.media.images import encode_jpeg
from fercli.workspace import VideoFacts, Workspace
from tests.fake_speech import add_speech
from tests.rated import rate
from tests.workspaces import frames_table, make_workspace, noise_crops, persons_table, tracks_table

FPS = 5
"""Sampled frames a second."""
PERSONS = 30
SHOT_S = (2.0, 9.0)
SEGMENT_S, WINDOW_S = 2.5, 0.4
UNSEEN = 0.08
"""Share of segments that are not assessable."""
LINE_S, PAUSE_S = 2.5, 2.3
SENTENCE = "I never said that you could take it home"


def make_long_film(path: Path, video: VideoFacts, persons: int = PERSONS) -> Workspace:
    """The workspace of a video of any length that starts at 0; the same each time."""
    rng = np.random.default_rng(1)
    pts = np.arange(0, video.duration_s, 1 / FPS)
    shots = np.zeros(len(pts), np.int64)
    tracks: list[tuple[str | None, int, int]] = []  # person, first frame, frame after the last
    weights = 1 / np.arange(1, persons + 1) ** 0.8
    first = shot = 0
    while first < len(pts):
        after = min(first + int(rng.uniform(*SHOT_S) * FPS), len(pts))
        shots[first:after] = shot
        seen = rng.choice(persons, min(int(rng.integers(1, 5)), persons), replace=False, p=weights / weights.sum())
        tracks += [(f"Person {number + 1}", first, after) for number in sorted(seen)]
        first, shot = after, shot + 1
    spans = np.array([(start, end) for _, start, end in tracks])
    frame = np.concatenate([np.arange(start, end) for start, end in spans])
    track = np.repeat(np.arange(len(spans)), spans[:, 1] - spans[:, 0])
    order = np.lexsort((track, frame))
    frame, track = frame[order], track[order]
    members = {number: np.flatnonzero(track == number) for number in range(len(tracks))}
    times = [(float(pts[start]), float(pts[start] + (end - start) / FPS)) for start, end in spans]
    rows = persons_table([(n, tracks[n][0], *times[n]) for n in members], {n: int(m[0]) for n, m in members.items()})
    segments, windows = _expressions(rng, times, members)
    made = make_workspace(
        path,
        video,
        frames=frames_table(pts.tolist(), shots=shots.tolist()),
        faces=_faces(rng, video, frame, track, members),
        attributes=_attributes(len(frame)),
        crops=_crops(len(frame)),
        tracks=tracks_table({number: own.tolist() for number, own in members.items()}),
        persons=rows,
        emotions=windows,
        segments=segments,
    )
    add_speech(made, _lines(video.duration_s))
    rate(made)
    return made


def _faces(
    rng: np.random.Generator,
    video: VideoFacts,
    frame: NDArray[np.int64],
    track: NDArray[np.int64],
    members: dict[int, NDArray[np.int64]],
) -> pa.Table:
    """Faces a fifth as high as the picture, which drift and tremble."""
    side = video.height / 5
    middle = np.zeros((len(frame), 2))
    for own in members.values():
        steps = rng.normal(0, 0.05 * side, (len(own), 2)).cumsum(axis=0)
        middle[own] = rng.uniform((side, side), (video.width - side, video.height - side)) + steps
    middle += rng.normal(0, 0.01 * side, middle.shape)
    columns: dict[str, Any] = {
        "face": np.arange(len(frame)),
        "frame": frame,
        "score": 0.9,
        "detected": True,
        "landmarks": None,
    }
    edges = np.clip(middle[:, [0, 1, 0, 1]] + np.array([-1, -1, 1, 1]) * side / 2, 0, None)
    columns |= dict(zip(("x1", "y1", "x2", "y2"), edges.T, strict=True))
    columns |= {"size": side, "sharpness": 200.0, "contrast": 1000.0, "frontal": 0.9, "roll": 0.0}
    return _table(columns, tables.FACES, len(frame))


def _expressions(
    rng: np.random.Generator, times: list[tuple[float, float]], members: dict[int, NDArray[np.int64]]
) -> tuple[pa.Table, pa.Table]:
    segments: list[dict[str, Any]] = []
    windows: list[dict[str, Any]] = []
    for number, (start_s, end_s) in enumerate(times):
        cuts = np.append(np.arange(start_s, end_s - 0.5, SEGMENT_S * rng.uniform(0.6, 1.4)), end_s)
        for begin, end in pairwise(cuts.tolist()):
            known = rng.random() > UNSEEN
            emotion = str(rng.choice(EMOTIONS_8)) if known else NOT_ASSESSABLE
            span = {"track": number, "start_s": begin, "end_s": end, "face": int(members[number][0])}
            reason = "" if known else "blurred"
            score = 0.7 if known else None
            segments.append({**span, "class": emotion, "score": score, "reason": reason, "doubtful": ""})
            parts = np.append(np.arange(begin, end - 0.1, WINDOW_S), end).tolist()
            for from_s, to_s in pairwise(parts):
                shares = rng.dirichlet(np.where(np.array(EMOTIONS_8) == emotion, 8.0, 0.6)).tolist()
                values = dict(zip(EMOTIONS_8, shares if known else [None] * len(shares), strict=True))
                windows.append({**span, "start_s": from_s, "end_s": to_s, "reason": reason, **values})
    schema = tables.windows_schema(EMOTIONS_8)
    return pa.Table.from_pylist(segments, schema=tables.SEGMENTS), pa.Table.from_pylist(windows, schema=schema)


def _attributes(count: int) -> pa.Table:
    columns: dict[str, Any] = dict.fromkeys(tables.ATTRIBUTES.names, 0.02)
    return _table({**columns, "face": np.arange(count), "flag": 1.0}, tables.ATTRIBUTES, count)


def _crops(count: int) -> pa.Table:
    pictures = [encode_jpeg(image) for image in noise_crops(32)]
    jpegs = [pictures[number % len(pictures)] for number in range(count)]
    return _table({"face": np.arange(count), "jpeg": jpegs}, tables.CROPS, count)


def _lines(duration_s: float) -> list[tuple[float, float, str]]:
    starts = np.arange(1.0, duration_s - LINE_S, LINE_S + PAUSE_S)
    return [(float(start), float(start) + LINE_S, SENTENCE) for start in starts]


def _table(columns: dict[str, Any], schema: pa.Schema, count: int) -> pa.Table:
    """Columns, or one value for all rows."""
    arrays = []
    for field in schema:
        value = columns[field.name]
        many = value if isinstance(value, (np.ndarray, list)) else [value] * count
        arrays.append(
            pa.array(many, type=pa.from_numpy_dtype(many.dtype)).cast(field.type)
            if isinstance(many, np.ndarray)
            else pa.array(many, field.type)
        )
    return pa.Table.from_arrays(arrays, schema=schema)
