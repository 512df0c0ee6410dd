"""classify-emotions: windows of a track's faces -> probabilities -> segments.

Where a face talks, its open mouth counts for less (`expressions.talking`).

Faces that are not assessable (`expressions.gates`), or whose mouth or eyes are covered, make a window not assessable:
it gets a reason instead of a prediction.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli import tables
from fercli.config import EmotionsParams
from fercli.expressions.gates import window_reason
from fercli.expressions.segments import make_segments
from fercli.expressions.shared_faces import classify_shared
from fercli.expressions.talking import without_speech
from fercli.expressions.windows import Windows, make_windows
from fercli.hashing import sha256_file
from fercli.models.registry import find_classifier, find_model, weights_key
from fercli.models.weights import MAX_PRIOR_POWER, prior_power, read_header, require_emotions
from fercli.stages.base import NO_FACE, StageContext, require_ranges

if TYPE_CHECKING:
    from fercli.models.classifier import EmotionClassifier
    from fercli.models.covered import CoveredFaces

OCCLUSION = "covered-faces"
"""The network that detects covered mouths and eyes."""
WINDOWS_PER_CHUNK = 256
"""Largest number of classified windows that are lost if the process is killed."""
BATCHES = {"cpu": 16, "cuda": WINDOWS_PER_CHUNK}
"""Windows classified at once. Of `tsm-resnet18` 16 take 60 MB, 64 take 220 MB and as much time on a CPU."""


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
    check(params)
    name, path = find_classifier(params.model)
    header = read_header(path)
    labels = header.head("")[0].labels
    schema = tables.windows_schema(labels)
    context.training_data[name] = header.training_data
    if not tables.read_table(context.workspace.table("tracks"), tables.TRACKS).num_rows:
        context.skip(NO_FACE, {"emotions": schema, "segments": tables.SEGMENTS})
        return {"windows": 0, "not_assessable": 0, "segments": 0}
    windows = make_windows(context.workspace, params, header.n_frames)
    total = len(windows)
    left = context.chunks_left(math.ceil(total / WINDOWS_PER_CHUNK))
    if left:
        _classify_chunks(context, params, windows, left, schema)
    if context.piece is not None:
        return {}
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
        ("min_contrast", params.min_contrast >= 0, "of 0 or more"),
        ("max_yaw", 0 <= params.max_yaw <= 180, "from 0 to 180 degrees"),
        ("max_pitch", 0 <= params.max_pitch <= 90, "from 0 to 90 degrees"),
        ("doubtful_from", 0 <= params.doubtful_from <= 180, "from 0 to 180 degrees"),
        ("abstain", 0 <= params.abstain <= 1, "from 0 to 1"),
        ("mean_segment_s", 0 < params.mean_segment_s < math.inf, "above 0 seconds"),
        ("min_segment_s", params.min_segment_s >= 0, "of 0 or more seconds"),
        ("prior", params.prior is None or 0 <= params.prior <= MAX_PRIOR_POWER, f"from 0 to {MAX_PRIOR_POWER:g}"),
    )
    _, path = find_classifier(params.model)
    header = read_header(path)
    require_emotions(path, header)
    if params.prior:
        prior_power(path, header.head("")[0], params.prior)


def weights(params: EmotionsParams) -> dict[str, str]:
    """The networks in use and the sha256 of their files."""
    name, path = find_classifier(params.model)
    return {name: sha256_file(path), **weights_key(find_model(OCCLUSION, "occlusion"))}


def _classify_chunks(
    context: StageContext, params: EmotionsParams, windows: Windows, left: list[int], schema: pa.Schema
) -> None:
    from fercli.models.devices import pick_device

    classifier = context.models.classifier(params.model, pick_device(context.runtime.device))
    looks = Looks(context, classifier)
    batch = context.runtime.batch or BATCHES[classifier.device]
    total = len(windows)
    parts = {n: slice(n * WINDOWS_PER_CHUNK, min((n + 1) * WINDOWS_PER_CHUNK, total)) for n in left}
    with context.reporter.task("classify-emotions", total, "window") as task:
        task.advance(total - sum(part.stop - part.start for part in parts.values()))
        for number, part in parts.items():
            seen = looks(np.unique(windows.clip[[i for i in range(part.start, part.stop) if not windows.reason[i]]]))
            reasons = [_reason_with(seen.covered, windows, i) for i in range(part.start, part.stop)]
            looking = Looking(classifier, seen.views, windows.clip[part], batch, params.prior)
            rows = _classify(looking, windows, part, reasons, params.thorough)
            rows = without_speech(rows, classifier.head.labels, windows.speech[part], windows.mouth[part])
            found = {"emotions": _rows(windows, part, reasons, rows, schema)}
            context.chunks.commit(number, found, {"emotions": schema})
            task.advance(part.stop - part.start)


def _reason_with(covered: Mapping[int, str], windows: Windows, number: int) -> str:
    """Why a window is not assessable, now that the pixels of its faces are known."""
    clip = windows.clip[number].tolist()
    return windows.reason[number] or window_reason(
        [windows.face_reason[face] or covered.get(face, "") for face in clip]
    )


class Looking:
    """A classifier that looks at some of the windows of a chunk, a batch at a time; see `shared_faces.Network`.

    Args:
        classifier: the classifier.
        views: face -> its view.
        clips: (N, n_frames) faces of each window.
        batch: windows at once.
        prior: as for `EmotionClassifier.probabilities`.
    """

    def __init__(
        self,
        classifier: EmotionClassifier,
        views: Mapping[int, NDArray[np.uint8]],
        clips: NDArray[np.int64],
        batch: int,
        prior: float | None,
    ) -> None:
        self._classifier, self._views, self._clips, self._batch, self._prior = classifier, views, clips, batch, prior

    def logits(self, rows: NDArray[np.intp], *, mirrored: bool) -> NDArray[np.float32]:
        """(n, n_frames, C) logits of each face of windows, by their rows."""
        found = [np.zeros((0, self._clips.shape[1], len(self._classifier.head.labels)), np.float32)]
        for start in range(0, len(rows), self._batch):
            clips = self._clips[rows[start : start + self._batch]].tolist()
            pixels = np.stack([[self._views[face] for face in clip] for clip in clips])
            found.append(self._classifier.frame_logits(pixels, mirrored=mirrored))
        return np.concatenate(found)

    def probabilities(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, C) calibrated probabilities of (V, N, C) logits."""
        return self._classifier.probabilities(logits, self._prior)


def _classify(
    looking: Looking, windows: Windows, part: slice, reasons: list[str], thorough: bool
) -> NDArray[np.float32]:
    """(n, C) probabilities of some windows; NaN rows for those that are not assessable."""
    assessable = np.array([not reason for reason in reasons], np.bool_)
    if not thorough:
        return classify_shared(windows.track[part], windows.clip[part], assessable, looking)
    rows = np.flatnonzero(assessable)
    logits = np.stack([looking.logits(rows, mirrored=mirrored).mean(axis=1) for mirrored in (False, True)])
    result = np.full((len(assessable), logits.shape[2]), np.nan, np.float32)
    result[rows] = looking.probabilities(logits)
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
        pa.array(windows.talking[part], from_pandas=True),
        pa.array(windows.yaw[part], from_pandas=True),
        pa.array(windows.pitch[part], from_pandas=True),
        *(pa.array(column, from_pandas=True) for column in probabilities.T),
    ]
    return pa.Table.from_arrays(
        [pa.array(column, type=f.type) for column, f in zip(columns, schema, strict=True)], schema=schema
    )
