"""The manifest of a corpus: a line a clip, with all that is needed to cut the clip from its video again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fercli.corpus.stretches import Stretch
from fercli.errors import InputError
from fercli.files import require_regular_file
from fercli.media.audio import RATE
from fercli.media.index import FrameIndex
from fercli.results.details import Details
from fercli.writing import new_file, writing

MANIFEST = "manifest.parquet"
FORMAT = 2
"""Raised when older versions of fercli cannot read a new manifest. Before 2 it had no `rate` and `channels`: the sound
was mono at RATE."""
_ROUNDED_S = 1e-6
"""Times of results are rounded."""
_FACE = pa.struct([("frame", pa.int32()), *((name, pa.float32()) for name in ("x1", "y1", "x2", "y2", "roll"))])


@dataclass(frozen=True)
class Face:
    """A face of the person: number of its frame in the video, box in stored pixels, and its in-plane rotation, degrees
    clockwise."""

    frame: int
    x1: float
    y1: float
    x2: float
    y2: float
    roll: float


@dataclass(frozen=True)
class Clip:
    """One clip.

    Attributes:
        id: name of its files.
        video, sha256, size: name of the source, its digest, and its bytes.
        person, track, shot: as in the result.
        start_s, end_s: of the clip in the source: of its first frame, and the end of its last one, seconds.
        first_frame, frames: its frames, counted in the order of presentation from 0.
        rate, channels: of its sound, samples per second, as in the source; 0 without sound.
        first_sample, samples: its samples, counted from time 0 at that rate; 0 without sound.
        emotion, score, share, manual, speech_s, text: as of `Stretch`.
        split: `train`, `valid`, `test`, or `left-out` for a near-duplicate of a clip in another split.
        faces: at the moments that were analysed, by frame.
    """

    id: str
    video: str
    sha256: str
    size: int
    person: str
    track: int
    shot: int
    start_s: float
    end_s: float
    first_frame: int
    frames: int
    rate: int
    channels: int
    first_sample: int
    samples: int
    emotion: str
    score: float | None
    share: float
    manual: bool
    speech_s: float | None
    text: str
    split: str
    faces: tuple[Face, ...]

    @property
    def seconds(self) -> float:
        """Its duration."""
        return self.end_s - self.start_s

    @property
    def transcribed(self) -> bool:
        """Whether it is known what is said, which may be nothing."""
        return self.speech_s is not None or bool(self.text)


_TYPES: dict[str, pa.DataType] = {
    "int": pa.int64(),
    "float": pa.float64(),
    "float | None": pa.float64(),
    "str": pa.string(),
    "bool": pa.bool_(),
    "tuple[Face, ...]": pa.list_(_FACE),
}
SCHEMA = pa.schema(
    [(field.name, _TYPES[str(field.type)]) for field in fields(Clip)], metadata={"fercli corpus": str(FORMAT)}
)


@dataclass(frozen=True)
class Source:
    """A video: its name, sha256, bytes, and the rate and channels of its sound, 0 without."""

    video: str
    sha256: str
    size: int
    rate: int
    channels: int


def clips_of(
    stretches: Iterable[Stretch], details: Details, index: FrameIndex, source: Source, name: str
) -> list[Clip]:
    """The clips of stretches: each begins with the first frame that begins in it, and ends with the last one that ends
    in it.

    Args:
        stretches: of one video.
        details: faces of its result.
        index: its frames.
        source: the video.
        name: for the ids, different for each video.
    """
    faces = details.faces
    track, frame = faces["track"].to_numpy(), faces["frame"].to_numpy()
    boxes = np.stack([faces[edge].to_numpy() for edge in ("x1", "y1", "x2", "y2")], axis=1)
    clips: list[Clip] = []
    taken: set[str] = set()
    for one in stretches:
        first = int(np.searchsorted(index.pts_s, one.start_s - _ROUNDED_S))
        end = int(np.searchsorted(index.ends_s, one.end_s + _ROUNDED_S, "right"))
        own = np.flatnonzero((track == one.track) & (frame >= first) & (frame < end))
        if end <= first or not len(own):
            continue
        start_s, end_s = float(index.pts_s[first]), float(index.ends_s[end - 1])
        sample = round(start_s * source.rate)
        clips.append(
            Clip(
                id=_free(f"{name}_{safe_name(one.person)}_{round(start_s * 1000):08d}", taken),
                video=source.video,
                sha256=source.sha256,
                size=source.size,
                person=one.person,
                track=one.track,
                shot=one.shot,
                start_s=start_s,
                end_s=end_s,
                first_frame=first,
                frames=end - first,
                rate=source.rate,
                channels=source.channels,
                first_sample=sample,
                samples=round(end_s * source.rate) - sample,
                emotion=one.emotion,
                score=one.score,
                share=one.share,
                manual=one.manual,
                speech_s=one.speech_s,
                text=one.text,
                split="train",
                faces=tuple(
                    _face(int(frame[row]), boxes[row], float(details.turned[row]))
                    for row in own[np.argsort(frame[own])]
                ),
            )
        )
    return clips


def _face(frame: int, box: NDArray[np.float32], roll: float) -> Face:
    x1, y1, x2, y2 = map(float, box)
    return Face(frame, x1, y1, x2, y2, roll)


def safe_name(name: str) -> str:
    """A name as a part of file names."""
    return "".join(letter if letter.isalnum() or letter in "-." else "-" for letter in name)


def _free(name: str, taken: set[str]) -> str:
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name}-{number}"
    taken.add(found)
    return found


def write_manifest(path: Path, clips: Sequence[Clip]) -> None:
    """Write a manifest.

    Raises:
        OutputError: it cannot be written.
    """
    table = pa.Table.from_pylist([asdict(clip) for clip in clips], schema=SCHEMA)
    with writing(path), new_file(path, private=True) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read_manifest(path: Path) -> list[Clip]:
    """Read a manifest.

    Raises:
        InputError: it is missing, damaged, or has other columns.
    """
    require_regular_file(path, hint="give the manifest.parquet of a corpus")
    try:
        table = pq.read_table(path)
        form = (table.schema.metadata or {}).get(b"fercli corpus")
        if form not in (b"1", str(FORMAT).encode()):
            raise ValueError("it is not the manifest of a corpus")
        before = {"rate": RATE, "channels": 1} if form == b"1" else {}
        rows = [before | row for row in table.to_pylist()]
        return [Clip(**{**row, "faces": tuple(Face(**face) for face in row["faces"])}) for row in rows]
    except (OSError, ValueError, TypeError, KeyError, pa.ArrowException) as error:
        raise InputError(
            f"{path} cannot be used: {error}", hint="give the manifest.parquet of a corpus", code="manifest-unusable"
        ) from error
