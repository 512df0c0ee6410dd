"""Does the sampling rate decide the segments? The share of face time in which two rates show the same label.

    python benchmarks/rates.py VIDEO... [--rates 5 10 25]

Each video is annotated once at each rate. Then, for each pair of rates, every face is looked at every 10 ms: the label
that its segment has at one rate against that of the face at the same place (IoU of .3 or more) at the other rate.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fercli import tables
from fercli.workspace import Workspace

STEP_S = 0.01


class Labels:
    """What is shown at one rate: for each moment the box and the label of every face."""

    def __init__(self, workspace: Workspace) -> None:
        frames = tables.read_table(workspace.table("frames"), tables.FRAMES)
        faces = tables.read_table(workspace.table("faces"), tables.FACES)
        pts = frames["pts_s"].to_numpy()
        time_of = dict(zip(frames["frame"].to_pylist(), pts, strict=True))
        boxes = np.stack([faces[name].to_numpy() for name in ("x1", "y1", "x2", "y2")], axis=1)
        moment = np.array([time_of[frame] for frame in faces["frame"].to_pylist()])
        self._tracks: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        rows = tables.read_table(workspace.table("tracks"), tables.TRACKS)
        for track, own in tables.rows_by_value(rows["track"]).items():
            ids = np.sort(rows["face"].to_numpy()[own])
            self._tracks[track] = moment[ids], boxes[ids]
        self._segments = tables.read_table(workspace.table("segments"), tables.SEGMENTS).to_pylist()

    def at(self, moment_s: float) -> Iterator[tuple[np.ndarray, str]]:
        """Box and label of each face in a segment at a moment."""
        for row in self._segments:
            if row["start_s"] <= moment_s < row["end_s"]:
                times, boxes = self._tracks[row["track"]]
                yield boxes[np.abs(times - moment_s).argmin()], row["class"]


def agreement(one: Labels, other: Labels, start_s: float, end_s: float) -> tuple[float, float]:
    """Seconds of faces found at both rates, and those in which both show the same label."""
    both = same = 0.0
    for moment in np.arange(start_s, end_s, STEP_S):
        theirs = list(other.at(moment))
        for box, label in one.at(moment):
            overlap, their_label = max(((iou(box, b), name) for b, name in theirs), default=(0.0, ""))
            if overlap >= 0.3:
                both += STEP_S
                same += STEP_S * (label == their_label)
    return both, same


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """Of two boxes."""
    sides = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0)
    shared = float(sides.prod())
    return shared / float((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - shared)


def main() -> None:
    """Print a line a video: agreement of each pair of rates in per cent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--rates", nargs="+", default=["5", "10", "25"])
    arguments = parser.parse_args()
    pairs = list(itertools.combinations(arguments.rates, 2))
    print(f"{'video':28}" + "".join(f"{f'{a} : {b}':>12}" for a, b in pairs) + "   face seconds")
    total = np.zeros((len(pairs), 2))
    for video in arguments.videos:
        with tempfile.TemporaryDirectory() as scratch:
            found = {}
            for rate in arguments.rates:
                work = Path(scratch) / f"{rate}.fercli"
                command = ["annotate", str(video), "-o", f"{scratch}/{rate}.json", "--workdir", str(work)]
                subprocess.run([sys.executable, "-m", "fercli.cli.entry", *command, "--fps", rate, "-q"], check=True)
                found[rate] = Labels(Workspace.open(work))
            facts = Workspace.open(work).video
        sums = np.array([agreement(found[a], found[b], facts.start_s, facts.end_s) for a, b in pairs])
        total += sums
        print(f"{video.name:28}" + "".join(f"{_percent(row):>12}" for row in sums) + f"{sums[0, 0]:15.1f}", flush=True)
    print(f"{'all':28}" + "".join(f"{_percent(row):>12}" for row in total))


def _percent(row: np.ndarray) -> str:
    return f"{100 * row[1] / row[0]:.1f} %" if row[0] else "-"


if __name__ == "__main__":
    main()
