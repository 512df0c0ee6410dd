"""How many faces a second does `dlib-resnet` embed, beside dlib's own code in `face_recognition`?

    pip install --no-deps face_recognition
    python benchmarks/embedder.py PICTURES

The same faces for all: the largest of each picture below PICTURES. dlib computes with one thread whatever there is, so
onnxruntime and torch get one too, and what counts is processor time: other work on the machine changes it little.
The exit code is 1 if ours is less than 8 times as fast, alignment included, if torch is faster, or if a descriptor
differs by more than 1e-3.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import dlib
import numpy as np
import torch

from fercli.learn.datasets.framing import largest_face
from fercli.media.images import read_image
from fercli.models.dlib_resnet import embedding, read_network
from fercli.models.registry import find_model, find_weights, load_model

PICTURES = (".jpg", ".jpeg", ".png")
AT_MOST = 32
"""Faces to embed; dlib takes several seconds for so many."""
ROUNDS = 3
"""Both in turn, the best counts."""
BATCH = 16
"""Faces that are computed together, as in fercli."""
TIMES_AS_FAST = 8
LARGEST_DIFFERENCE = 1e-3


def cpu_seconds(work: Callable[[], object]) -> float:
    """Processor time of one run."""
    started = time.process_time()
    work()
    return time.process_time() - started


def compare(name: str, faces: int, ours: Callable[[], object], theirs: Callable[[], object]) -> float:
    """Print the speeds; how many times as fast ours is."""
    seconds = [(cpu_seconds(ours), cpu_seconds(theirs)) for _ in range(ROUNDS)]
    ours_s, theirs_s = (min(column) for column in zip(*seconds, strict=True))
    times: float = theirs_s / ours_s
    print(f"{name:24}{faces / ours_s:18.1f}{faces / theirs_s:18.1f}{times:10.1f}")
    return times


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("pictures", type=Path)
    options = parser.parse_args()
    paths = sorted(path for path in options.pictures.rglob("*") if path.suffix.lower() in PICTURES)
    found = [(picture, largest_face(picture)) for picture in map(read_image, paths[:AT_MOST])]
    crops = [picture for picture, box in found if box is not None]
    boxes = np.stack([box for _, box in found if box is not None])

    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    ours = load_model(find_model("dlib-resnet", "embedder"))
    theirs = load_model(find_model("face-recognition", "embedder"))
    weights = Path(str(find_weights(find_model("dlib-resnet", "embedder"))))
    network, in_torch = dlib.face_recognition_model_v1(str(weights)), read_network(weights)
    chips = [ours.chip(crop, box) for crop, box in zip(crops, boxes, strict=True)]
    batch = chips[:BATCH]
    difference = float(np.abs(ours.embed(crops, boxes) - theirs.embed(crops, boxes)).max())

    print(f"{'faces / s of processor':24}{'dlib-resnet':>18}{'the other':>18}{'times':>10}")
    describe = network.compute_face_descriptor
    compare("dlib, network alone", len(chips), lambda: ours.run(chips), lambda: [describe(chip) for chip in chips])
    faster = compare(
        "torch, network alone", BATCH, lambda: ours.run(batch), lambda: embedding(in_torch, np.stack(batch))
    )
    times = compare(
        "face_recognition", len(crops), lambda: ours.embed(crops, boxes), lambda: theirs.embed(crops, boxes)
    )
    print(f"largest difference of a descriptor: {difference:.1e}")
    return int(times < TIMES_AS_FAST or faster < 1 or difference > LARGEST_DIFFERENCE)


if __name__ == "__main__":
    sys.exit(main())
