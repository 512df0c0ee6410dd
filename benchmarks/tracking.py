"""How well does fercli follow faces inside a shot? Its tracks beside those of ByteTrack, from the same boxes.

    pip install 'supervision>=0.31' && pip install --no-deps trackers
    python benchmarks/tracking.py FILE... [--fps 25] [--every 1]

FILEs are annotations with identities as `fercli evaluate tracks` reads them; the trackers see the boxes only, and both
work with their defaults. ByteTrack (Zhang et al. 2022, arXiv 2110.06864) is that of the package `trackers`; it would
install opencv-python over opencv-python-headless, which is why pip is told not to look at what it requires.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean

import numpy as np
from numpy.typing import NDArray

from fercli.config import TracksParams
from fercli.learn.evaluation.track_files import Tracks, read_tracks
from fercli.learn.evaluation.tracks import TrackScores, score_tracks
from fercli.tracking.association import DROPPED, associate

Tracker = Callable[[Tracks, float], NDArray[np.int32]]
"""Boxes and frames a second -> (N,) track of every box, DROPPED for none."""


def ours(boxes: Tracks, fps: float) -> NDArray[np.int32]:
    """The tracker of the stage `track`."""
    params = TracksParams()
    return associate(
        boxes.frame / fps,
        boxes.boxes,
        min_iou=params.min_iou,
        max_gap_s=params.max_gap_s,
        min_faces=params.min_faces,
    )


def bytetrack(boxes: Tracks, fps: float) -> NDArray[np.int32]:
    """The one everybody compares with. Without a confidence, it takes every box for certain."""
    import supervision
    from trackers import ByteTrackTracker

    tracker = ByteTrackTracker(frame_rate=fps)
    owner = np.full(len(boxes.frame), DROPPED, dtype=np.int32)
    for frame in range(int(boxes.frame.max()) + 1):
        rows = np.arange(*np.searchsorted(boxes.frame, [frame, frame + 1]))
        seen = tracker.update(supervision.Detections(xyxy=boxes.boxes[rows], data={"row": rows}))
        if seen.tracker_id is not None and len(seen):
            owner[seen.data["row"]] = seen.tracker_id
    return owner


TRACKERS: dict[str, Tracker] = {"fercli": ours, "ByteTrack": bytetrack}


def measure(truth: Tracks, tracker: Tracker, fps: float) -> tuple[TrackScores, float]:
    """Scores, and the seconds the tracker took."""
    started = time.perf_counter()
    owner = tracker(truth, fps)
    seconds = time.perf_counter() - started
    return score_tracks(truth, truth.renamed(owner, nobody=DROPPED)), seconds


def every_nth(tracks: Tracks, step: int) -> Tracks:
    """What is left if only every n-th frame is looked at, numbered anew."""
    kept = tracks.frame % step == 0
    return Tracks(tracks.frame[kept] // step, tracks.identity[kept], tracks.boxes[kept])


def main() -> int:
    """Command line; 1 if the mean IDF1 of fercli is below that of ByteTrack."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--fps", type=float, default=25.0, help="of the sequences")
    parser.add_argument("--every", type=int, default=1, help="look at every n-th frame only")
    options = parser.parse_args()
    idf1: dict[str, list[float]] = {name: [] for name in TRACKERS}
    print(f"{'':22}{'IDF1':>7}{'IDP':>7}{'MOTA':>7}{'HOTA':>7}{'switches':>9}{'tracks':>8}{'mixed':>7}{'seconds':>9}")
    for path in options.files:
        truth = every_nth(read_tracks(path), options.every)
        for name, tracker in TRACKERS.items():
            scores, seconds = measure(truth, tracker, options.fps / options.every)
            idf1[name].append(scores.idf1)
            figures = f"{scores.idf1:7.3f}{scores.idp:7.3f}{scores.mota:7.3f}{scores.hota:7.3f}{scores.id_switches:9}"
            counts = f"{scores.found_tracks:4}/{scores.true_tracks:<3}{scores.mixed:7.3f}{seconds:9.2f}"
            print(f"{path.stem:12}{name:10}{figures}{counts}", flush=True)
    means = {name: mean(values) for name, values in idf1.items()}
    print("mean IDF1: " + ", ".join(f"{name} {value:.4f}" for name, value in means.items()))
    return int(means["fercli"] < means["ByteTrack"])


if __name__ == "__main__":
    sys.exit(main())
