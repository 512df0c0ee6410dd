"""Small videos with hand-made workspaces: who is where is known, so what is drawn can be."""

from __future__ import annotations

import wave
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli import tables
from fercli.media.index import read_index
from fercli.media.probe import probe
from fercli.workspace import Workspace
from tests.media_samples import ffmpeg, write_video
from tests.workspaces import (
    crops_table,
    face_row,
    faces_table,
    frames_table,
    make_workspace,
    noise_crops,
    persons_table,
    segments_table,
    tracks_table,
)

Image = NDArray[np.uint8]
Box = tuple[float, float, float, float]
LABELS = ("anger", "happiness", "neutral")
PROBABILITIES = (0.1, 0.7, 0.2)
RATE = 16000


def make_scene(
    path: Path,
    video: Path,
    seen: Mapping[str, Mapping[int, Box]],
    *,
    step: int = 1,
    untracked: Mapping[int, Box] | None = None,
    cuts: Sequence[int] = (),
    emotion: str = "happiness",
) -> Workspace:
    """The workspace of a video of which every `step`-th frame was looked at.

    Args:
        seen: person -> frame -> box; each person is one track, numbered as they come. A name that begins with `?` is
            that of nobody. All feel `emotion` with a score of 0.7 from first to last.
        untracked: frame -> box of a face that is in no track.
        cuts: frames that begin a new shot.
    """
    facts, index = probe(video), read_index(video)
    sampled = list(range(0, len(index.pts_s), step))
    shots = np.searchsorted(np.array(cuts, np.int64), sampled, side="right").tolist()
    begins = [*index.pts_s[list(cuts)], index.end_s]
    ends = [float(begins[shot]) for shot in shots]
    frames = frames_table([float(index.pts_s[frame]) for frame in sampled], sampled, shots, ends)
    owners = [(frame, box, track) for track, boxes in enumerate(seen.values()) for frame, box in boxes.items()]
    owners = sorted([*owners, *((frame, box, -1) for frame, box in (untracked or {}).items())])
    members = {track: [n for n, (_, _, owner) in enumerate(owners) if owner == track] for track in range(len(seen))}
    spans = [(float(index.pts_s[min(boxes)]), float(index.pts_s[max(boxes)]) + 0.1) for boxes in seen.values()]
    names = [None if name.startswith("?") else name for name in seen]
    assessed = emotion != "not assessable"
    reason, score = ("", 0.7) if assessed else ("too small", None)
    windows = [
        {
            "track": track,
            "face": members[track][0],
            "start_s": begin,
            "end_s": end,
            "reason": reason,
            **dict(zip(LABELS, PROBABILITIES if assessed else (None,) * len(LABELS), strict=True)),
        }
        for track, (begin, end) in enumerate(spans)
    ]
    return make_workspace(
        path,
        facts,
        frames=frames,
        faces=faces_table([_face(frame, box) for frame, box, _ in owners]),
        crops=crops_table(noise_crops(len(owners)) if owners else []),
        tracks=tracks_table(members),
        persons=persons_table(
            [(track, names[track], *span) for track, span in enumerate(spans)],
            {track: own[0] for track, own in members.items()},
        ),
        embeddings=tables.EMBEDDINGS.empty_table(),
        emotions=pa.Table.from_pylist(windows, schema=tables.windows_schema(LABELS)),
        segments=segments_table(
            [(track, *span, emotion, score, reason, members[track][0]) for track, span in enumerate(spans)]
        ),
    )


def grey_video(path: Path, count: int = 20, *, width: int = 320, height: int = 240, grey: int = 96) -> Path:
    """A plain picture, ten a second."""
    return write_video(path, (np.full((height, width, 3), grey, np.uint8) for _ in range(count)), fps="10")


def noise_video(path: Path, count: int = 20, *, width: int = 320, height: int = 240) -> Path:
    """A still picture, grey and full of coarse detail, ten a second."""
    coarse = np.random.default_rng(0).integers(0, 256, (height // 4, width // 4, 1), dtype=np.uint8)
    image = np.kron(coarse, np.ones((4, 4, 3), np.uint8))
    encode = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "10", "-pix_fmt", "yuv420p")
    return write_video(path, (image for _ in range(count)), fps="10", encode=encode)


def add_click(video: Path, target: Path, click_s: float, *arguments: str, duration_s: float = 3.0) -> Path:
    """The same video with sound that begins when its clock is 0: silence, but for a loud click of 20 ms."""
    samples = np.zeros(int(duration_s * RATE), np.int16)
    begin = round(click_s * RATE)
    samples[begin : begin + RATE // 50] = 20000 * np.sign(np.sin(np.arange(RATE // 50) * 1.3))
    wav = target.with_suffix(".wav")
    with wave.open(str(wav), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    ffmpeg(
        "-copyts",
        "-i",
        str(video),
        "-i",
        str(wav),
        "-map",
        "0:v",
        "-map",
        "1:a",
        "-c:v",
        "copy",
        *arguments,
        str(target),
    )
    return target


def click_time(path: Path) -> float:
    """When the sound of a file first gets loud, seconds on the clock of its frames."""
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            samples = np.abs(frame.to_ndarray().astype(np.float64)).max(axis=0)
            samples = samples / (32768 if samples.max() > 2 else 1)
            loud = np.flatnonzero(samples > 0.2)
            if len(loud):
                return float(frame.pts * frame.time_base + loud[0] / frame.sample_rate)
    raise AssertionError(f"no click in {path}")


def click_times(path: Path) -> list[float]:
    """As `click_time`, for all clicks that are a second or more apart."""
    found: list[float] = []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            samples = np.abs(frame.to_ndarray().astype(np.float64)).max(axis=0)
            loud = np.flatnonzero(samples > 0.2 * (32768 if samples.max() > 2 else 1))
            if len(loud):
                time_s = float(frame.pts * frame.time_base + loud[0] / frame.sample_rate)
                if not found or time_s > found[-1] + 1:
                    found.append(time_s)
    return found


def pictures(path: Path) -> Iterator[tuple[float, Image]]:
    """Time and RGB picture of each frame, decoded by PyAV alone."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield float(frame.pts * frame.time_base), frame.to_ndarray(format="rgb24")


def picture(path: Path, number: int) -> Image:
    """One of them."""
    return next(image for k, (_, image) in enumerate(pictures(path)) if k == number)


def times(path: Path) -> list[float]:
    """When each frame is shown."""
    return [time_s for time_s, _ in pictures(path)]


def _face(frame: int, box: Box) -> dict[str, Any]:
    return face_row(frame, x1=box[0], y1=box[1], x2=box[2], y2=box[3])
