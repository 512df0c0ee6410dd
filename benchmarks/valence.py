"""How far derived valence and arousal agree with what ten voters saw, on FER+.

    python benchmarks/valence.py fer2013_ferplus.npz [--model NAME] [--faces N]

For PublicTest and PrivateTest it prints the concordance (CCC) of the derived ratings with the mean of the same norms
over the votes of each face, how often the 90 % intervals have that mean, and how often the sign is right for a class.
For PublicTest it also prints the blendshapes of neutral faces (`NEUTRAL` of `fercli/expressions/movement.py`), how far
the faces of each class have moved (for `HALF_MOVED`), and the CCC for several shares of mouth and brows and widths of
the interval (for the constants of `fercli/expressions/valence.py`). A face takes about .3 s of one core.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from talking import FER_ORDER, SIDE, Networks

from fercli.expressions import valence
from fercli.expressions.movement import NEUTRAL, SHAPES, SIDES, pleasantness
from fercli.expressions.valence import NORMS, ratings
from fercli.labels import BLENDSHAPES, EMOTIONS_8
from fercli.learn.evaluation.concordance import ccc

MIN_FLAG = 0.5
LEAST_VOTES = 8
SIGNED = ("anger", "disgust", "fear", "sadness", "happiness")


@dataclass(frozen=True)
class Faces:
    """Shares of votes and probabilities (N, 8) in the order of EMOTIONS_8, and SHAPES (N, K), NaN without a mesh."""

    votes: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    shapes: NDArray[np.float64]


def measure(path: Path, split: str, networks: Networks, most_each: int) -> Faces:
    """Faces of a split, at most so many of each class with most votes."""
    with np.load(path, allow_pickle=False) as data:
        votes = data["ferplus_votes"][:, [FER_ORDER.index(name) for name in EMOTIONS_8]].astype(np.float64)
        rows = np.flatnonzero((data["usage"].astype(str) == split) & (votes.sum(axis=1) >= LEAST_VOTES))
        rows = np.random.default_rng(0).permutation(rows)
        label = votes[rows].argmax(axis=1)
        rows = np.concatenate([rows[label == number][:most_each] for number in range(len(EMOTIONS_8))])
        images, votes = data["images"][rows], votes[rows]
    size = (SIDE, SIDE)
    pictures = [np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), np.uint8) for image in images]
    blendshapes, flag = networks.blendshapes(pictures)
    shapes = np.stack([blendshapes[:, [BLENDSHAPES.index(one) for one in SIDES[name]]].mean(axis=1) for name in SHAPES])
    known = np.where(flag[:, None] >= MIN_FLAG, shapes.T, np.nan).astype(np.float64)
    return Faces(votes / votes.sum(axis=1, keepdims=True), networks.probabilities(pictures), known)


def agreement(split: str, faces: Faces) -> None:
    """Print how the ratings agree with the votes."""
    pleasant = pleasantness(faces.shapes - np.array([*NEUTRAL.values()]))
    print(f"{split}: {len(faces.votes)} faces, mesh found in {np.isfinite(pleasant).mean():.2f}")
    found = ratings(faces.probabilities, EMOTIONS_8, pleasant)
    for name, rating, norms in zip(("valence", "arousal"), found, _norms(), strict=True):
        truth = faces.votes @ norms
        inside = ((rating.low <= truth) & (truth <= rating.high)).mean()
        print(f"  {name}: CCC {ccc(rating.values, truth):.3f}, in the interval {inside:.3f}")
    label, clear = faces.votes.argmax(axis=1), faces.votes.max(axis=1) >= 0.5
    for name in SIGNED:
        rows = (label == EMOTIONS_8.index(name)) & clear
        right = np.sign(found[0].values[rows]) == np.sign(NORMS[name][0])
        print(f"  sign right for {name}: {right.mean():.2f} of {rows.sum()}")


def constants(faces: Faces) -> None:
    """Print what the constants were chosen by."""
    known = np.isfinite(faces.shapes).all(axis=1)
    label = faces.votes.argmax(axis=1)
    neutral = faces.shapes[known & (label == EMOTIONS_8.index("neutral"))].mean(axis=0)
    print("NEUTRAL", {name: round(float(value), 2) for name, value in zip(SHAPES, neutral, strict=True)})
    moved = np.linalg.norm(faces.shapes - neutral, axis=1)
    for number, name in enumerate(EMOTIONS_8):
        print(f"moved, {name}: quartiles", np.quantile(moved[known & (label == number)], [0.25, 0.5, 0.75]).round(2))
    pleasant = pleasantness(faces.shapes - np.array([*NEUTRAL.values()]))
    norms, _ = _norms()
    truth = faces.votes @ norms
    for share in (0.0, 0.1, 0.15, 0.2, 0.3, 0.5):
        mixed = faces.probabilities @ norms
        mixed = np.where(known, (1 - share) * mixed + share * np.nan_to_num(pleasant), mixed)
        print(f"share {share}: CCC {ccc(mixed, truth):.4f}")
    for name, one in zip(("valence", "arousal"), _norms(), strict=True):
        mean = faces.probabilities @ one
        spread = np.maximum(faces.probabilities @ one**2 - mean**2, 0)
        for least in (0.05, valence.LEAST_SD, 0.15):
            error = np.abs(faces.votes @ one - mean) / np.sqrt(spread + least**2)
            print(f"{name}, least spread {least}: 90 % within {np.quantile(error, 0.9):.2f}")


def _norms() -> NDArray[np.float64]:
    return np.array([NORMS[name] for name in EMOTIONS_8]).T


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("faces_file", type=Path)
    parser.add_argument("--model", default="tsm-resnet18")
    parser.add_argument("--faces", type=int, default=200, help="most of each class")
    args = parser.parse_args()
    networks = Networks(args.model)
    for split in ("PublicTest", "PrivateTest"):
        faces = measure(args.faces_file, split, networks, args.faces)
        agreement(split, faces)
        if split == "PublicTest":
            constants(faces)


if __name__ == "__main__":
    main()
