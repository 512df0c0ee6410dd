"""Does memory stay flat with the length of the video? A short and a long one, the same pictures over and over.

    python benchmarks/memory.py VIDEO [--minutes SHORT LONG]

The longer one takes long: with the 10 and 60 minutes of the default, perhaps as long as it would take to watch. Its
peak has to stay within 15 % of the shorter one's and below 2 GB, or the exit code is 1. Nothing is left behind.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import imageio_ffmpeg
from measure import Measured, annotate

LARGEST_GROWTH = 1.15
LARGEST_PEAK = 2e9


def loop(video: Path, target: Path, minutes: float) -> None:
    """Repeat the picture of a video, packets copied and nothing encoded, until it is `minutes` long."""
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
    copy = ["-map", "0:v:0", "-c", "copy", "-t", str(60 * minutes), str(target)]
    subprocess.run([*ffmpeg, "-stream_loop", "-1", "-i", str(video), *copy], check=True)


def annotate_looped(video: Path, minutes: float) -> Measured:
    """Annotate the repeated video with default settings."""
    with tempfile.TemporaryDirectory(prefix="fercli-bench-") as scratch:
        looped = Path(scratch) / f"looped{video.suffix}"
        loop(video, looped, minutes)
        return annotate(looped, Path(scratch))


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--minutes", type=float, nargs=2, default=(10.0, 60.0), metavar=("SHORT", "LONG"))
    options = parser.parse_args()
    peaks = []
    for minutes in options.minutes:
        try:
            run = annotate_looped(options.video, minutes)
        except subprocess.CalledProcessError as error:
            return int(error.returncode) or 1
        peaks.append(run.peak_bytes)
        print(f"{minutes:g} minutes: peak {run.peak_bytes / 1e6:.0f} MB, {run.seconds:.0f} s", flush=True)
    growth = peaks[1] / peaks[0]
    print(f"ratio: {growth:.2f}")
    return int(growth > LARGEST_GROWTH or max(peaks) > LARGEST_PEAK)


if __name__ == "__main__":
    sys.exit(main())
