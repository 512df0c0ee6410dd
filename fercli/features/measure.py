"""Features of the tracks of a workspace, each kind in its own intervals.

trunk         what the last layer of a classifier of emotions sees, window by window
emotions      the probabilities of the windows, as classify-emotions stored them
blendshapes   51 ARKit blendshapes of the face mesh, face by face
pose          yaw, pitch and roll, openings of eyes and mouth, face by face
voice         what the encoder of Whisper knows of the voice of the person, second by second (`features.voice`)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli import tables
from fercli.config import EmotionsParams
from fercli.errors import ConfigError
from fercli.expressions.windows import Windows, make_windows
from fercli.features.grid import average_onto, step_edges, steps_between
from fercli.hashing import sha256_file
from fercli.labels import BLENDSHAPES
from fercli.models.registry import find_classifier
from fercli.models.sequence import Modality
from fercli.progress import Reporter, Silent
from fercli.workspace import Workspace

if TYPE_CHECKING:
    from fercli.models.classifier import EmotionClassifier

POSE = ("yaw", "pitch", "roll", "eye_left", "eye_right", "mouth")
LAYERS = ("trunk", "logits")
"""Layers of a classifier: its features before the last layer, or its outputs of both views, averaged."""
VOICE, VOICE_SIZE = "voice", 512
"""Name and length of the vectors of a voice: the width of `whisper-base`."""
BATCH = 64
"""Windows that go through the network at once."""


@dataclass(frozen=True)
class Measured:
    """One kind of features of a workspace.

    Attributes:
        modality: its name, the length of its vectors, and what computed them.
        columns: name of each element of a vector.
        track: (N,) track of each row; rows by track, then by time.
        start_s, end_s: (N,) interval of each row.
        values: (N, D) float32; rows with a NaN were not measured.
    """

    modality: Modality
    columns: tuple[str, ...]
    track: NDArray[np.int64]
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    values: NDArray[np.float32]


@dataclass(frozen=True)
class Request:
    """What is to be measured.

    Attributes:
        kinds: keys of KINDS.
        model: classifier of `trunk`: a name or a file.
        layer: one of LAYERS.
        device: `auto`, `cpu` or `cuda`.
    """

    kinds: tuple[str, ...]
    model: str = EmotionsParams.model
    layer: str = "trunk"
    device: str = "auto"

    def __post_init__(self) -> None:
        """Raises ConfigError for a kind or a layer that does not exist."""
        unknown = [kind for kind in self.kinds if kind not in KINDS]
        if unknown or not self.kinds:
            raise ConfigError(
                f"there are no features {', '.join(unknown) or 'in an empty list'}",
                hint=f"known: {', '.join(KINDS)}",
                code="name-unknown",
            )
        if self.layer not in LAYERS:
            raise ConfigError(
                f"there is no layer {self.layer!r}", hint=f"known: {', '.join(LAYERS)}", code="name-unknown"
            )


def measure(workspace: Workspace, request: Request, reporter: Reporter | None = None) -> list[Measured]:
    """Measure all that is asked for, in its order.

    Raises:
        ModelError: the classifier cannot be used.
        CorruptTable, InputError: a table or a crop cannot be read.
    """
    return [KINDS[kind](workspace, request, reporter or Silent()) for kind in request.kinds]


def on_steps(
    measured: Sequence[Measured], rate: float
) -> Iterator[tuple[int, NDArray[np.float64], NDArray[np.float64], list[NDArray[np.float32]]]]:
    """The same on the steps of a rate (see `grid`), track by track.

    Yields:
        Track, (M,) starts and ends of the steps in which anything was measured, and of each modality (M, D) values.
    """
    for track in np.unique(np.concatenate([one.track for one in measured])).tolist():
        own = [_of(one, track) for one in measured]
        begin, end = (
            min(one.start_s.min() for one in own if len(one.track)),
            max(one.end_s.max() for one in own if len(one.track)),
        )
        edges = step_edges(steps_between(begin, end, rate), rate)
        yield track, *_known(edges, [average_onto(one.start_s, one.end_s, one.values, edges) for one in own])


def on_windows(
    measured: Sequence[Measured],
) -> Iterator[tuple[int, NDArray[np.float64], NDArray[np.float64], list[NDArray[np.float32]]]]:
    """The same on the intervals of the kind with the longest ones, which others are averaged onto; as `on_steps`. A
    voice is not heard all the time, so its intervals count only if there are no others."""
    seen = [one for one in measured if one.modality.name != VOICE]
    coarsest = min(seen or measured, key=lambda one: len(one.track))
    for track in np.unique(coarsest.track).tolist():
        own = [_of(one, track) for one in measured]
        edges = (_of(coarsest, track).start_s, _of(coarsest, track).end_s)
        yield track, *_known(edges, [average_onto(one.start_s, one.end_s, one.values, edges) for one in own])


def _of(measured: Measured, track: int) -> Measured:
    rows = slice(*np.searchsorted(measured.track, [track, track + 1]))
    names = ("track", "start_s", "end_s", "values")
    return replace(measured, **{name: getattr(measured, name)[rows] for name in names})


def _known(
    edges: tuple[NDArray[np.float64], NDArray[np.float64]], values: list[NDArray[np.float32]]
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[NDArray[np.float32]]]:
    any_known = np.any([np.isfinite(one).all(axis=1) for one in values], axis=0)
    return edges[0][any_known], edges[1][any_known], [one[any_known] for one in values]


def _trunk(workspace: Workspace, request: Request, reporter: Reporter) -> Measured:
    """Features of all windows whose faces are assessable, as far as the tables say.

    Unlike those of classify-emotions, windows are as long as the clips of the network, so it looks at each face once.
    """
    from fercli.models.classifier import EmotionClassifier
    from fercli.models.devices import pick_device

    name, path = find_classifier(request.model)
    classifier = EmotionClassifier(path, pick_device(request.device))
    params, n_frames = _params(workspace), classifier.header.n_frames
    windows = make_windows(workspace, replace(params, stride=max(params.stride, n_frames)), n_frames)
    rows = np.array([number for number, reason in enumerate(windows.reason) if not reason], np.int64)
    parts: list[NDArray[np.float32]] = []
    with reporter.task("measure features", len(rows), "window") as task:
        for start in range(0, len(rows), BATCH):
            clips = windows.clip[rows[start : start + BATCH]]
            views = _views(workspace, classifier, clips)
            stacked = np.stack([[views[face] for face in clip] for clip in clips.tolist()])
            parts.append(_layer(classifier, stacked, request.layer))
            task.advance(len(clips))
    columns = _names(classifier, request.layer)
    values = np.concatenate([np.zeros((0, len(columns)), np.float32), *parts])
    source = f"{request.layer} of {name}, sha256 {sha256_file(path)}"
    return _by_track("trunk", source, columns, *_intervals(windows, rows), values)


def _layer(classifier: EmotionClassifier, clips: NDArray[np.uint8], layer: str) -> NDArray[np.float32]:
    return classifier.features(clips) if layer == "trunk" else classifier.logits(clips).mean(axis=0)


def _names(classifier: EmotionClassifier, layer: str) -> tuple[str, ...]:
    if layer == "logits":
        return classifier.head.labels
    shape = (1, classifier.header.n_frames, classifier.header.input_size, classifier.header.input_size)
    colour = (3,) if classifier.header.colour == "rgb" else ()
    return tuple(f"trunk_{n}" for n in range(classifier.features(np.zeros((*shape, *colour), np.uint8)).shape[1]))


def _views(workspace: Workspace, classifier: EmotionClassifier, clips: NDArray[np.int64]) -> dict[int, Any]:
    """Face -> the network's view of it, turned upright."""
    from fercli.media.crops import read_crops
    from fercli.media.images import upright
    from fercli.models.classifier import FaceView

    wanted = np.unique(clips)
    view = FaceView(classifier.header, workspace.crop_scale)
    rolls = tables.read_rows(workspace.table("faces"), tables.FACES, ["face", "roll"], "face", wanted.tolist())
    turned = dict(zip(rolls["face"].to_pylist(), rolls["roll"].to_pylist(), strict=True))
    crops = read_crops(workspace.table("crops"), wanted)
    return {face: view(upright(crop, turned[face])) for face, crop in crops}


