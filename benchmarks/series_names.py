"""Does the order of the videos, or the number of jobs, change who is who in a series?

    python -m benchmarks.series_names VIDEO... [--orders 5] [--jobs 1 2] [--end 4]

Every run begins without a cast and without workspaces, takes the videos in another random order, and is compared track
by track with the first one. The exit code is 1 if a name differs.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import fercli
from fercli.cli.entry import main as run
from fercli.series.find import find_members

Names = dict[str, list[tuple[float, float, str]]]
"""Workspace -> start, end and person of each track, by number."""


def names_of(folder: Path) -> Names:
    """Who is who in the workspaces of a folder."""
    return {
        member.inside: [(track.start_s, track.end_s, track.person) for track in fercli.open(member.path).tracks]
        for member in find_members(folder)
    }


def annotate(videos: list[Path], jobs: int, end: str) -> tuple[Names, float]:
    """One run over the videos in the order given; the names, and the seconds it took.

    Raises:
        RuntimeError: a video failed.
    """
    with TemporaryDirectory() as scratch:
        output, started = Path(scratch) / "annotations", time.monotonic()
        options = ["--cast", f"{scratch}/show.cast", "--jobs", str(jobs), "--quiet", *(["--end", end] if end else [])]
        code = run(["annotate", *map(str, videos), "-o", f"{output}/", *options])
        if code:
            raise RuntimeError(f"annotate ended with {code}")
        return names_of(output), time.monotonic() - started


def main() -> int:
    """Print a line a run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--orders", type=int, default=5, help="random orders (default: %(default)s)")
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--end", default="", help="annotate only so many seconds of each video")
    options = parser.parse_args()
    chance, first, different = random.Random(0), None, 0
    for order in range(options.orders):
        videos = chance.sample(options.videos, len(options.videos))
        for jobs in options.jobs:
            names, seconds = annotate(videos, jobs, options.end)
            first = first or names
            same = names == first
            different += not same
            persons = {person for tracks in names.values() for _, _, person in tracks}
            tracks = sum(map(len, names.values()))
            print(
                f"order {order + 1} ({' '.join(video.stem for video in videos)}), {jobs} jobs: {tracks} tracks, "
                f"{len(persons)} names, {'equal' if same else 'DIFFERENT'}, {seconds:.0f} s",
                flush=True,
            )
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
