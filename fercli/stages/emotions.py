"""classify-emotions: windows of a track's faces -> probabilities -> segments.

A window is `stride` faces of one track; the network sees `n_frames` faces around them, CLIP_STEP_S apart. Faces that
are too small, too dark, blurred, turned away, lying, cut off or covered make a window not assessable: it gets a reason
instead of a prediction.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli import tables
from fercli.config import EmotionsParams
from fercli.geometry import cut_off, square_factors
from fercli.hashing import sha256_file
from fercli.labels import NOT_ASSESSABLE
from fercli.models.registry import find_classifier, find_model, weights_key
from fercli.models.weights import MAX_PRIOR_POWER, prior_power, read_header
from fercli.smoothing import UNKNOWN, Run, boundary_s, smooth
from fercli.stages.base import NO_FACE, StageContext, require_ranges
from fercli.timing import usual_interval
from fercli.workspace import VideoFacts

if TYPE_CHECKING:
    from fercli.models.classifier import EmotionClassifier
    from fercli.models.covered import CoveredFaces

OCCLUSION = "covered-faces"
"""The network that detects covered mouths and eyes."""
WINDOWS_PER_CHUNK = 256
"""Largest number of classified windows that are lost if the process is killed."""
MIN_CONTRAST = 40.0
"""See `media.images.contrast`. On 300 faces of FER+'s PrivateTest: at .15 of the light the median is 49 and 71 % are
recognised, at .1 of the light 22 and 62 %, in full light 79 %."""
_ROUNDING_S = 1e-6
UNSEEN_S = 0.2
"""A face that is not detected for at most this long counts as visible in between."""
HELD_S = (0.5, 2.0)
"""A face in a still picture, which is shown for more than 1.5 sampling intervals, is a separate window: if it is shown
for longer than the first value, and always from the second value on."""
CLIP_STEP_S = 0.1
"""Time from one face of the clip to the next, as at the default sampling rate, so that a network that uses motion gets
the same motion at any other rate. Faces further apart are repeated, closer ones are skipped."""


@dataclass(frozen=True)
class Windows:
    """All windows of a video, ordered by their last face.

    Attributes:
        track: (N,) int32.
        clip: (N, n_frames) int64 faces in the input of the network.
        first: (N,) int64 first face of the window.
        start_s, end_s: (N,) float64.
        reason: why a window is not assessable, as far as the tables show (no pixels); empty if it is.
        face_reason: the same for each face of the video.
    """

    track: NDArray[np.int32]
    clip: NDArray[np.int64]
    first: NDArray[np.int64]
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    reason: list[str]
    face_reason: list[str]

    def __len__(self) -> int:
        return len(self.track)


@dataclass(frozen=True)
class Seen:
    """Input of the classifier for some faces, and why covered faces are not assessable.

    Attributes:
        views: face -> (S, S) luma, turned upright.
        covered: face -> reason.
    """

    views: Mapping[int, NDArray[np.uint8]]
    covered: Mapping[int, str]


class Looks:
    """Prepares the crops of faces for a classifier."""

    def __init__(self, context: StageContext, classifier: EmotionClassifier) -> None:
        from fercli.models.classifier import FaceView
        from fercli.models.covered import face_view

        scale = context.workspace.crop_scale
        self._crops = context.workspace.table("crops")
        self._rolls = tables.read_table(context.workspace.table("faces"), tables.FACES)["roll"].to_pylist()
        self._view, self._small_view = FaceView(classifier.header, scale), face_view(scale)
        self._network: CoveredFaces = context.models.load(find_model(OCCLUSION, "occlusion"), device=classifier.device)

    def __call__(self, wanted: NDArray[np.int64]) -> Seen:
        """The wanted faces.

        Raises:
            CorruptTable, InputError: as `read_crops`.
        """
        from fercli.media.crops import read_crops
        from fercli.media.images import upright
        from fercli.models.covered import covered_part

        views, small = {}, []
        for face, crop in read_crops(self._crops, wanted):
            turned = upright(crop, self._rolls[face])
            views[face] = self._view(turned)
            small.append(self._small_view(turned))
        parts = [covered_part(row) for row in self._network.probabilities(small).tolist()]
        return Seen(views, {face: f"{part} covered" for face, part in zip(views, parts, strict=True) if part})


def run(context: StageContext, params: EmotionsParams) -> dict[str, Any]:
    """Classify what is assessable, in chunks, then smooth each track into segments."""
    from fercli.models.devices import pick_device

    check(params)
    if not tables.read_table(context.workspace.table("tracks"), tables.TRACKS).num_rows:
        labels = read_header(find_classifier(params.model)[1]).head("")[0].labels
        context.skip(NO_FACE, {"emotions": tables.windows_schema(labels), "segments": tables.SEGMENTS})
        return {"windows": 0, "not_assessable": 0, "segments": 0}
    classifier = context.models.classifier(params.model, pick_device(context.runtime.device))
    windows = make_windows(context, params, classifier.header.n_frames)
    schema = tables.windows_schema(classifier.head.labels)
    looks = Looks(context, classifier)

    total = len(windows)
    with context.reporter.task("classify-emotions", total, "window") as task:
        task.advance(min(total, context.chunks.done * WINDOWS_PER_CHUNK))
        for start in range(context.chunks.done * WINDOWS_PER_CHUNK, total, WINDOWS_PER_CHUNK):
            part = slice(start, min(start + WINDOWS_PER_CHUNK, total))
            seen = looks(np.unique(windows.clip[[i for i in range(part.start, part.stop) if not windows.reason[i]]]))
            reasons = [_reason_with(seen.covered, windows, i) for i in range(part.start, part.stop)]
            rows = _classify(seen.views, windows.clip[part], reasons, classifier, context.runtime.batch, params.prior)
            context.chunks.commit({"emotions": _rows(windows, part, reasons, rows, schema)}, {"emotions": schema})
            task.advance(part.stop - part.start)
    context.chunks.merge(context.out, {"emotions": schema})

    rows = tables.read_table(context.out / "emotions.parquet", schema)
    segments = make_segments(rows, params)
    tables.write_table(context.out / "segments.parquet", [segments], tables.SEGMENTS)
    unknown = sum(1 for reason in rows["reason"].to_pylist() if reason)
    return {"windows": total, "not_assessable": unknown, "segments": segments.num_rows}


def check(params: EmotionsParams) -> None:
    """Check the parameters before a long run.

    Raises:
        ConfigError: one is out of range.
        ModelError: the prior cannot be divided out, or there is no such classifier.
    """
    require_ranges(
        params,
        ("stride", params.stride >= 1, "of 1 or more"),
        ("min_size", params.min_size >= 0, "of 0 or more pixels"),
        ("min_sharpness", params.min_sharpness >= 0, "of 0 or more"),
        ("max_yaw", 0 <= params.max_yaw <= 180, "from 0 to 180 degrees"),
        ("max_pitch", 0 <= params.max_pitch <= 90, "from 0 to 90 degrees"),
        ("mean_segment_s", 0 < params.mean_segment_s < math.inf, "above 0 seconds"),
        ("min_segment_s", params.min_segment_s >= 0, "of 0 or more seconds"),
        ("prior", params.prior is None or 0 <= params.prior <= MAX_PRIOR_POWER, f"from 0 to {MAX_PRIOR_POWER:g}"),
    )
    if params.prior:
        _, path = find_classifier(params.model)
        prior_power(path, read_header(path).head("")[0], params.prior)


def make_windows(context: StageContext, params: EmotionsParams, n_frames: int) -> Windows:
    """Cut every track into windows; reads tables of numbers only, no pixels.

    A window lasts until the next one of its track, or until the end of its last frame if the face is not detected
    afterwards.
    """
    frames = tables.read_table(context.workspace.table("frames"), tables.FRAMES)
    faces = tables.read_table(context.workspace.table("faces"), tables.FACES)
    tracks = tables.read_table(context.workspace.table("tracks"), tables.TRACKS)
    place = np.searchsorted(frames["frame"].to_numpy(), faces["frame"].to_numpy())
    times, ends = (frames[name].to_numpy()[place] for name in ("pts_s", "end_s"))
    attributes = tables.read_table(context.workspace.table("attributes"), tables.ATTRIBUTES)
    reasons = face_reasons(faces, attributes, params, context.workspace.video)
    # A mixture of two pictures shows the face of no person, even if it is sharp.
    mixed = frames["mixed"].to_numpy()[place]
    reasons = ["in a transition" if both else reason for both, reason in zip(mixed, reasons, strict=True)]
    held_s = float(np.clip(1.5 * usual_interval(frames["pts_s"].to_numpy()), *HELD_S))

    rows: list[tuple[int, list[int], int, float, float, str]] = []
    face_ids = tracks["face"].to_numpy()
    for track, own_rows in tables.rows_by_value(tracks["track"]).items():
        members = np.sort(face_ids[own_rows])
        held = ends[members] - times[members] > held_s
        for first, last in _spans(held, params.stride):
            own = members[first:last]
            follower = members[last] if last < len(members) else None
            end = ends[own[-1]]
            if follower is not None and _goes_on(int(own[-1]), int(follower), place, times, ends):
                end = times[follower]
            if held[first]:
                clip = [int(own[0])] * n_frames
            else:
                clip = _clip(members, times[members], (times[own[0]] + times[own[-1]]) / 2, n_frames)
            rows.append(
                (track, clip, int(own[0]), times[own[0]], float(end), _window_reason([reasons[face] for face in clip]))
            )
    rows.sort(key=lambda row: (max(row[1]), row[0], row[2]))
    return Windows(
        track=np.array([row[0] for row in rows], dtype=np.int32),
        clip=np.array([row[1] for row in rows], dtype=np.int64).reshape(len(rows), n_frames),
        first=np.array([row[2] for row in rows], dtype=np.int64),
        start_s=np.array([row[3] for row in rows], dtype=np.float64),
        end_s=np.array([row[4] for row in rows], dtype=np.float64),
        reason=[row[5] for row in rows],
        face_reason=reasons,
    )


def _spans(held: NDArray[np.bool_], stride: int) -> Iterator[tuple[int, int]]:
    """First and end (exclusive) of the windows of a track: `stride` faces, or one in a still picture."""
    first = 0
    while first < len(held):
        last = first + 1
        while last < min(first + stride, len(held)) and not (held[first] or held[last]):
            last += 1
        yield first, last
        first = last


def _goes_on(
    face: int, follower: int, place: NDArray[np.int64], times: NDArray[np.float64], ends: NDArray[np.float64]
) -> bool:
    """Whether a face was visible up to the next one of its track: no or almost no sampled frame lies in between."""
    unseen_s = times[follower] - ends[face]
    return bool(place[follower] - place[face] == 1 or unseen_s <= UNSEEN_S + _ROUNDING_S)


def face_reasons(faces: pa.Table, attributes: pa.Table, params: EmotionsParams, video: VideoFacts) -> list[str]:
    """Why each face is not assessable; empty if it is.

    Args:
        faces, attributes: the tables of these names.
        params: parameters of the stage.
        video: the video of the faces.
    """
    reasons = []
    columns = [faces[name].to_pylist() for name in ("size", "sharpness", "contrast", "frontal", "roll")]
    columns += [attributes[name].to_pylist() for name in ("yaw", "pitch")]
    factors = np.array(square_factors(video.pixel_aspect))
    cut_offs = cut_off(_landmarks(faces) * factors, np.array([video.width, video.height]) * factors).tolist()
    for size, sharpness, contrast, frontal, roll, yaw, pitch, cut in zip(*columns, cut_offs, strict=True):
        if size < params.min_size:
            reasons.append("too small")
        elif contrast < MIN_CONTRAST:
            reasons.append("too dark")
        elif sharpness < params.min_sharpness:
            reasons.append("too blurred")
        elif frontal is not None and roll is None:
            reasons.append("lying")
        elif yaw is None:
            reasons.append("no clear face")
        elif abs(yaw) > params.max_yaw or abs(pitch) > params.max_pitch:
            reasons.append("turned away")
        elif cut:
            reasons.append("cut off")
        else:
            reasons.append("")
    return reasons


def _landmarks(faces: pa.Table) -> NDArray[np.float64]:
    """(N, 5, 2), NaN if there are none."""
    column = faces["landmarks"].combine_chunks()
    points = np.full((len(column), 5, 2), np.nan)
    points[column.is_valid().to_numpy(zero_copy_only=False)] = column.drop_null().flatten().to_numpy().reshape(-1, 5, 2)
    return points


def make_segments(windows: pa.Table, params: EmotionsParams) -> pa.Table:
    """Smooth each track's windows into the rows of `segments.parquet`, ordered by start and track.

    A segment ends where the face is not detected for `min_segment_s` or longer.
    """
    labels = tables.labels_of(windows.schema)
    start, end = windows["start_s"].to_numpy(), windows["end_s"].to_numpy()
    face = windows["face"].to_numpy()
    reasons = windows["reason"].to_pylist()
    probabilities = np.stack([windows[label].to_numpy() for label in labels], axis=1)

    rows = []
    for track, seen in _stretches(windows, params.min_segment_s):
        runs = smooth(
            probabilities[seen],
            start[seen],
            end[seen],
            mean_segment_s=params.mean_segment_s,
            min_segment_s=params.min_segment_s,
        )
        edges = _edges(runs, probabilities[seen], start[seen], end[seen])
        for run, begin_s, end_s in zip(runs, edges[:-1], edges[1:], strict=True):
            inside = seen[run.first : run.last]
            known = run.label != UNKNOWN
            blamed = [reasons[i] for i in inside if reasons[i]]
            rows.append(
                {
                    "track": track,
                    "start_s": begin_s,
                    "end_s": end_s,
                    "class": labels[run.label] if known else NOT_ASSESSABLE,
                    "score": _mean(probabilities[inside, run.label], end[inside] - start[inside]) if known else None,
                    "reason": "" if known else max(sorted(set(blamed)), key=blamed.count),
                    "face": _middle_face(face[inside], start[inside], end[inside]),
                }
            )
    rows.sort(key=lambda row: (row["start_s"], row["track"]))
    return pa.Table.from_pylist(rows, schema=tables.SEGMENTS)


def _edges(
    runs: list[Run], probabilities: NDArray[np.float32], start_s: NDArray[np.float64], end_s: NDArray[np.float64]
) -> list[float]:
    """Start of each run of a stretch, and end of the last one, in seconds."""
    edges = [float(start_s[0])]
    for before, after in itertools.pairwise(runs):
        beside = [before.last - 1, after.first]
        if UNKNOWN in (before.label, after.label):
            edges.append(float(start_s[after.first]))
        else:
            both = probabilities[np.ix_(beside, [before.label, after.label])]
            edges.append(boundary_s(both, start_s[beside], end_s[beside]))
    return [*edges, float(end_s[-1])]


def _mean(probabilities: NDArray[np.float32], seconds: NDArray[np.float64]) -> float:
    """Mean over time of the assessable windows."""
    known = np.isfinite(probabilities)
    weight = np.maximum(seconds[known], _ROUNDING_S)
    return float(np.average(probabilities[known], weights=weight))


def _stretches(windows: pa.Table, longest_gap_s: float) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Rows of the windows of each track, in order, split where the face is not detected for that long or longer."""
    start, end, face = (windows[name].to_numpy() for name in ("start_s", "end_s", "face"))
    for track, own in tables.rows_by_value(windows["track"]).items():
        index = own[np.argsort(face[own])]
        unseen_s = start[index][1:] - end[index][:-1]
        for seen in np.split(index, np.flatnonzero(unseen_s >= max(longest_gap_s, _ROUNDING_S)) + 1):
            yield track, seen


