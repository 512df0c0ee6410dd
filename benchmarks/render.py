"""How fast is `fercli render`, compared with the length of the video?

    python benchmarks/render.py VIDEO [--height 720] [--repeat 3]

The video is scaled to the height and annotated first; only the rendering is timed, with and without blurred faces. On
a machine that does other work as well, the processor seconds say more than those on the clock.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]

from fercli.cli.entry import main as fercli
from fercli.progress import Silent
from fercli.views.render.video import render
from fercli.workspace import Workspace


def prepare(video: Path, height: int, directory: Path) -> Workspace:
    """The workspace of the video at this height."""
    scaled = directory / "scaled.mp4"
    scale = ("-vf", f"scale=-2:{height}:flags=bicubic", "-c:v", "libx264", "-crf", "18", "-c:a", "copy")
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([ffmpeg, "-v", "error", "-i", str(video), *scale, str(scaled)], check=True)
    if fercli(["annotate", str(scaled), "-o", str(directory / "scaled.json"), "--quiet"]):
        raise SystemExit("the video cannot be annotated")
    return Workspace.open(directory / "scaled.fercli")


def measure(workspace: Workspace, out: Path, *, blur_faces: bool) -> tuple[float, float]:
    """Seconds on the clock and of the processor."""
    started, busy = time.perf_counter(), time.process_time()
    render(workspace, out, blur_faces=blur_faces, overwrite=True, reporter=Silent())
    return time.perf_counter() - started, time.process_time() - busy


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--height", type=int, default=720)
    parser.add_argument("--repeat", type=int, default=3, help="the quickest one counts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        workspace = prepare(options.video, options.height, Path(temporary))
        video = workspace.video
        print(
            f"{video.width} x {video.height}, {video.duration_s:.1f} s at {video.fps:.2f} fps; {os.cpu_count()} cores"
        )
        for blur_faces in (False, True):
            out = Path(temporary) / "out.mp4"
            clock_s, busy_s = min(measure(workspace, out, blur_faces=blur_faces) for _ in range(options.repeat))
            print(
                f"{'blurred' if blur_faces else 'plain':8} {clock_s:6.2f} s = {video.duration_s / clock_s:5.2f} x real "
                f"time, {video.duration_s / busy_s:5.2f} x in processor time, {out.stat().st_size / 1e6:.1f} MB"
            )


if __name__ == "__main__":
    main()
