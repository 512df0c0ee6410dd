"""estimate-valence: windows of a track and its blendshapes -> valence, arousal and intensity at ten moments a second.

By default all three are derived from the emotions (`expressions.valence`, `expressions.courses`), without training.
With a network that the user trained, valence is what it says, and so is arousal if it rates that, too; the filter is
the same, and the interval is the error of the network on its own validation part.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli import tables
from fercli.config import ValenceParams
from fercli.expressions import movement
from fercli.expressions.courses import find_course, intensity
from fercli.expressions.valence import Rating, moments, pool, ratings
from fercli.features.measure import VOICE
from fercli.hashing import sha256_file
from fercli.labels import NOT_ASSESSABLE
from fercli.models.registry import find_model, weights_key
from fercli.models.voice import ENCODER
from fercli.stages.base import NO_FACE, StageContext, require_ranges

SCHEMAS = {"valence": tables.VALENCE, "courses": tables.COURSES}
NEUTRAL = "neutral"


def run(context: StageContext, params: ValenceParams) -> dict[str, Any]:
    """Rate each track, one after the other; returns counts.

    Raises:
        ConfigError: a parameter is out of range.
        CorruptTable: a table cannot be read.
    """
    check(params)
    workspace = context.workspace
    windows, labels = tables.read_windows(workspace.table("emotions"))
    if not windows.num_rows:
        context.skip(NO_FACE, SCHEMAS)
        return {"moments": 0, "courses": 0}
    tracks = _Tracks(windows, labels, _window_shapes(context, windows), params.smoothing_s)
    trained = _Trained(context, params) if params.weights else None
    segments = tables.read_table(workspace.table("segments"), tables.SEGMENTS)
    of_track = tables.rows_by_value(segments["track"])
    courses: list[dict[str, Any]] = []

    def series() -> Iterator[pa.Table]:
        with context.reporter.task("estimate-valence", len(tracks.rows), "track") as task:
            for track in tracks.rows:
                part = tracks.rate(track)
                part = part if trained is None else trained.instead(track, part)
                own = segments.take(of_track.get(track, np.zeros(0, np.int64))).sort_by("start_s").to_pylist()
                courses.extend(_courses(own, part["seconds"].to_numpy(), part["intensity"].to_numpy()))
                yield part
                task.advance()

    count = tables.write_table(context.out / "valence.parquet", series(), tables.VALENCE)
    rows = pa.Table.from_pylist(courses, schema=tables.COURSES)
    tables.write_table(context.out / "courses.parquet", [rows], tables.COURSES)
    found = {"moments": count, "courses": len(courses)}
    return found if trained is None else {**found, "trained": ",".join(trained.names)}


def weights(params: ValenceParams) -> dict[str, str]:
    """The network of the user and the sha256 of its file, if one is given; and that of its features of voices."""
    if not params.weights:
        return {}
    heard = weights_key(find_model(ENCODER, "speech")) if also_reads(params) else {}
    return {**heard, Path(params.weights).name: sha256_file(Path(params.weights))}


def also_reads(params: ValenceParams) -> tuple[str, ...]:
    """The tables that a network of the user reads because it hears voices."""
    from fercli.features.rate import read_valence_header
    from fercli.features.voice import READS

    hears = params.weights and any(one.name == VOICE for one in read_valence_header(Path(params.weights)).modalities)
    return READS if hears else ()


def check(params: ValenceParams) -> None:
    """Check the parameters before a long run.

    Raises:
        ConfigError: one is out of range.
        WeightsError: the network cannot be used.
    """
    if params.weights:
        from fercli.features.rate import read_valence_header

        read_valence_header(Path(params.weights))
    require_ranges(params, ("smoothing_s", 0.01 <= params.smoothing_s <= 60, "from 0.01 to 60 seconds"))


class _Tracks:
    """The windows of all tracks.

    Args:
        windows: the table `emotions`, and `labels` of its classes.
        shapes: (N, K) blendshapes of each window, see `movement.SHAPES`.
        smoothing_s: standard deviation of the filter.
    """

    def __init__(
        self, windows: pa.Table, labels: tuple[str, ...], shapes: NDArray[np.float64], smoothing_s: float
    ) -> None:
        self.rows = tables.rows_by_value(windows["track"])
        self._start, self._end = windows["start_s"].to_numpy(), windows["end_s"].to_numpy()
        self._labels, self._shapes, self._smoothing_s = labels, shapes, smoothing_s
        self._probabilities = np.stack([windows[label].to_numpy() for label in labels], axis=1).astype(np.float64)

    def rate(self, track: int) -> pa.Table:
        """The rows of a track."""
        rows = self.rows[track]
        rows = rows[np.argsort(self._start[rows], kind="stable")]
        start, end, probabilities = self._start[rows], self._end[rows], self._probabilities[rows]
        neutral = self._neutral(probabilities)
        moved = movement.from_neutral(self._shapes[rows], neutral, end - start)
        beside = np.stack([movement.movement(moved), movement.pleasantness(moved)], axis=1)
        at = moments(float(start[0]), float(end.max()))
        pooled = pool(probabilities, beside, start, end, at, self._smoothing_s)
        valence, arousal = ratings(pooled.probabilities, self._labels, pooled.others[:, 1])
        strength = intensity(self._neutral(pooled.probabilities), pooled.others[:, 0])
        columns = {"track": np.full(len(at), track), "seconds": at, **_rated("valence", valence)}
        columns |= {**_rated("arousal", arousal), "intensity": strength}
        arrays = [pa.array(columns[field.name], field.type, from_pandas=True) for field in tables.VALENCE]
        return pa.Table.from_arrays(arrays, schema=tables.VALENCE)

    def _neutral(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N,) probability of neutral; 0 for a network without this class."""
        if NEUTRAL not in self._labels:
            return np.where(np.isnan(probabilities[:, 0]), np.nan, 0.0)
        return probabilities[:, self._labels.index(NEUTRAL)]


