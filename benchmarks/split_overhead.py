"""What it costs to split a long stage of one video: processor time of a piece besides that of its chunks.

    python benchmarks/split_overhead.py VIDEO [--minutes 5]

The video is repeated to that length, and pieces in its middle are done in this process: first one of one chunk, which
also loads the networks, then one of three, and one of one again. What they do not share is the time of a chunk; the
rest is the time of a piece: opening the workspace, reading tables, cutting windows, and seeking in the video. See
docs/scaling.md.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from memory import loop

from fercli.api import plan_for, workspace_at
from fercli.batch.split import CHUNKS_PER_PIECE
from fercli.config import Runtime
from fercli.models.loaded import Models
from fercli.pipeline import Piece, run, run_piece
from fercli.progress import Reporter, Silent

SPLIT = ("faces", "attributes", "emotions")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--minutes", type=float, default=5.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fercli-bench-") as scratch:
        looped = Path(scratch) / f"looped{given.video.suffix}"
        loop(given.video, looped, given.minutes)
        workspace = workspace_at(Path(scratch) / "w.fercli", looped, verify=False)

        def share(piece: Piece, left: list[int], reporter: Reporter) -> list[str]:
            if piece.stage in SPLIT and len(left) > 2 * CHUNKS_PER_PIECE:
                measure(piece, left)
            return []

        with workspace.lock():
            run(workspace, plan_for([]), Runtime(device="cpu"), Silent(), share=share)


def measure(piece: Piece, left: list[int]) -> None:
    """Do pieces in the middle of what is left, and print what they take."""
    models, middle = Models(), len(left) // 2 - CHUNKS_PER_PIECE // 2
    first, again, three = (
        _seconds(replace(piece, first=left[middle + place], end=left[middle + place] + count), models)
        for place, count in ((0, 1), (1, 1), (2, 3))
    )
    chunk = (three - again) / 2
    print(
        f"{piece.stage}: {len(left)} chunks of {chunk:.2f} s of processor time; a piece adds {again - chunk:.2f} s, "
        f"and loading the networks, once a worker, {first - again:.2f} s",
        flush=True,
    )


def _seconds(piece: Piece, models: Models) -> float:
    before = time.process_time()
    run_piece(piece, Silent(), models)
    return time.process_time() - before


if __name__ == "__main__":
    main()
