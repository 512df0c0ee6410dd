"""detect-speakers: which visible face is heard talking.

The video is read again at 25 pictures a second, because a face every 100 ms is too rare for lips. LR-ASD judges mouth
region and sound together, but mostly sees that a mouth moves; so how well the darkness of the mouth, which grows as it
opens, follows the loudness of the sound is added to its score. Nothing is computed where there is no voice, and for
mouths that do not move in the mesh.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli import tables
from fercli.config import SpeakersParams, SpeechParams
from fercli.models.registry import find_model, weights_key
from fercli.stages.base import NO_FACE, StageContext

if TYPE_CHECKING:
    from fercli.media.index import FrameIndex
    from fercli.media.kept_sound import KeptSound
    from fercli.media.picture import Picture
    from fercli.media.upright import Stretch
    from fercli.models.lr_asd import SpeakerNetwork

NO_SOUND = "there is no sound"
NETWORKS = (("lr-asd", "speakers"), ("silero-vad", "voice"))
"""Names and tasks of the networks."""
SCHEMAS = {"talking": tables.TALKING_FACES}
PIECE_S = 10.0
"""What is judged at once, seconds; memory grows with it and with the number of faces."""
CONTEXT_S = 2.0
"""Known before and after each piece, seconds."""
STILL_BELOW = 0.04
"""Movement of the mouth below which a face does not talk, see `expressions.talking.movement`: three quarters of still
and smiling faces are below it."""
_SMOOTHED = 5
"""Pictures over which a score is averaged, as LR-ASD's authors do."""
_ROUNDING_S = 1e-6
Grey = NDArray[np.uint8]


@dataclass(eq=False)
class _Face:
    """A track in 25 pictures a second.

    Attributes:
        moments: (N,) consecutive numbers of moments, in 1 / FPS seconds.
        middles: (N, 2), sides: (N,) middle and longer side of its box, smoothed, square pixels.
        moves: (N,) whether its mouth moves, or may move.
        seen: moment -> view of its mouth.
    """

    moments: NDArray[np.int64]
    middles: NDArray[np.float64]
    sides: NDArray[np.float64]
    moves: NDArray[np.bool_]
    seen: dict[int, Grey] = field(default_factory=dict)


def run(context: StageContext, params: SpeakersParams) -> dict[str, Any]:
    """Judge all tracks, 10 s at a time; returns counts.

    Raises:
        ModelError: a network or a package is missing.
        VideoError: the video cannot be opened.
        CorruptTable: a table cannot be read.
    """
    from fercli.media.kept_index import frame_index
    from fercli.media.kept_sound import KeptSound

    workspace = context.workspace
    sound = KeptSound(workspace.table("sound"))
    if not sound.pieces:
        context.skip(NO_SOUND, SCHEMAS)
        return {"faces": 0, "talking": 0}
    rows = _rows(context)
    if not rows.num_rows:
        context.skip(NO_FACE, SCHEMAS)
        return {"faces": 0, "talking": 0}
    faces = _faces(context, rows)
    voiced = _voiced(context, sound)
    network: SpeakerNetwork = context.models.load(find_model(*NETWORKS[0]), device=context.runtime.device)
    _judge(context, _Pieces(sound, faces, voiced, rows), network, frame_index(workspace))
    counts = context.chunks.merge(context.out, SCHEMAS)
    found = tables.read_table(context.out / "talking.parquet", tables.TALKING_FACES)["talks"]
    talking = int((np.nan_to_num(found.to_numpy()) >= 0.5).sum())
    return {"faces": counts["talking"], "talking": talking}


def weights(params: SpeakersParams) -> dict[str, str]:
    """The networks and the sha256 of their files."""
    keys = [weights_key(find_model(name, task)) for name, task in NETWORKS]
    return {name: digest for key in keys for name, digest in key.items()}


def _rows(context: StageContext) -> pa.Table:
    """The faces of tracks, by face: face, track, frame, pts_s, end_s, box, mouth."""
    workspace = context.workspace
    tracks = tables.read_table(workspace.table("tracks"), tables.TRACKS)
    faces = tables.read_table(workspace.table("faces"), tables.FACES).take(tracks["face"])
    frames = tables.read_table(workspace.table("frames"), tables.FRAMES)
    attributes = tables.read_table(workspace.table("attributes"), tables.ATTRIBUTES)
    place = pa.array(np.searchsorted(frames["frame"].to_numpy(), faces["frame"].to_numpy()))
    columns = {"face": tracks["face"], "track": tracks["track"], "frame": faces["frame"]}
    columns |= {name: frames[name].take(place) for name in ("pts_s", "end_s")}
    columns |= {name: faces[name] for name in ("x1", "y1", "x2", "y2")}
    columns["mouth"] = attributes["mouth"].take(tracks["face"])
    return pa.table(columns)