def _middle_face(face: NDArray[np.int64], start_s: NDArray[np.float64], end_s: NDArray[np.float64]) -> int:
    middle = (start_s[0] + end_s[-1]) / 2
    return int(face[np.abs(start_s - middle).argmin()])


def weights(params: EmotionsParams) -> dict[str, str]:
    """The networks in use and the sha256 of their files."""
    name, path = find_classifier(params.model)
    return {name: sha256_file(path), **weights_key(find_model(OCCLUSION, "occlusion"))}


def _clip(members: NDArray[np.int64], times: NDArray[np.float64], middle_s: float, n_frames: int) -> list[int]:
    """`n_frames` faces of a track around a moment, CLIP_STEP_S apart or as near to that as there are faces.

    Args:
        members: faces of the track, ascending; `times` is the time of each, in seconds.
        middle_s: middle of the clip; moved inwards if the clip would exceed the track.
        n_frames: faces in the input of the network.
    """
    half = (n_frames - 1) / 2 * CLIP_STEP_S
    middle = max(times[0] + half, min(middle_s, times[-1] - half))
    wanted = middle - half + CLIP_STEP_S * np.arange(n_frames)
    nearest = np.searchsorted((times[1:] + times[:-1]) / 2, wanted + _ROUNDING_S, side="right")
    clip: list[int] = members[nearest].tolist()
    return clip