def _params(workspace: Workspace) -> EmotionsParams:
    """The parameters of classify-emotions of this workspace, where it has run: the same faces are assessable."""
    receipt = workspace.receipt("emotions")
    known = EmotionsParams.__dataclass_fields__
    given = {key: value for key, value in (receipt.params if receipt else {}).items() if key in known}
    return EmotionsParams(**given)


def _intervals(windows: Windows, rows: NDArray[np.int64]) -> tuple[Any, Any, Any]:
    return windows.track[rows], windows.start_s[rows], windows.end_s[rows]


def _emotions(workspace: Workspace, request: Request, reporter: Reporter) -> Measured:
    table, labels = tables.read_windows(workspace.table("emotions"))
    values = np.stack([table[label].to_numpy() for label in labels], axis=1).astype(np.float32)
    track, start_s, end_s = (table[name].to_numpy() for name in ("track", "start_s", "end_s"))
    return _by_track("emotions", "classify-emotions", labels, track, start_s, end_s, values)


def _of_faces(workspace: Workspace, name: str, columns: Sequence[str]) -> Measured:
    frames = tables.read_table(workspace.table("frames"), tables.FRAMES)
    faces = tables.read_table(workspace.table("faces"), tables.FACES)
    tracks = tables.read_table(workspace.table("tracks"), tables.TRACKS)
    attributes = tables.read_table(workspace.table("attributes"), tables.ATTRIBUTES)
    own = tracks["face"].to_numpy()
    place = np.searchsorted(frames["frame"].to_numpy(), faces["frame"].to_numpy()[own])
    values = np.stack([_floats(attributes[column])[own] for column in columns], axis=1)
    start_s, end_s = (frames[edge].to_numpy()[place] for edge in ("pts_s", "end_s"))
    return _by_track(name, "measure-faces", columns, tracks["track"].to_numpy(), start_s, end_s, values)


