"""Train `weights/covered-faces.safetensors` and measure it. Takes about 15 minutes on one core.

    python benchmarks/train_covered.py fer2013_ferplus.npz --photos DIRECTORY... [--without KIND] [--out FILE]

Faces are those of FER2013's Training split, and of the photographs, in which the default detector finds one: its
landmarks say where mouth and eyes are, `benchmarks/occluders.py` draws things over them. PublicTest chooses the limits
of `fercli/stages/visible.py`, PrivateTest gives the figures. `--without` leaves one kind of thing out of training and
measures it: what the network makes of things it has never seen.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from occluders import EYES_KINDS, MOUTH_KINDS, draw
from safetensors.torch import load_file, save_file
from torch.nn import functional

from fercli.geometry import square_around
from fercli.media.images import read_image, square_crop
from fercli.models.covered import INPUT_SIZE, CoveredFaces
from fercli.models.covered_net import CoveredNet, network_input, probabilities
from fercli.models.pictures import default_detector

SIDE = 96
"""Things are drawn at this side, then the picture is made smaller."""
BATCH = 128
FALSE_ALARMS = 0.01
"""Share of uncovered faces of PublicTest that may be called covered; sets the limit."""
GLASSES_ALARMS = 0.1
"""Share of drawn sunglasses that may be called covered eyes."""
AUTHORS_SPLITS = ("Training", "PublicTest", "PrivateTest")


@dataclass(frozen=True)
class Faces:
    """Grey faces (N, 96, 96) uint8 and their landmarks (N, 5, 2) float32, pixels."""

    pictures: NDArray[np.uint8]
    points: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.points)


def fer_faces(path: Path, usage: str, most: int) -> Faces:
    """Faces of one split that seven of ten annotators gave an emotion and the detector finds."""
    with np.load(path, allow_pickle=False) as data:
        faces = (data["usage"].astype(str) == usage) & (data["ferplus_votes"][:, :8].sum(axis=1) >= 7)
        rows = np.random.default_rng(0).permutation(np.flatnonzero(faces))[:most]
        images = data["images"][rows]
    detector = default_detector()
    pictures, points = [], []
    for image in images:
        # With its edge repeated, as a face that fills the picture is hard to find.
        framed = cv2.copyMakeBorder(cv2.resize(image, (64, 64)), 16, 16, 16, 16, cv2.BORDER_REPLICATE)
        found = detector.detect(np.repeat(framed[:, :, None], 3, axis=2))
        if len(found) and found.landmarks is not None and found.scores.max() >= 0.4:
            pictures.append(cv2.resize(image, (SIDE, SIDE)))
            points.append((found.landmarks[found.scores.argmax()] - 16) * SIDE / 64)
    return Faces(np.stack(pictures), np.stack(points).astype(np.float32))


def photo_faces(directories: list[Path]) -> Faces:
    """Faces of photographs, cut as those of a video are."""
    pictures, points = [], []
    for path in sorted(file for folder in directories for file in folder.rglob("*.jpg")):
        image = read_image(path)
        found = default_detector().detect(image)
        assert found.landmarks is not None
        for box, landmarks in zip(found.boxes[found.scores > 0.6], found.landmarks[found.scores > 0.6], strict=True):
            square = square_around(box, 1.0)
            side = square[2] - square[0]
            if side >= 40:
                crop = cv2.cvtColor(square_crop(image, square, 512), cv2.COLOR_RGB2GRAY)
                pictures.append(cv2.resize(crop, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
                points.append((landmarks - square[:2]) * SIDE / side)
    if not points:
        return Faces(np.zeros((0, SIDE, SIDE), np.uint8), np.zeros((0, 5, 2), np.float32))
    return Faces(np.stack(pictures), np.stack(points).astype(np.float32))


def samples(
    rng: np.random.Generator, faces: Faces, count: int, without: str
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """(count, 48, 48) pictures and (count, 2) whether mouth and eyes are covered, NaN where that is uncertain."""
    mouth, eyes = ([kind for kind in kinds if kind != without] for kinds in (MOUTH_KINDS, EYES_KINDS))
    everything = sorted({*mouth, *eyes, "sunglasses"} - {without})
    pictures, truth = np.empty((count, INPUT_SIZE, INPUT_SIZE), np.uint8), np.zeros((count, 2), np.float32)
    for number in range(count):
        row, chance = int(rng.integers(len(faces))), rng.random()
        picture, points = faces.pictures[row], faces.points[row]
        other = faces.pictures[int(rng.integers(len(faces)))]
        label = [0.0, 0.0]
        places = []
        if chance < 0.3:
            places = [("mouth", mouth)]
        elif chance < 0.5:
            places = [("eyes", eyes)]
        elif chance < 0.7:
            places = [("elsewhere", everything)]
        elif chance < 0.75:
            places = [("eyes", ["sunglasses"])]
        elif chance < 0.78:
            places = [("mouth", mouth), ("eyes", eyes)]
        for where, kinds in places:
            drawn = draw(rng, picture, points, str(rng.choice(kinds)), where, other)
            picture = drawn.picture
            # Sunglasses hide the eyes and not the expression: they count as free.
            eyes_hidden = 0.0 if kinds == ["sunglasses"] else drawn.eyes
            label = [_worse(label[0], drawn.mouth), _worse(label[1], eyes_hidden)]
        pictures[number], truth[number] = _seen(rng, picture), label
    return pictures, truth


def _worse(a: float, b: float) -> float:
    return 1.0 if 1.0 in (a, b) else a + b


def _seen(rng: np.random.Generator, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """As a detector may frame it and a camera may show it: turned, moved, scaled, mirrored, in any light, blurred."""
    matrix = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), rng.normal(0, 7), float(np.exp(rng.normal(0, 0.08))))
    matrix[:, 2] += rng.normal(0, 0.025 * SIDE, 2)
    matrix *= INPUT_SIZE / SIDE
    small = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.5, 1.6))
    small = cv2.warpAffine(
        small, matrix, (INPUT_SIZE, INPUT_SIZE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    if rng.random() < 0.5:
        small = small[:, ::-1]
    light = 255 * (small / 255.0) ** np.exp(rng.normal(0, 0.25)) * rng.uniform(0.5, 1.1)
    return np.clip(light + rng.normal(0, rng.uniform(0, 6), light.shape), 0, 255).astype(np.uint8)


def train(faces: Faces, samples_wanted: int, without: str, epochs: int) -> CoveredNet:
    """Fresh pictures in each epoch, seen twice, once mirrored; AdamW, one cycle of the learning rate."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    network = CoveredNet()
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-2)
    steps = 2 * epochs * (samples_wanted // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps, pct_start=0.15)
    for epoch in range(epochs):
        started, total = time.time(), 0.0
        pictures, truth = samples(rng, faces, samples_wanted, without)
        both = np.concatenate([pictures, pictures[:, :, ::-1]]), np.concatenate([truth, truth])
        order = rng.permutation(2 * samples_wanted)
        for seen, wanted in _batches(both[0][order], both[1][order]):
            loss = _loss(network.train()(network_input(seen)), wanted)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch}: loss {total / (steps // epochs):.4f}, {time.time() - started:.0f} s", flush=True)
    return network.eval()


def _batches(pictures: NDArray[np.uint8], truth: NDArray[np.float32]) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    for start in range(0, len(pictures) - BATCH + 1, BATCH):
        part = slice(start, start + BATCH)
        yield torch.from_numpy(pictures[part]), torch.from_numpy(truth[part])


def _loss(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    known = ~truth.isnan()
    return functional.binary_cross_entropy_with_logits(logits[known], truth[known] * 0.98 + 0.01)


def limits(network: CoveredNet, valid: Faces) -> NDArray[np.float32]:
    """(2,) probabilities that FALSE_ALARMS of the uncovered faces exceed, mouth and eyes, half of the alarms each; that
    of the eyes high enough that GLASSES_ALARMS of drawn sunglasses exceed it, too."""
    covered = CoveredFaces(partial(probabilities, network))
    found = np.quantile(covered.probabilities(_small(valid.pictures)), 1 - FALSE_ALARMS / 2, axis=0)
    glasses = np.quantile(covered.probabilities(_with_sunglasses(valid))[:, 1], 1 - GLASSES_ALARMS)
    return np.array([found[0], max(found[1], glasses)], np.float32)


def report(
    network: CoveredNet, faces: Faces, limit: NDArray[np.float32], kinds: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    """False alarms, and the share found of each kind of thing, at the limits."""
    rng = np.random.default_rng(1)
    covered = CoveredFaces(partial(probabilities, network))
    alarms = covered.probabilities(_small(faces.pictures)) > limit
    print(f"limits {limit.round(3)}, {len(faces)} faces, false alarms {alarms.mean(axis=0).round(4)}")
    glasses = (covered.probabilities(_with_sunglasses(faces))[:, 1] > limit[1]).mean()
    print(f"sunglasses called covered eyes: {glasses:.3f}")
    for part, where in enumerate(("mouth", "eyes")):
        for kind in kinds[part]:
            pictures = []
            for row in range(min(len(faces), 600)):
                other = faces.pictures[int(rng.integers(len(faces)))]
                drawn = draw(rng, faces.pictures[row], faces.points[row], kind, where, other)
                if (drawn.mouth, drawn.eyes)[part] == 1:
                    pictures.append(drawn.picture)
            hits = covered.probabilities(_small(pictures))[:, part] > limit[part]
            print(f"{where:6} {kind:11} found {hits.mean():.3f} of {len(pictures)}", flush=True)


def _with_sunglasses(faces: Faces) -> NDArray[np.uint8]:
    rng = np.random.default_rng(2)
    rows = zip(faces.pictures, faces.points, strict=True)
    return _small([draw(rng, picture, points, "sunglasses", "eyes").picture for picture, points in rows])


def _small(pictures: Iterable[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    return np.stack(
        [cv2.resize(picture, (INPUT_SIZE, INPUT_SIZE), interpolation=cv2.INTER_AREA) for picture in pictures]
    )


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("fer", type=Path, help="FER2013 with FER+ votes as one .npz")
    parser.add_argument("--photos", type=Path, nargs="*", default=[], help="directories of photographs of faces")
    parser.add_argument("--without", default="", help="kind of thing to leave out of training and to measure")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--samples", type=int, default=12800, help="pictures an epoch")
    parser.add_argument("--test", type=Path, help="weights file to measure instead of training")
    parser.add_argument("--out", type=Path, help="weights file to write")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)

    if options.test:
        network = CoveredNet().eval()
        network.load_state_dict(load_file(options.test))
    else:
        faces, photos = fer_faces(options.fer, AUTHORS_SPLITS[0], 9000), photo_faces(options.photos)
        print(f"{len(faces)} faces of FER2013, {len(photos)} of photographs", flush=True)
        # Photographs are few and look more like video: five times each.
        pictures = np.concatenate([faces.pictures, *[photos.pictures] * 5])
        points = np.concatenate([faces.points, *[photos.points] * 5])
        network = train(Faces(pictures, points), options.samples, options.without, options.epochs)
    valid, test = (fer_faces(options.fer, usage, 2500) for usage in AUTHORS_SPLITS[1:])
    limit = limits(network, valid)
    left_out = (options.without,) if options.without else ()
    kinds = tuple(tuple(k for k in known if not left_out or k in left_out) for known in (MOUTH_KINDS, EYES_KINDS))
    report(network, test, limit, (kinds[0], kinds[1]))
    if options.out:
        state = {name: t.half() if t.is_floating_point() else t for name, t in network.state_dict().items()}
        save_file(state, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
