"""How fast is fercli beside `fer`, on one video, one after the other in the same run?

    python benchmarks/peers_speed.py ../shared/data/videos/hamilton_short.mp4 --rounds 2

Both are warm: their networks are loaded, and one round has gone before. fercli runs its whole chain, from the video to
segments of persons, at 10 frames a second; `fer` looks for faces with its Haar cascade in every third frame and
classifies them. Time and processor time are those of a frame that is looked at; their ratios hold on a busy machine,
too. `fer` is installed as by `benchmarks/peers.py`, in a directory of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from peers import Missing, python_of_fer

from fercli.api import plan_for, up_to_date
from fercli.config import Runtime
from fercli.models.loaded import Models
from fercli.progress import Silent

FER_SCRIPT = """
import json, sys, time
import cv2
from fer.fer import FER
detector = FER()

def look():
    video, number, frames, faces = cv2.VideoCapture(sys.argv[1]), 0, 0, 0
    while True:
        there, picture = video.read()
        if not there:
            return frames, faces
        if number % 3 == 0:
            faces += len(detector.detect_emotions(picture))
            frames += 1
        number += 1

look()
for line in sys.stdin:
    began, used = time.monotonic(), time.process_time()
    frames, faces = look()
    print(json.dumps([frames, faces, time.monotonic() - began, time.process_time() - used]), flush=True)
"""


class Round(NamedTuple):
    """One pass over the video: frames looked at, faces found, seconds, seconds of processor time."""

    frames: int
    faces: int
    wall_s: float
    cpu_s: float


def of_fercli(video: Path, models: Models) -> Round:
    """The whole chain, in a new workspace."""
    with tempfile.TemporaryDirectory() as scratch:
        began, used = time.monotonic(), time.process_time()
        with up_to_date(
            Path(scratch) / "w", video, plan_for([]), Runtime(device="cpu"), Silent(), models=models
        ) as workspace:
            passed = time.monotonic() - began, time.process_time() - used
            receipt = workspace.receipt("faces")
            assert receipt is not None
            return Round(int(receipt.counts["frames"]), int(receipt.counts["faces"]), *passed)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--peers", type=Path, default=Path(tempfile.gettempdir()) / "fercli-peers")
    options = parser.parse_args()
    try:
        python = python_of_fer(options.peers / "fer")
    except Missing as error:
        print(f"fer: not measured: {error}", file=sys.stderr)
        return 1
    command = [str(python), "-c", FER_SCRIPT, str(options.video)]
    models, rounds = Models(), {"fercli": [], "fer": []}  # type: dict[str, list[Round]]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as fer:
        assert fer.stdin is not None and fer.stdout is not None
        of_fercli(options.video, models)
        for _ in range(options.rounds):
            rounds["fercli"].append(of_fercli(options.video, models))
            print("go", file=fer.stdin, flush=True)
            answer = next(line for line in fer.stdout if line.startswith("["))
            rounds["fer"].append(Round(*json.loads(answer)))
        fer.stdin.close()
    print(f"{'':8}{'frames':>8}{'faces':>8}{'frames/s':>10}{'ms of processor time a frame':>32}")
    best = {}
    for program, done in rounds.items():
        best[program] = min(one.cpu_s / one.frames for one in done), max(one.frames / one.wall_s for one in done)
        cpu_s, rate = best[program]
        print(f"{program:8}{done[0].frames:8}{done[0].faces:8}{rate:10.1f}{1000 * cpu_s:32.1f}")
    (cpu, rate), (cpu_fer, rate_fer) = best["fercli"], best["fer"]
    print(f"fercli / fer: frames a second {rate / rate_fer:.2f}, processor time a frame {cpu / cpu_fer:.2f},")
    print(f"faces {rounds['fercli'][0].faces / max(1, rounds['fer'][0].faces):.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
