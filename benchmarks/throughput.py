"""How fast is fercli on a video? Decoding alone, every stage, and all of it together, with default settings.

    python benchmarks/throughput.py VIDEO [--json]

`make bench VIDEO=...` does the same. Nothing is left behind.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from measure import Measured, annotate


@dataclass(frozen=True)
class Figures:
    """What is measured.

    Attributes:
        video: file name.
        duration_s: of the video.
        frames: in the video.
        frames_analysed: that the stages looked at.
        faces: found.
        decode_fps: frames a second, all of them decoded in order and nothing else done.
        stage_seconds: of each stage, from its receipt.
        stage_ms_per_frame: the same for each frame analysed, milliseconds.
        seconds: end to end, start of the program included.
        cpu_seconds: of all cores together; far below `cores x seconds` means that the machine had other work.
        times_real_time: duration / seconds; above 1 is faster than the video plays.
        decode_share: speed end to end as a share of the speed of decoding alone.
        peak_mb: most memory held at once, MB (10^6 bytes).
    """

    video: str
    duration_s: float
    frames: int
    frames_analysed: int
    faces: int
    decode_fps: float
    stage_seconds: dict[str, float]
    stage_ms_per_frame: dict[str, float]
    seconds: float
    cpu_seconds: float
    times_real_time: float
    decode_share: float
    peak_mb: float


def measure(video: Path) -> Figures:
    """Annotate the video in a fresh process and workspace, then decode it."""
    with tempfile.TemporaryDirectory(prefix="fercli-bench-") as scratch:
        run = annotate(video, Path(scratch))
        workspace = Path(scratch) / "work"
        receipts = [json.loads(path.read_text("utf-8")) for path in sorted(workspace.glob("*/receipt.json"))]
        duration_s = json.loads((workspace / "workspace.json").read_text("utf-8"))["video"]["duration_s"]
        analysed, faces = _rows(workspace / "frames/frames.parquet"), _rows(workspace / "faces/faces.parquet")
    # Decoding comes last, when the file is cached: it is the yardstick and must not look slower than it is.
    return _figures(video.name, run, receipts, duration_s, decode_only(video), (analysed, faces))


def decode_only(video: Path) -> tuple[int, float]:
    """Decode all frames in order and drop them; how many there were, and the seconds it took."""
    from fercli.media.container import decoded_frames, open_video

    started = time.perf_counter()
    with open_video(video) as (container, stream):
        frames = sum(1 for _ in decoded_frames(container, stream, patient=False))
    return frames, time.perf_counter() - started


def _figures(
    name: str,
    run: Measured,
    receipts: list[dict[str, Any]],
    duration_s: float,
    decoded: tuple[int, float],
    rows: tuple[int, int],
) -> Figures:
    frames, decode_seconds = decoded
    analysed, faces = rows
    stage_seconds = {receipt["stage"]: receipt["seconds"] for receipt in receipts}
    return Figures(
        video=name,
        duration_s=duration_s,
        frames=frames,
        frames_analysed=analysed,
        faces=faces,
        decode_fps=frames / decode_seconds,
        stage_seconds=stage_seconds,
        stage_ms_per_frame={stage: 1000 * seconds / max(analysed, 1) for stage, seconds in stage_seconds.items()},
        seconds=run.seconds,
        cpu_seconds=run.cpu_seconds,
        times_real_time=duration_s / run.seconds,
        decode_share=decode_seconds / run.seconds,
        peak_mb=run.peak_bytes / 1e6,
    )


def _rows(table: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(table).num_rows)


def show(figures: Figures) -> str:
    """The figures for people."""
    stages = [
        f"  {stage:18} {figures.stage_ms_per_frame[stage]:8.1f} ms a frame {seconds:8.1f} s"
        for stage, seconds in figures.stage_seconds.items()
    ]
    return "\n".join(
        [
            f"{figures.video}: {figures.duration_s:.1f} s, {figures.frames} frames, "
            f"{figures.frames_analysed} analysed, {figures.faces} faces",
            f"decode only          {figures.decode_fps:8.0f} frames/s",
            *stages,
            f"end to end           {figures.seconds:8.1f} s, {figures.times_real_time:.2f} x real time, "
            f"{figures.decode_share:.0%} of the speed of decoding alone",
            f"processor time       {figures.cpu_seconds:8.1f} s",
            f"peak memory          {figures.peak_mb:8.0f} MB",
        ]
    )


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    options = parser.parse_args()
    try:
        figures = measure(options.video)
    except subprocess.CalledProcessError as error:
        return int(error.returncode)
    print(json.dumps(asdict(figures)) if options.json else show(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
