"""A chain of five small stages with the directories and tables of the real one: no pixels, no networks, no waiting.

Run as a program it works through the chain once, slowly enough to be killed in the middle:

    python -m tests.fake_stages VIDEO WORKSPACE LOG
"""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from fercli import chain, pipeline, tables
from fercli.config import Runtime
from fercli.hashing import sha256_file
from fercli.progress import Silent
from fercli.stages.base import StageContext
from fercli.workspace import VideoFacts, Workspace

N_FRAMES = 40
FRAMES_PER_CHUNK = 5
CROPS = {"faces": tables.FACES, "crops": tables.CROPS}


@dataclass(frozen=True)
class FakeParams:
    """One parameter a stage; `pause_s` slows it down and `log` gets a line a chunk: neither changes the result."""

    value: int = 1


class Log:
    """Where the stages write down what they do."""

    path: Path | None = None
    pause_s = 0.0

    @classmethod
    def add(cls, line: str) -> None:
        if cls.path is not None:
            with cls.path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        time.sleep(cls.pause_s)


def facts(video: Path) -> VideoFacts:
    """Facts of a file that need not be a video."""
    return VideoFacts(
        str(video.resolve()), video.stat().st_size, sha256_file(video), 64, 48, 0, 10.0, N_FRAMES / 10, 0.0, 0.0, "fake"
    )


def _frames(context: StageContext, params: FakeParams) -> dict[str, Any]:
    Log.add("extract-frames")
    content = Path(context.workspace.video.path).read_bytes()
    pts = [i / 10 + content[0] for i in range(N_FRAMES + 1)]
    table = pa.table(
        [list(range(N_FRAMES)), pts[:-1], pts[1:], [0] * N_FRAMES, [False] * N_FRAMES], schema=tables.FRAMES
    )
    return {"frames": tables.write_table(context.out / "frames.parquet", [table], tables.FRAMES)}


def _faces(context: StageContext, params: FakeParams) -> dict[str, Any]:
    frames = tables.read_table(context.workspace.table("frames"), tables.FRAMES)["frame"].to_pylist()
    for number in context.chunks_left(math.ceil(len(frames) / FRAMES_PER_CHUNK)):
        Log.add(f"chunk {number}")
        own = frames[number * FRAMES_PER_CHUNK : (number + 1) * FRAMES_PER_CHUNK]
        rows = [_face(face, frame, params.value) for face, frame in enumerate(own)]
        crops = [{"face": row["face"], "jpeg": bytes([row["frame"]]) * 50} for row in rows]
        context.chunks.commit(
            number,
            {"faces": pa.Table.from_pylist(rows, tables.FACES), "crops": pa.Table.from_pylist(crops, tables.CROPS)},
            CROPS,
        )
    if context.piece is not None:
        return {}
    return dict(context.chunks.merge(context.out, CROPS, numbered="face"))


def _face(face: int, frame: int, value: int) -> dict[str, Any]:
    return {
        "face": face,
        "frame": frame,
        "x1": float(value),
        "y1": 1.0,
        "x2": 20.0,
        "y2": 21.0,
        "score": 0.9,
        "detected": True,
        "landmarks": None,
        "size": 19.0,
        "sharpness": 100.0,
        "contrast": 1000.0,
        "frontal": None,
        "roll": None,
    }


def _tracks(context: StageContext, params: FakeParams) -> dict[str, Any]:
    Log.add("track")
    faces = tables.read_table(context.workspace.table("faces"), tables.FACES)["face"].to_pylist()
    tracks = pa.table({"face": faces, "track": [0] * len(faces)}, schema=tables.TRACKS)
    embedding = {"track": 0, "embedding": [float(params.value)], "confidence": 0.9, "doubt": 0.0}
    rows = pa.Table.from_pylist([embedding], tables.EMBEDDINGS)
    tables.write_table(context.out / "tracks.parquet", [tracks], tables.TRACKS)
    tables.write_table(context.out / "embeddings.parquet", [rows], tables.EMBEDDINGS)
    return {"tracks": 1}


def _persons(context: StageContext, params: FakeParams) -> dict[str, Any]:
    Log.add("persons")
    faces = tables.read_table(context.workspace.table("tracks"), tables.TRACKS)["face"].to_pylist()
    person = {
        "track": 0,
        "person": f"Person {params.value}",
        "shot": 0,
        "start_s": 0.0,
        "end_s": 4.0,
        "faces": len(faces),
        "best_face": 0,
        "identity": 0.9,
    }
    rows = pa.Table.from_pylist([person], tables.PERSONS)
    tables.write_table(context.out / "persons.parquet", [rows], tables.PERSONS)
    return {"persons": 1}


def _emotions(context: StageContext, params: FakeParams) -> dict[str, Any]:
    Log.add("classify-emotions")
    schema = tables.windows_schema(("happiness", "sadness"))
    window = {"track": 0, "face": 0, "start_s": 0.0, "end_s": 4.0, "reason": "", "happiness": 0.75, "sadness": 0.25}
    segment = {
        "track": 0,
        "start_s": 0.0,
        "end_s": float(params.value),
        "class": "happiness",
        "score": 0.75,
        "reason": "",
        "face": 3,
        "doubtful": "",
    }
    tables.write_table(context.out / "emotions.parquet", [pa.Table.from_pylist([window], schema)], schema)
    rows = pa.Table.from_pylist([segment], tables.SEGMENTS)
    tables.write_table(context.out / "segments.parquet", [rows], tables.SEGMENTS)
    return {"segments": 1}


WEIGHTS = {"fake-net": "0" * 64}
"""What the fake classifier's weights hash to; tests change it."""

STAGES = (
    replace(chain.FRAMES, version=1, params=FakeParams, run=_frames, check=chain.nothing, lacks=None),
    replace(chain.FACES, version=1, params=FakeParams, run=_faces, weights=chain.nothing, check=chain.nothing),
    replace(chain.TRACKS, version=1, params=FakeParams, run=_tracks, weights=chain.nothing, check=chain.nothing),
    replace(
        chain.PERSONS,
        version=1,
        params=FakeParams,
        run=_persons,
        weights=chain.nothing,
        outside=chain.nothing,
        check=chain.nothing,
    ),
    replace(
        chain.EMOTIONS,
        reads=("frames", "faces", "crops", "tracks"),
        version=1,
        params=FakeParams,
        run=_emotions,
        weights=lambda params: dict(WEIGHTS),
        check=chain.nothing,
    ),
)


def run_chain(workspace: Workspace, reporter: Silent | None = None, **values: int) -> None:
    """Run all fake stages; keyword `track=2` gives that stage the parameter 2."""
    plan = [(stage, FakeParams(values.get(stage.title.replace("-", "_"), 1))) for stage in STAGES]
    with workspace.lock():
        pipeline.run(workspace, plan, Runtime(), reporter or Silent())


if __name__ == "__main__":
    Log.path, Log.pause_s = Path(sys.argv[3]), 0.02
    chain.STAGES = STAGES
    run_chain(Workspace.create(Path(sys.argv[2]), facts(Path(sys.argv[1]))))
