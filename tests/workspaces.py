"""Small hand-made workspaces: tables and receipts as the stages write them, without a video or a network."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli import tables
from fercli.chain import STAGES, Stage
from fercli.config import Runtime
from fercli.hashing import output_digests
from fercli.media.images import encode_jpeg
from fercli.progress import Reporter, Silent
from fercli.results.details import Details
from fercli.results.model import Person, Segment, Track
from fercli.stages.base import StageContext
from fercli.timing import frame_ends
from fercli.workspace import Digests, Receipt, VideoFacts, Workspace
from fercli.workspace.chunks import Chunks
from fercli.writing import write_atomically

VIDEO = VideoFacts(
    path="/films/épisode 1.mp4",
    size=1234,
    sha256="ab" * 32,
    width=640,
    height=360,
    rotation=0,
    fps=25.0,
    duration_s=60.0,
    start_s=0.0,
    raw_start_s=0.0,
    codec="h264",
)
FACTS = {key: value for key, value in asdict(VIDEO).items() if key != "path"} | {
    "name": Path(VIDEO.path).name,
    "analysed": [0.0, VIDEO.duration_s],
}
"""What a result says of VIDEO."""
WEIGHTS = {"emotions": {"tsm-resnet18": "cd" * 32}}


def make_workspace(path: Path, video: VideoFacts = VIDEO, **content: pa.Table) -> Workspace:
    """A workspace that holds the given tables (by name), with a receipt beside each.

    Where faces are tracked or have segments, they look straight ahead, unless attributes are given.
    """
    if "faces" in content and {"tracks", "segments"} & content.keys():
        content = {"attributes": attributes_table(content["faces"].num_rows), **content}
    workspace = Workspace.create(path, video)
    for name, table in content.items():
        file = workspace.table(name)
        file.parent.mkdir(exist_ok=True)
        tables.write_table(file, [table], table.schema)
    if "persons" in content and "tracks" not in content:  # for tests that look at no face
        (workspace.path / "tracks").mkdir(exist_ok=True)
        add_receipt(workspace, "tracks")
    for stage in STAGES:
        if set(stage.writes) & set(content):
            add_receipt(workspace, stage.name)
    return workspace


def add_receipt(workspace: Workspace, directory: str, *, warnings: Sequence[str] = (), **params: Any) -> None:
    """Write the receipt of a stage, and let the receipts of later ones name what it wrote as what they read.

    Args:
        params: replace the defaults.
    """
    stage = next(stage for stage in STAGES if stage.name == directory)
    _write_receipt(
        workspace,
        stage,
        Receipt(
            stage.title,
            stage.version,
            {**asdict(stage.params()), **params},
            {},
            WEIGHTS.get(directory, {}),
            output_digests(workspace.path / directory),
            warnings=list(warnings),
        ),
    )
    for later in STAGES[STAGES.index(stage) + 1 :]:
        if (receipt := workspace.receipt(later.name)) is not None:
            _write_receipt(workspace, later, receipt)


def _write_receipt(workspace: Workspace, stage: Stage, receipt: Receipt) -> None:
    digests = Digests(by_receipts=True)
    inputs = {name: digests.of_input(workspace, name) for name in stage.reads}
    content = json.dumps(asdict(replace(receipt, inputs=inputs))).encode()
    write_atomically(workspace.path / stage.name / "receipt.json", content)


def stage_context(workspace: Workspace, reporter: Reporter | None = None, *, batch: int = 64) -> StageContext:
    """What the pipeline would hand a stage; outputs go to `work/out`, chunks to `work/chunks` beside the tables."""
    out = workspace.path / "work" / "out"
    out.mkdir(parents=True, exist_ok=True)
    runtime = Runtime(device="cpu", batch=batch)
    return StageContext(workspace, out, Chunks(workspace.path / "work" / "chunks"), runtime, reporter or Silent())


def frames_table(
    pts_s: Sequence[float],
    numbers: Sequence[int] | None = None,
    shots: Sequence[int] | None = None,
    shot_ends_s: Sequence[float] | None = None,
    mixed: Sequence[bool] | None = None,
    held: Mapping[int, float] | None = None,
) -> pa.Table:
    """Sampled frames, all in shot 0, numbered from 0, none mixed, unless given; each ends with the next, or as long
    after as is usual. `held` says of some frames (by their place) that the video shows nothing else until then."""
    count, pts = len(pts_s), np.array(pts_s, np.float64)
    usual = float(np.median(np.diff(pts))) if count > 1 else VIDEO.end_s
    due = pts + usual
    for place, until_s in (held or {}).items():
        due[place] = until_s
    ends = frame_ends(pts, due, np.array(shot_ends_s or [np.inf] * count))
    columns = [numbers or list(range(count)), pts, ends, shots or [0] * count, mixed or [False] * count]
    return pa.table(columns, schema=tables.FRAMES)


def face_row(frame: int, **values: Any) -> dict[str, Any]:
    """One sharp, frontal, large face; `values` replace single columns."""
    return {
        "frame": frame,
        "x1": 100.0,
        "y1": 50.0,
        "x2": 180.0,
        "y2": 150.0,
        "score": 0.9,
        "detected": True,
        "landmarks": None,
        "size": 80.0,
        "sharpness": 200.0,
        "contrast": 1000.0,
        "frontal": 0.9,
        "roll": 0.0,
        **values,
    }


def faces_table(rows: Sequence[dict[str, Any]]) -> pa.Table:
    """Faces numbered from 0 in the order given."""
    return pa.Table.from_pylist([{"face": face, **row} for face, row in enumerate(rows)], schema=tables.FACES)


def attributes_table(faces: int, **values: Any) -> pa.Table:
    """Faces that look straight ahead with a closed mouth; `values` replace single columns, for all or face by face."""
    rows = [
        {**dict.fromkeys(tables.ATTRIBUTES.names, 0.0), "face": face, "flag": 1.0, "eye_left": 0.3, "eye_right": 0.3}
        for face in range(faces)
    ]
    for name, value in values.items():
        for face, row in enumerate(rows):
            row[name] = value[face] if isinstance(value, Sequence) else value
    return pa.Table.from_pylist(rows, schema=tables.ATTRIBUTES)


def meshes_table(faces: Sequence[int], points: NDArray[np.float64] | None = None) -> pa.Table:
    """The same mesh for each of some faces; without `points` all of it is at 0."""
    flat = np.zeros(478 * 3) if points is None else points.ravel()
    return pa.table([pa.array(faces, pa.int64()), [flat.astype(np.float32)] * len(faces)], schema=tables.MESHES)


def tracks_table(members: Mapping[int, Sequence[int]]) -> pa.Table:
    """Track -> its faces."""
    pairs = sorted((face, track) for track, faces in members.items() for face in faces)
    columns = [[face for face, _ in pairs], [track for _, track in pairs]]
    return pa.table(columns, schema=tables.TRACKS)


def persons_table(
    rows: Sequence[tuple[int, str | None, float, float]], best_faces: Mapping[int, int] | None = None
) -> pa.Table:
    """(track, person, start_s, end_s) a row."""
    content = [
        {
            "track": track,
            "person": person,
            "shot": 0,
            "start_s": start,
            "end_s": end,
            "faces": 5,
            "best_face": (best_faces or {}).get(track, 0),
            "identity": 0.9 if person else None,
        }
        for track, person, start, end in rows
    ]
    return pa.Table.from_pylist(content, schema=tables.PERSONS)


def person(
    name: str, tracks: int = 1, screen_time_s: float = 1.0, seconds: Mapping[str, float] | None = None
) -> Person:
    """A person with so many tracks of equal length and a segment an emotion, that together last so long."""
    length = screen_time_s / max(tracks, 1)
    own = tuple(
        Track(k * length, (k + 1) * length, k, k, name, faces=5, best_face=0, best_box=(0, 0, 1, 1), best_s=0.0)
        for k in range(tracks)
    )
    segments = tuple(Segment(0.0, length, emotion, name) for emotion, length in (seconds or {}).items())
    return Person(name, own, segments)


def sums(person: Person) -> tuple[str, int, float, dict[str, float]]:
    """Name, number of tracks, seconds on screen and seconds by emotion."""
    return person.name, len(person.tracks), person.screen_time_s, person.seconds_by_emotion


def no_details() -> Details:
    """`details` of a document whose format says nothing of single faces."""
    raise AssertionError("this format needs no details")


def segments_table(rows: Sequence[tuple[int, float, float, str, float | None, str, int]]) -> pa.Table:
    """(track, start_s, end_s, class, score, reason, face) a row; none is doubtful."""
    return pa.Table.from_pylist(
        [dict(zip(tables.SEGMENTS.names, (*row, ""), strict=True)) for row in rows], schema=tables.SEGMENTS
    )


def crops_table(images: Sequence[NDArray[np.uint8]]) -> pa.Table:
    """Square RGB crops of faces 0, 1, ..."""
    jpegs = [encode_jpeg(image) for image in images]
    return pa.table([list(range(len(jpegs))), jpegs], schema=tables.CROPS)


def noise_crops(count: int, side: int = 48) -> list[NDArray[np.uint8]]:
    """Different crops, the same each time."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (count, 6, 6, 3), dtype=np.uint8)
    return [np.kron(image, np.ones((side // 6, side // 6, 1), np.uint8)) for image in coarse]