def _faces(context: StageContext, rows: pa.Table) -> list[_Face]:
    """The tracks, in the order of their numbers."""
    from fercli.media.upright import Stretch

    stretch = Stretch.of(context.workspace.video.pixel_aspect)
    boxes = np.stack([rows[edge].to_numpy() for edge in ("x1", "y1", "x2", "y2")], axis=1).astype(np.float64)
    boxes *= np.array([stretch.x, stretch.y, stretch.x, stretch.y])
    times, ends = rows["pts_s"].to_numpy(), rows["end_s"].to_numpy()
    mouth = rows["mouth"].to_numpy().astype(np.float64)
    return [
        _face(times[own], float(ends[own[-1]]), boxes[own], mouth[own])
        for own in tables.rows_by_value(rows["track"]).values()
    ]


def _face(times: NDArray[np.float64], end_s: float, boxes: NDArray[np.float64], mouth: NDArray[np.float64]) -> _Face:
    """A track from its faces: (n,) times, (n, 4) boxes, (n,) openings of the mouth."""
    from scipy.ndimage import median_filter

    from fercli.expressions.talking import movement
    from fercli.models.lr_asd import FPS

    first = int(np.ceil(times[0] * FPS - _ROUNDING_S))
    after = max(first + 1, int(np.ceil(end_s * FPS - _ROUNDING_S)))
    moments = np.arange(first, after)
    at = moments / FPS
    places = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2], axis=1)
    sides = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
    smooth = [
        median_filter(np.interp(at, times, series), 2 * (FPS // 4) + 1, mode="nearest")
        for series in (places[:, 0], places[:, 1], sides)
    ]
    moved = movement(times, mouth)
    nearest = _nearest(times, at)
    return _Face(moments, np.stack(smooth[:2], axis=1), smooth[2], ~(moved[nearest] < STILL_BELOW))


def _nearest(times: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.int64]:
    """Row of the time nearest to each moment; times ascend."""
    if len(times) < 2:
        return np.zeros(len(at), np.int64)
    after = np.clip(np.searchsorted(times, at), 1, len(times) - 1)
    found: NDArray[np.int64] = after - (at - times[after - 1] < times[after] - at)
    return found


def _voiced(context: StageContext, sound: KeptSound) -> NDArray[np.float64]:
    """(n, 2) start and end of the stretches with a voice, seconds; found as `transcribe` does by default."""
    from fercli.models.silero import voiced

    network = context.models.load(find_model(*NETWORKS[1]))
    network.begin()
    found = [network.probabilities(samples) for samples in sound.each()]
    found.append(network.probabilities(np.zeros(0, np.float32), last=True))
    defaults = SpeechParams()
    limits = defaults.threshold, defaults.pad_s, defaults.min_silence_s
    spans = voiced(np.concatenate(found), *limits, sound.start_s, sound.end_s)
    return np.array(spans, np.float64).reshape(-1, 2)


@dataclass
class _Pieces:
    """The work, cut into pieces of PIECE_S.

    Attributes:
        sound: the sound. faces: the tracks, by number. voiced: as `_voiced` returns it. rows: as `_rows` returns it.
    """

    sound: KeptSound
    faces: list[_Face]
    voiced: NDArray[np.float64]
    rows: pa.Table

    @property
    def borders(self) -> NDArray[np.int64]:
        """(P + 1,) the first moment of each piece, and the one after the last."""
        from fercli.models.lr_asd import FPS

        first = min(int(face.moments[0]) for face in self.faces)
        after = max(int(face.moments[-1]) for face in self.faces) + 1
        return np.array([*range(first, after, round(PIECE_S * FPS)), after], np.int64)

    def wanted(self, face: _Face, first: int, after: int) -> tuple[int, int] | None:
        """The rows of a track that the network must see for its moments in [first, after); None if there is no voice,
        or no movement of the mouth."""
        from fercli.models.lr_asd import FPS

        if after <= face.moments[0] or first > face.moments[-1]:
            return None
        inside = (face.moments >= first) & (face.moments < after) & face.moves & self.heard(face.moments)
        places = np.flatnonzero(inside)
        if not len(places):
            return None
        context = round(CONTEXT_S * FPS)
        return max(0, int(places[0]) - context), min(len(face.moments), int(places[-1]) + 1 + context)

    def views(self, index: FrameIndex, first: int, after: int) -> dict[int, dict[tuple[int, int], tuple[_Face, int]]]:
        """Frame of the video -> the faces with their rows whose views are to be cut out of it, by number and row."""
        from fercli.models.lr_asd import FPS

        found: dict[int, dict[tuple[int, int], tuple[_Face, int]]] = {}
        for number, face in enumerate(self.faces):
            place = self.wanted(face, first, after)
            if place is not None:
                at = face.moments[slice(*place)] / FPS + _ROUNDING_S
                frames = np.maximum(np.searchsorted(index.pts_s, at, "right") - 1, 0)
                for row, frame in zip(range(*place), frames.tolist(), strict=True):
                    found.setdefault(frame, {})[number, row] = face, row
        return found

    def frames(self, index: FrameIndex, first: int, after: int) -> NDArray[np.int64]:
        """The frames of `views`, ascending."""
        return np.array(sorted(self.views(index, first, after)), np.int64)

    @cached_property
    def owners(self) -> NDArray[np.int64]:
        """(n,) place among `faces` of the track of each row."""
        tracks = self.rows["track"].to_numpy()
        return np.asarray(np.searchsorted(np.unique(tracks), tracks), np.int64)

    def heard(self, moments: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(N,) whether there is a voice at these moments."""
        from fercli.models.lr_asd import FPS

        at = moments / FPS
        if not len(self.voiced):
            return np.zeros(len(at), np.bool_)
        place = np.searchsorted(self.voiced[:, 0], at, "right") - 1
        found: NDArray[np.bool_] = (place >= 0) & (at < self.voiced[place, 1])
        return found


def _judge(context: StageContext, work: _Pieces, network: SpeakerNetwork, index: FrameIndex) -> None:
    """Commit the rows of each piece that is not done yet."""
    borders = work.borders
    spans = list(zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True))
    done = len(context.chunks.done)
    todo = spans[done:]
    pictures = _seen_until(context, work, todo, index)
    probabilities = [np.zeros(len(face.moments), np.float32) for face in work.faces]
    with context.reporter.task("detect-speakers", len(spans), "piece") as task:
        task.advance(len(spans) - len(todo))
        for number, (first, after) in enumerate(todo, done):
            next(pictures)
            heard = _Heard(network, work.sound, first, after)
            for face, found in zip(work.faces, probabilities, strict=True):
                place = work.wanted(face, first, after)
                if place is not None:
                    _fill(face, found, place, heard, work)
            context.chunks.commit(number, {"talking": _talking(work, probabilities, first, after)}, SCHEMAS)
            task.advance()


def _seen_until(
    context: StageContext, work: _Pieces, spans: list[tuple[int, int]], index: FrameIndex
) -> Iterator[None]:
    """Read the video once; yields when the views of all faces are there for each span in turn, and only those."""
    from fercli.media.decode import decode
    from fercli.media.upright import Stretch
    from fercli.models.lr_asd import FPS

    video = context.workspace.video
    stretch = Stretch.of(video.pixel_aspect)
    frames = np.unique(np.concatenate([work.frames(index, *span) for span in spans] or [np.zeros(0, np.int64)]))
    pictures = decode(Path(video.path), index, frames.tolist(), decoder=context.runtime.decoder)
    wanted = work.views(index, *spans[0]) if spans else {}
    reached, kept = -1, round((PIECE_S - 2 * CONTEXT_S) * FPS)
    for number, (first, _) in enumerate(spans):
        last = max(wanted, default=-1)
        if number + 1 < len(spans):  # its context lies in this piece
            for frame, views in work.views(index, *spans[number + 1]).items():
                wanted.setdefault(frame, {}).update(views)
        while reached < last and (picture := next(pictures, None)) is not None:
            reached = picture.frame
            _look(picture, stretch, wanted.pop(reached, {}).values())
        wanted = {frame: views for frame, views in wanted.items() if frame > reached}
        yield
        for face in work.faces:
            face.seen = {m: view for m, view in face.seen.items() if m >= first + kept}


def _look(picture: Picture, stretch: Stretch, wanted: Iterable[tuple[_Face, int]]) -> None:
    """Cut the mouths out of a picture."""
    import cv2

    grey = np.asarray(cv2.cvtColor(stretch.square(picture.rgb()), cv2.COLOR_RGB2GRAY), np.uint8)
    for face, row in wanted:
        face.seen[int(face.moments[row])] = mouth_view(grey, face.middles[row], float(face.sides[row]))


def mouth_view(grey: Grey, middle: NDArray[np.float64], side: float) -> Grey:
    """The mouth region as LR-ASD's authors cut it: a square of 0.7 longer sides of the box, 0.2 of them lower than it.

    Outside of the picture it is 110.

    Args:
        grey: (H, W) uint8.
        middle: x, y of the middle of the box, pixels.
        side: longer side of the box, pixels.

    Returns:
        (SIDE, SIDE) uint8.
    """
    import cv2

    from fercli.models.lr_asd import SIDE

    half = max(1, round(0.35 * side))
    x, y = round(float(middle[0])), round(float(middle[1]) + 0.2 * side)
    inside = grey[max(0, y - half) : max(0, y + half), max(0, x - half) : max(0, x + half)]
    square = np.full((2 * half, 2 * half), 110, np.uint8)
    top, left = max(0, half - y), max(0, half - x)
    square[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
    method = cv2.INTER_AREA if 2 * half > SIDE else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(square, (SIDE, SIDE), interpolation=method), np.uint8)


class _Heard:
    """The sound of a piece, with context; the same for all faces."""

    def __init__(self, network: SpeakerNetwork, sound: KeptSound, first: int, after: int) -> None:
        from fercli.media.audio import RATE
        from fercli.models.lr_asd import FPS, mfcc
        from fercli.models.speaking import loudness

        self.network = network
        around = round(CONTEXT_S * FPS)
        self.first, self.count = first - around, after - first + 2 * around
        begin_s = self.first / FPS
        samples = sound.between(max(begin_s, sound.start_s), (self.first + self.count) / FPS + 0.1)
        early = max(0, round((sound.start_s - begin_s) * RATE))
        samples = np.concatenate((np.zeros(early, np.float32), samples))
        self.features = network.hear(mfcc(samples, self.count))
        self.loudness = loudness(samples, self.count)

    def of(self, moments: NDArray[np.int64]) -> slice:
        """Where these consecutive moments are in it."""
        return slice(int(moments[0]) - self.first, int(moments[-1]) + 1 - self.first)


def _fill(face: _Face, found: NDArray[np.float32], place: tuple[int, int], heard: _Heard, work: _Pieces) -> None:
    """Write the probabilities of a stretch of a track into `found`."""
    from scipy.ndimage import uniform_filter1d

    from fercli.models.speaking import darkness, follows, probability

    rows = [row for row in range(*place) if heard.first <= face.moments[row] < heard.first + heard.count]
    views = _views(face, rows)
    if views is None:
        return
    moments = face.moments[rows]
    at = heard.of(moments)
    scores = heard.network.talks(heard.network.see(views), heard.features[:, at])
    scores = uniform_filter1d(scores, _SMOOTHED, mode="nearest")
    together = follows(darkness(views), heard.loudness[at])
    judged = face.moves[rows] & work.heard(moments)
    found[rows] = np.where(judged, probability(scores, together), 0)


def _views(face: _Face, rows: list[int]) -> NDArray[np.uint8] | None:
    """(N, SIDE, SIDE) the views of these rows; a moment whose picture is damaged has the one before. None if there is
    none at all."""
    views, last = [], next((face.seen[m] for m in face.moments[rows].tolist() if m in face.seen), None)
    if last is None:
        return None
    for moment in face.moments[rows].tolist():
        last = face.seen.get(moment, last)
        views.append(last)
    return np.stack(views)


def _talking(work: _Pieces, probabilities: list[NDArray[np.float32]], first: int, after: int) -> pa.Table:
    """The rows of the faces whose frames begin in [first, after): the mean over the time of the frame."""
    from fercli.models.lr_asd import FPS

    rows = work.rows
    begin = np.ceil(rows["pts_s"].to_numpy() * FPS - _ROUNDING_S).astype(np.int64)
    end = np.maximum(np.ceil(rows["end_s"].to_numpy() * FPS - _ROUNDING_S).astype(np.int64), begin + 1)
    own = np.flatnonzero((begin >= first) & (begin < after))
    faces = rows["face"].to_numpy()
    heard = (begin / FPS >= work.sound.start_s - _ROUNDING_S) & (begin / FPS < work.sound.end_s)
    found: list[tuple[int, float | None]] = []
    for row in own:
        place = int(work.owners[row])
        start = int(work.faces[place].moments[0])
        values = probabilities[place][begin[row] - start : min(end[row], after) - start]
        known = heard[row] and len(values)
        found.append((int(faces[row]), float(values.mean()) if known else None))
    columns = [[face for face, _ in found], [value for _, value in found]]
    return pa.table(columns, schema=tables.TALKING_FACES)