def _voice(workspace: Workspace, request: Request, reporter: Reporter) -> Measured:
    from fercli.features.voice import voice_rows, voice_source

    source = voice_source()
    rows = list(voice_rows(workspace, reporter))
    track, start_s, end_s = (np.array([row[column] for row in rows]) for column in range(3))
    values = np.stack([np.zeros(VOICE_SIZE, np.float32), *(row[3] for row in rows)])[1:]
    columns = tuple(f"voice_{number}" for number in range(VOICE_SIZE))
    return _by_track(VOICE, source, columns, track, start_s, end_s, values)


def _floats(column: pa.ChunkedArray) -> NDArray[np.float32]:
    return np.asarray(column.to_numpy(), np.float32)  # null -> NaN


def _by_track(
    name: str,
    source: str,
    columns: Sequence[str],
    track: NDArray[Any],
    start_s: NDArray[Any],
    end_s: NDArray[Any],
    values: NDArray[np.float32],
) -> Measured:
    order = np.lexsort((start_s, track))
    modality = Modality(name, len(columns), source)
    starts, ends = start_s[order].astype(np.float64), end_s[order].astype(np.float64)
    return Measured(modality, tuple(columns), track[order].astype(np.int64), starts, ends, values[order])


KINDS: dict[str, Callable[[Workspace, Request, Reporter], Measured]] = {
    "trunk": _trunk,
    "emotions": _emotions,
    "blendshapes": lambda workspace, request, reporter: _of_faces(workspace, "blendshapes", BLENDSHAPES),
    "pose": lambda workspace, request, reporter: _of_faces(workspace, "pose", POSE),
    VOICE: _voice,
}
"""Name -> how it is measured."""
