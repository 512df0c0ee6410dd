"""Which faces are assessable: one that is small, dark, blurred, turned away, lying or cut off gets a reason instead."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli.config import EmotionsParams
from fercli.geometry import cut_off, square_factors
from fercli.workspace import VideoFacts


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
        elif contrast < params.min_contrast:
            reasons.append("too dark")
        elif sharpness < params.min_sharpness:
            reasons.append("too blurred")
        elif frontal is not None and roll is None:
            reasons.append("lying")
        elif yaw is None:
            reasons.append("no clear face")
        elif frontal == 0 or abs(yaw) > params.max_yaw or abs(pitch) > params.max_pitch:
            # With the nose outside of the eyes it is a profile, on which the mesh may see a face that looks ahead.
            reasons.append("turned away")
        elif cut:
            reasons.append("cut off")
        else:
            reasons.append("")
    return reasons


def doubt(yaw: NDArray[np.float32], pitch: NDArray[np.float32], params: EmotionsParams) -> str:
    """Why the label of some assessable faces is doubtful: most are turned, though not too far; empty if it is not.

    Args:
        yaw, pitch: of the faces, degrees; NaN where they were not measured.
        params: parameters of the stage.
    """
    for angles, limit in ((yaw, params.max_yaw), (pitch, params.max_pitch)):
        known = np.abs(angles[np.isfinite(angles)])
        if len(known) and params.doubtful_from <= np.median(known):
            return f"turned by {params.doubtful_from:g} to {limit:g} degrees"
    return ""


def middle_pose(angles: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) median of each row of (N, n_frames) angles, without NaN; NaN if all are."""
    middle = np.ma.median(np.ma.masked_invalid(angles), axis=1)  # type: ignore[no-untyped-call]
    return np.asarray(np.ma.filled(middle, np.nan), dtype=np.float32)


def _landmarks(faces: pa.Table) -> NDArray[np.float64]:
    """(N, 5, 2), NaN if there are none."""
    column = faces["landmarks"].combine_chunks()
    points = np.full((len(column), 5, 2), np.nan)
    points[column.is_valid().to_numpy(zero_copy_only=False)] = column.drop_null().flatten().to_numpy().reshape(-1, 5, 2)
    return points


def window_reason(reasons: list[str]) -> str:
    """A window is assessable if most faces of its clip are; otherwise it gets their most frequent reason."""
    blamed = [reason for reason in reasons if reason]
    if 2 * len(blamed) < len(reasons):
        return ""
    return max(sorted(set(blamed)), key=blamed.count)