class _Trained:
    """The ratings of a network of the user.

    Attributes:
        names: what it rates, of valence and arousal.
    """

    def __init__(self, context: StageContext, params: ValenceParams) -> None:
        from fercli.features.rate import rate_tracks, read_valence_header

        path = Path(params.weights)
        header = read_valence_header(path)
        context.training_data[path.name] = header.training_data
        errors = header.error or (np.nan,) * len(header.columns)
        self._error = dict(zip(header.columns, errors, strict=True))
        self.names = tuple(name for name in ("valence", "arousal") if name in header.columns)
        self._columns, self._smoothing_s = header.columns, params.smoothing_s
        steps = rate_tracks(context.workspace, path, context.runtime.device, context.reporter)
        self._steps = {track: (start_s, end_s, values) for track, start_s, end_s, values in steps}

    def instead(self, track: int, part: pa.Table) -> pa.Table:
        """The rows of a track with these ratings; they are null where the face is not assessable, too."""
        at, unknown = part["seconds"].to_numpy(), np.isnan(part["valence"].to_numpy())
        nothing = np.zeros(0), np.zeros(0), np.zeros((0, len(self._columns)))
        start_s, end_s, values = self._steps.get(track, nothing)
        smooth = np.full((len(at), len(self._columns)), np.nan)
        if len(start_s):
            own = values.astype(np.float64)
            smooth = pool(own, own[:, :0], start_s, end_s, at, self._smoothing_s).probabilities
        smooth[unknown] = np.nan
        for name in self.names:
            value, error = smooth[:, self._columns.index(name)], self._error[name]
            rating = Rating(value, np.maximum(value - error, -1), np.minimum(value + error, 1))
            for column, one in _rated(name, rating).items():
                place, field = part.schema.get_field_index(column), part.schema.field(column)
                part = part.set_column(place, field, pa.array(one, field.type, from_pandas=True))
        return part


def _rated(name: str, rating: Rating) -> dict[str, NDArray[np.float64]]:
    return {name: rating.values, f"{name}_low": rating.low, f"{name}_high": rating.high}


def _window_shapes(context: StageContext, windows: pa.Table) -> NDArray[np.float64]:
    """(N, K) means of `movement.SHAPES` over the faces of each window; NaN if none of them has a mesh."""
    workspace = context.workspace
    tracks = tables.read_table(workspace.table("tracks"), tables.TRACKS)
    attributes = tables.read_table(workspace.table("attributes"), tables.ATTRIBUTES)
    window = _window_of(tracks, windows)
    faces = tracks["face"].to_numpy()
    columns = []
    for sides in movement.SIDES.values():
        values = np.mean([attributes[one].to_numpy()[faces] for one in sides], axis=0).astype(np.float64)
        known = np.isfinite(values)
        count = np.bincount(window[known], minlength=windows.num_rows)
        total = np.bincount(window[known], values[known], minlength=windows.num_rows)
        columns.append(np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0))
    return np.stack(columns, axis=1)


def _window_of(tracks: pa.Table, windows: pa.Table) -> NDArray[np.int64]:
    """(F,) row of the window of each face: of its track the last one that begins with it or with an earlier face."""
    begins = windows["track"].to_numpy().astype(np.int64) << 32 | windows["face"].to_numpy()
    order = np.argsort(begins)
    wanted = tracks["track"].to_numpy().astype(np.int64) << 32 | tracks["face"].to_numpy()
    place: NDArray[np.int64] = order[np.searchsorted(begins[order], wanted, side="right") - 1]
    return place


def _courses(
    segments: list[dict[str, Any]], at_s: NDArray[np.float64], strength: NDArray[np.float64]
) -> Iterator[dict[str, Any]]:
    """The course of each segment of a track with an expression.

    Onset and offset may lie in the neutral segments before and after, and never in another expression.
    """
    for place, segment in enumerate(segments):
        if segment["class"] in (NEUTRAL, NOT_ASSESSABLE):
            continue
        before = segments[place - 1] if place else None
        after = segments[place + 1] if place + 1 < len(segments) else None
        low = before["start_s"] if before and before["class"] == NEUTRAL else segment["start_s"]
        high = after["end_s"] if after and after["class"] == NEUTRAL else segment["end_s"]
        found = find_course(at_s, strength, segment["start_s"], segment["end_s"], (low, high))
        if found is not None:
            yield {"track": segment["track"], "start_s": segment["start_s"], **asdict(found)}