def _reason_with(covered: Mapping[int, str], windows: Windows, number: int) -> str:
    """Why a window is not assessable, now that the pixels of its faces are known."""
    clip = windows.clip[number].tolist()
    return windows.reason[number] or _window_reason(
        [windows.face_reason[face] or covered.get(face, "") for face in clip]
    )


def _window_reason(reasons: list[str]) -> str:
    """A window is assessable if most faces of its clip are; otherwise it gets their most frequent reason."""
    blamed = [reason for reason in reasons if reason]
    if 2 * len(blamed) < len(reasons):
        return ""
    return max(sorted(set(blamed)), key=blamed.count)


def _classify(
    views: Mapping[int, NDArray[np.uint8]],
    clips: NDArray[np.int64],
    reasons: list[str],
    classifier: EmotionClassifier,
    batch: int,
    prior: float | None,
) -> NDArray[np.float32]:
    """(len(clips), C) probabilities; NaN rows for windows that are not assessable."""
    assessable = [i for i, reason in enumerate(reasons) if not reason]
    result = np.full((len(clips), len(classifier.head.labels)), np.nan, dtype=np.float32)
    for start in range(0, len(assessable), batch):
        rows = assessable[start : start + batch]
        result[rows] = classifier.classify(np.stack([[views[face] for face in clips[i]] for i in rows]), prior)
    return result


def _rows(
    windows: Windows, part: slice, reasons: list[str], probabilities: NDArray[np.float32], schema: pa.Schema
) -> pa.Table:
    columns: list[Any] = [
        windows.track[part],
        windows.first[part],
        windows.start_s[part],
        windows.end_s[part],
        reasons,
        *(pa.array(column, from_pandas=True) for column in probabilities.T),
    ]
    return pa.Table.from_arrays(
        [pa.array(column, type=f.type) for column, f in zip(columns, schema, strict=True)], schema=schema
    )
