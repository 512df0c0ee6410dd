"""A track's faces, cut into windows: what the classifier looks at, and for how long each answer holds.

A window is `stride` faces of one track; the network sees `n_frames` faces around them, CLIP_STEP_S apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli import tables
from fercli.config import EmotionsParams
from fercli.expressions.gates import face_reasons, middle_pose, window_reason
from fercli.expressions.talking import find_speech
from fercli.timing import usual_interval
from fercli.workspace import Workspace

UNSEEN_S = 0.2
"""A face that is not detected for at most this long counts as visible in between."""
HELD_S = (0.5, 2.0)
"""A face in a still picture, which is shown for more than 1.5 sampling intervals, is a separate window: if it is shown
for longer than the first value, and always from the second value on."""
CLIP_STEP_S = 0.1
"""Time from one face of the clip to the next, as at the default sampling rate, so that a network that uses motion gets
the same motion at any other rate. Faces further apart are repeated, closer ones are skipped."""
_ROUNDING_S = 1e-6


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
        yaw, pitch: (N,) float32 medians over the faces of the clip, degrees; NaN if none was measured.
        mouth: (N,) float32 median of the opening of the mouth, a share of its width; NaN if none was measured.
        talking: (N,) float32 share of the faces of the clip that talk; NaN if it is unknown of any.
        speech: (N,) whether speech shapes the mouths of most faces of the clip, see `talking.Speech`.
    """

    track: NDArray[np.int32]
    clip: NDArray[np.int64]
    first: NDArray[np.int64]
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    reason: list[str]
    face_reason: list[str]
    yaw: NDArray[np.float32]
    pitch: NDArray[np.float32]
    mouth: NDArray[np.float32]
    talking: NDArray[np.float32]
    speech: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.track)


def make_windows(workspace: Workspace, params: EmotionsParams, n_frames: int) -> Windows:
    """Cut every track into windows; reads tables of numbers only, no pixels.

    A window lasts until the next one of its track, or until the end of its last frame if the face is not detected
    afterwards.
    """
    frames = tables.read_table(workspace.table("frames"), tables.FRAMES)
    faces = tables.read_table(workspace.table("faces"), tables.FACES)
    tracks = tables.read_table(workspace.table("tracks"), tables.TRACKS)
    place = np.searchsorted(frames["frame"].to_numpy(), faces["frame"].to_numpy())
    times, ends = (frames[name].to_numpy()[place] for name in ("pts_s", "end_s"))
    attributes = tables.read_table(workspace.table("attributes"), tables.ATTRIBUTES)
    reasons = face_reasons(faces, attributes, params, workspace.video)
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
                (track, clip, int(own[0]), times[own[0]], float(end), window_reason([reasons[face] for face in clip]))
            )
    rows.sort(key=lambda row: (max(row[1]), row[0], row[2]))
    clips = np.array([row[1] for row in rows], dtype=np.int64).reshape(len(rows), n_frames)
    yaw, pitch, mouth = (attributes[name].to_numpy()[clips] for name in ("yaw", "pitch", "mouth"))
    speech = find_speech(tracks, attributes, times)
    return Windows(
        track=np.array([row[0] for row in rows], dtype=np.int32),
        clip=clips,
        first=np.array([row[2] for row in rows], dtype=np.int64),
        start_s=np.array([row[3] for row in rows], dtype=np.float64),
        end_s=np.array([row[4] for row in rows], dtype=np.float64),
        reason=[row[5] for row in rows],
        face_reason=reasons,
        yaw=middle_pose(yaw),
        pitch=middle_pose(pitch),
        mouth=middle_pose(mouth),
        talking=speech.talks[clips].mean(axis=1),
        speech=speech.shapes_mouth[clips].mean(axis=1) > 0.5,
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
