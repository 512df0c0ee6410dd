"""Person and emotion of each face (`Details.faces`), for the formats with boxes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli.expressions.valence import RATE_HZ
from fercli.formats.head_pose import xyz_angles
from fercli.labels import NOT_ASSESSABLE
from fercli.results.details import Details
from fercli.results.model import Result, Segment
from fercli.tables import rows_by_value

EDGES = ("x1", "y1", "x2", "y2")
_AT_ONCE = 500
"""Meshes held at the same time, 6 kB each."""


def rows_of_segments(result: Result, faces: pa.Table) -> Iterator[tuple[Segment, NDArray[np.int64]]]:
    """Each segment and gap, by start, with the rows of the faces of its track within its time.

    A manual annotation applies to all faces of its person, in any track. A segment within a still picture has its face.
    """
    pts, ends = faces["pts_s"].to_numpy(), faces["end_s"].to_numpy()
    of_track, of_person = rows_by_value(faces["track"]), rows_by_value(faces["person"])
    nothing = np.zeros(0, np.int64)
    for segment in result.all_segments:
        if segment.source == "human":
            rows = of_person.get(segment.person, nothing)
        else:
            rows = of_track.get(segment.track, nothing)
        first, last = np.searchsorted(pts[rows], (segment.start_s, segment.end_s))
        if first == last and first and ends[rows[first - 1]] > segment.start_s:
            first -= 1
        yield segment, rows[first:last]


def middle_faces(result: Result, faces: pa.Table) -> Iterator[tuple[Segment, int | None]]:
    """Each segment and gap, by start, with the row of the face nearest to its middle; None if it has no face."""
    pts = faces["pts_s"].to_numpy()
    for segment, rows in rows_of_segments(result, faces):
        middle = (segment.start_s + segment.end_s) / 2
        yield segment, int(rows[np.abs(pts[rows] - middle).argmin()]) if len(rows) else None


def shown_emotions(result: Result, faces: pa.Table) -> NDArray[np.object_]:
    """(N,) emotion of the segment of each face; `not assessable` in a gap and outside all segments."""
    shown = np.full(faces.num_rows, NOT_ASSESSABLE, dtype=object)
    for segment, rows in rows_of_segments(result, faces):
        shown[rows] = segment.emotion
    return shown


def face_ratings(result: Result, faces: pa.Table) -> dict[str, NDArray[np.float32]]:
    """Column of the ratings over time -> (N,) values at the times of the faces; empty without ratings.

    Interpolated linearly between two moments; unknown where the nearest moment is unknown, or more than a tenth of a
    second away.
    """
    if result.ratings is None:
        return {}
    pts, of_track = faces["pts_s"].to_numpy(), rows_by_value(faces["track"])
    found: dict[str, NDArray[np.float32]] = {}
    for signal in result.ratings():
        rows = of_track.get(signal.track, np.zeros(0, np.int64))
        for column, values in zip(signal.columns, signal.values.T, strict=True):
            own = found.setdefault(column.name, np.full(len(pts), np.nan, np.float32))
            own[rows] = at_times(signal.start_s, values, pts[rows])
    return found


def at_times(
    seconds: NDArray[np.float64], values: NDArray[np.floating], wanted_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(N,) ratings at some times; see `face_ratings`."""
    after = np.searchsorted(seconds, wanted_s).clip(1, max(len(seconds) - 1, 1))
    if len(seconds) < 2:
        after = np.zeros(len(wanted_s), np.int64)
    before = np.maximum(after - 1, 0)
    nearest = np.where(np.abs(seconds[after] - wanted_s) < np.abs(seconds[before] - wanted_s), after, before)
    near = values[nearest].astype(np.float64)
    between = np.interp(wanted_s, seconds, values.astype(np.float64))
    found = np.where(np.isnan(between), near, between)  # beside a gap
    away = np.abs(seconds[nearest] - wanted_s) > 1 / RATE_HZ + 1e-6
    return np.where(np.isnan(near) | away, np.nan, found)


def identity_numbers(result: Result, faces: pa.Table) -> NDArray[np.int64]:
    """(N,) identity of each face, from 1, for formats in which an identity is at most once in a frame.

    Persons have the numbers of their positions in `result.persons`. After them, ascending, the tracks without a person,
    and those that share a frame with another track of their person (a split screen).
    """
    track, frame = faces["track"].to_numpy(), faces["frame"].to_numpy()
    places = {person.name: place for place, person in enumerate(result.persons)}
    place = np.array([places.get(name, -1) for name in faces["person"].to_pylist()], dtype=np.int64)
    order = np.lexsort((track, frame, place))
    twice = (np.diff(place[order]) == 0) & (np.diff(frame[order]) == 0)
    apart = np.unique(np.concatenate([track[place < 0], track[order[1:]][twice]]))
    number = np.where(np.isin(track, apart), len(places) + np.searchsorted(apart, track), place) + 1
    return number


def pose_columns(details: Details, rows: slice) -> NDArray[np.float64]:
    """(N, 3) angles of some faces as `head_pose.xyz_angles` gives them; NaN without a mesh."""
    part = details.faces.slice(rows.start, rows.stop - rows.start)
    yaw, pitch, roll = (part[name].to_numpy().astype(np.float64) for name in ("yaw", "pitch", "roll"))
    return xyz_angles(yaw, pitch, roll, details.turned[rows])


def landmark_names() -> list[str]:
    """Columns of the 68 landmarks, as OpenFace and py-feat call them: x_0 ... x_67, y_0 ... y_67."""
    return [f"{axis}_{number}" for axis in "xy" for number in range(68)]


def landmark_columns(details: Details, faces: pa.ChunkedArray) -> list[pa.Array]:
    """The columns of `landmark_names` of some faces, pixels to two digits; null without a mesh.

    Args:
        faces: numbers, ascending.
    """
    from fercli.models.face_mesh import landmarks_68

    numbers = faces.to_numpy()
    points = np.zeros((len(numbers), 68, 2))
    for first in range(0, len(numbers), _AT_ONCE):
        meshes = details.meshes.points(numbers[first : first + _AT_ONCE])
        points[first : first + _AT_ONCE] = [landmarks_68(mesh[:, :2]) for mesh in meshes]
    columns = np.round(points, 2).transpose(2, 1, 0).reshape(-1, len(numbers))
    return [pa.array(column, pa.float64(), from_pandas=True) for column in columns]


def boxes_inside(faces: pa.Table, video: dict[str, Any]) -> NDArray[np.float64]:
    """(N, 4) x1, y1, x2, y2 in pixels, clipped to the frame, because drawing tools require it."""
    edges = np.stack([faces[name].to_numpy() for name in EDGES], axis=1).astype(np.float64)
    inside: NDArray[np.float64] = np.clip(edges, 0, [video["width"], video["height"]] * 2)
    return inside
