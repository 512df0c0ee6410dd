"""What opening the mouth, and looking up or down, do to the probabilities, on the same faces warped by the mesh.

    python benchmarks/talking.py fer2013_ferplus.npz [--model NAME] [--faces N]
    python benchmarks/talking.py --clips WORKSPACE...

The first fits the constants `OPEN_MOUTH` of `fercli/expressions/talking.py` on faces of FER+'s Training split. For
faces of PublicTest it prints how often a neutral one counts as surprised before and after its mouth is opened, with and
without these constants, and the probabilities of neutral and happy ones turned up and down. A face takes about .3 s of
one core. The network learnt the faces of Training, so it is surer of them than of others; a temperature that is fitted
along takes up what is the same for all classes.

The second prints what `TALKS` was set on: the movement of the mouths in annotated clips, and the share of faces that
talk.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator
from scipy.optimize import minimize
from scipy.special import log_softmax

import fercli
from fercli.expressions.talking import WIDEST, find_speech, movement
from fercli.labels import EMOTIONS_8
from fercli.models.classifier import EmotionClassifier, FaceView
from fercli.models.face_mesh import FaceMesh, head_pose, mesh_view, mouth_opening
from fercli.models.loaded import Models
from fercli.models.registry import find_classifier, find_model

SIDE = 96
"""Pictures are warped at this side."""
CROP_SCALE, CROP_SIDE = 1.7, 192
UPPER_IN = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308]
LOWER_IN = [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308]
"""Points of the mesh along the inner edges of the lips, from one corner to the other."""
UPPER_LIP = [185, 40, 39, 37, 0, 267, 269, 270, 409, 184, 74, 73, 72, 11, 302, 303, 304, 408]
UPPER_LIP += [183, 42, 41, 38, 12, 268, 271, 272, 407, 61, 291, 76, 306, 62, 292]
LOWER_LIP = [146, 91, 181, 84, 17, 314, 405, 321, 375, 77, 90, 180, 85, 16, 315, 404, 320, 307]
LOWER_LIP += [96, 89, 179, 86, 15, 316, 403, 319, 325]
CHIN, BETWEEN_EYES = 152, 168
OPENINGS = (0.1, 0.2, 0.35, 0.5, 0.7)
"""Added openings, in widths of the mouth."""
MEASURED = 100
"""Most faces a class of PublicTest on which the factors are measured."""
PITCHES = (-30, -20, -10, 0, 10, 20, 30)
FER_ORDER = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
SPEECH_CLASSES = ("surprise", "fear")

Picture = NDArray[np.uint8]
Points = NDArray[np.float64]


@dataclass(frozen=True)
class Faces:
    """(SIDE, SIDE) pictures, their meshes in pixels of them, votes (N, 8) in the order of EMOTIONS_8, and pitches."""

    pictures: list[Picture]
    points: list[Points]
    votes: NDArray[np.float64]
    pitch: NDArray[np.float64]

    def rows(self, wanted: NDArray[np.int64]) -> Faces:
        """Some of the faces."""
        return Faces(
            [self.pictures[i] for i in wanted], [self.points[i] for i in wanted], self.votes[wanted], self.pitch[wanted]
        )


class Networks:
    """The classifier and the mesh, for pictures of SIDE pixels that are what the classifier sees of a face."""

    def __init__(self, model: str) -> None:
        models = Models()
        self.classifier = EmotionClassifier(find_classifier(model)[1], "cpu")
        names = (("face-mesh", "mesh"), ("face-blendshapes", "blendshapes"))
        self._mesh = FaceMesh(*(models.load(find_model(name, task)) for name, task in names))
        header = self.classifier.header
        self._crop_view, self._mesh_view = FaceView(header, CROP_SCALE), mesh_view(CROP_SCALE)
        left, top, right, _ = self._crop_view.square(CROP_SIDE)
        self._to_crop = np.array([[(right - left) / SIDE, 0, left], [0, (right - left) / SIDE, top]])
        left, top, right, _ = self._mesh_view.square(CROP_SIDE)
        self._from_mesh = ((right - left) / 256, left, top)

    def probabilities(self, pictures: Sequence[Picture]) -> NDArray[np.float64]:
        """(N, 8) in the order of EMOTIONS_8; a clip is the same picture again and again."""
        labels = list(self.classifier.head.labels)
        found = []
        for start in range(0, len(pictures), 16):
            views = np.stack([self._crop_view(self._crop(picture)) for picture in pictures[start : start + 16]])
            found.append(self.classifier.classify(np.repeat(views[:, None], self.classifier.header.n_frames, axis=1)))
        return np.concatenate(found).astype(np.float64)[:, [labels.index(name) for name in EMOTIONS_8]]

    def meshes(self, pictures: Sequence[Picture]) -> tuple[list[Points], NDArray[np.float64], NDArray[np.float32]]:
        """The points of each in pixels of the picture, (N, 2) pitch and opening of the mouth, and (N,) flags."""
        views = [cv2.cvtColor(self._mesh_view.cut(self._crop(one)), cv2.COLOR_GRAY2RGB) for one in pictures]
        found = self._mesh.measure([np.asarray(view, np.uint8) for view in views])
        measured = np.array([[head_pose(points)[1], mouth_opening(points)] for points in found.points])
        scale, left, top = self._from_mesh
        unit = self._to_crop[0, 0]
        placed = [(points.astype(np.float64) * scale + (left, top, 0)) for points in found.points]
        shift = (self._to_crop[0, 2], self._to_crop[1, 2], 0)
        return [(points - shift) / unit for points in placed], measured, found.flag

    def blendshapes(self, pictures: Sequence[Picture]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(N, 51) blendshapes of each, and (N,) flags."""
        views = [cv2.cvtColor(self._mesh_view.cut(self._crop(one)), cv2.COLOR_GRAY2RGB) for one in pictures]
        found = self._mesh.measure([np.asarray(view, np.uint8) for view in views])
        return found.blendshapes, found.flag

    def _crop(self, picture: Picture) -> Picture:
        size, flags = (CROP_SIDE, CROP_SIDE), cv2.INTER_CUBIC
        crop = cv2.warpAffine(picture, self._to_crop, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(crop, np.uint8)


def fer_faces(path: Path, split: str, networks: Networks, most_each: int) -> Faces:
    """Faces of a split on which five of ten agree, at most so many a class, and whose mesh faces the camera."""
    with np.load(path, allow_pickle=False) as data:
        order = [FER_ORDER.index(name) for name in EMOTIONS_8]
        votes = data["ferplus_votes"][:, order].astype(np.float64)
        rows = np.flatnonzero((data["usage"].astype(str) == split) & (votes.max(axis=1) >= 5))
        rows = np.random.default_rng(0).permutation(rows)
        label = votes[rows].argmax(axis=1)
        rows = np.concatenate([rows[label == number][:most_each] for number in range(len(EMOTIONS_8))])
        images, votes = data["images"][rows], votes[rows]
    size = (SIDE, SIDE)
    pictures = [np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), np.uint8) for image in images]
    points, measured, flag = networks.meshes(pictures)
    clear = np.flatnonzero((flag > 0.8) & (np.abs(measured[:, 0]) < 25))
    shares = votes / votes.sum(axis=1, keepdims=True)
    return Faces(pictures, points, shares, measured[:, 0]).rows(np.random.default_rng(1).permutation(clear))


def opened(picture: Picture, points: Points, amount: float) -> Picture:
    """The face with its jaw dropped: lower lip and chin go down, the inside of the mouth is dark."""
    flat = points[:, :2]
    width = float(np.linalg.norm(flat[UPPER_IN[0]] - flat[UPPER_IN[-1]]))
    down = flat[CHIN] - flat[BETWEEN_EYES]
    down = down / np.linalg.norm(down)
    beside = np.array([-down[1], down[0]])
    lips = flat[UPPER_IN].mean(axis=0)
    below, sideways = (flat - lips) @ down, np.abs((flat - lips) @ beside) / width
    chin = max(float((flat[CHIN] - lips) @ down), 1.0)
    share = np.where(below > 0, np.clip(below / (0.05 * chin), 0, 1) * np.clip(1.15 - 0.9 * sideways, 0, 1), 0)
    lower = [*LOWER_IN[1:-1], *LOWER_LIP]
    share[lower] = np.sqrt(np.clip(1 - (2 * sideways[lower]) ** 2, 0, 1))
    share[[*UPPER_IN[1:-1], *UPPER_LIP]] = 0
    share[[UPPER_IN[0], UPPER_IN[-1]]] = 0.15
    moved = flat + share[:, None] * amount * width * down
    inside = np.zeros(picture.shape, np.float32)
    edge = np.round(np.vstack([moved[UPPER_IN], moved[LOWER_IN[::-1]]]) * 16).astype(np.int32)
    cv2.fillPoly(inside, [edge], 1.0, lineType=cv2.LINE_AA, shift=4)
    shade = cv2.GaussianBlur(inside, (0, 0), 0.7) * min(amount / 0.25, 1)
    third = SIDE // 3
    dark = 0.25 * float(np.median(picture[third : 2 * third, third : 2 * third]))
    return np.clip(_warped(picture, flat, moved) * (1 - shade) + dark * shade, 0, 255).astype(np.uint8)


def turned(picture: Picture, points: Points, degrees: float) -> Picture:
    """The face turned up (positive) or down."""
    angle, middle = np.radians(degrees), points.mean(axis=0)
    y, z = (points - middle)[:, 1:].T
    return _warped(
        picture, points[:, :2], np.stack([points[:, 0], middle[1] + y * np.cos(angle) + z * np.sin(angle)], 1)
    )


def _warped(picture: Picture, points: Points, moved: Points) -> Picture:
    """Triangle by triangle; the edge of the picture stays."""
    ticks = np.linspace(0, SIDE - 1, 9)
    frame = np.array([(x, y) for x in ticks for y in ticks if {x, y} & {0, SIDE - 1}])
    inside = ((moved > 3) & (moved < SIDE - 4) & (points > 0) & (points < SIDE - 1)).all(axis=1)
    source = LinearNDInterpolator(np.vstack([moved[inside], frame]), np.vstack([points[inside], frame]))
    y, x = np.mgrid[:SIDE, :SIDE]
    back = source(x, y).astype(np.float32)
    result = cv2.remap(picture, back[..., 0], back[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(result, np.uint8)


@dataclass(frozen=True)
class Answers:
    """Log probabilities (N, 8), openings (N,) and votes (N, 8)."""

    logs: NDArray[np.float64]
    mouth: NDArray[np.float64]
    votes: NDArray[np.float64]

    def rows(self, wanted: NDArray[np.bool_]) -> Answers:
        """Some of the faces."""
        return Answers(self.logs[wanted], self.mouth[wanted], self.votes[wanted])

    def corrected(self, factors: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, 8) log odds with OPEN_MOUTH applied; `factors` is (2, 2): a row a class."""
        logs = self.logs.copy()
        for name, (always, by_opening) in zip(SPEECH_CLASSES, factors, strict=True):
            logs[:, EMOTIONS_8.index(name)] -= always + by_opening * np.clip(self.mouth, 0, WIDEST)
        return logs


def both_ways(faces: Faces, networks: Networks) -> list[Answers]:
    """The answers for the faces as they are, and with their mouths opened."""
    amounts = np.random.default_rng(2).choice(OPENINGS, len(faces.pictures))
    each = list(zip(faces.pictures, faces.points, amounts, strict=True))
    found = []
    for pictures in (faces.pictures, [opened(*one) for one in each]):
        logs = np.log(networks.probabilities(pictures) + 1e-5)
        found.append(Answers(logs, networks.meshes(pictures)[1][:, 1], faces.votes))
    return found


def fit(answers: Sequence[Answers]) -> NDArray[np.float64]:
    """The factors that make the votes most likely. A temperature is fitted with them and not kept: warped faces are
    not those that confidence was calibrated on."""

    def loss(values: NDArray[np.float64]) -> float:
        factors = values[1:].reshape(2, 2)
        losses = [
            -(one.votes * log_softmax(np.exp(values[0]) * one.corrected(factors), axis=1)).sum(axis=1)
            for one in answers
        ]
        return float(np.concatenate(losses).mean() + 0.0005 * (values[1:] ** 2).sum())

    found = minimize(loss, np.zeros(5), method="L-BFGS-B").x
    return np.asarray(found[1:].reshape(2, 2))


def report(title: str, answers: Answers, factors: NDArray[np.float64]) -> None:
    """Print how often each class of faces is recognised, and how often a neutral one is surprised."""
    best, label = answers.corrected(factors).argmax(axis=1), answers.votes.argmax(axis=1)
    own = {name: best[label == number] == number for number, name in enumerate(EMOTIONS_8)}
    neutral = best[label == EMOTIONS_8.index("neutral")]
    kept = "  ".join(f"{name} {np.mean(own[name]):.2f}" for name in FER_ORDER[:5])
    surprised = np.mean(neutral == EMOTIONS_8.index("surprise"))
    print(f"{title:24s} neutral taken for surprise {surprised:.2f}  recognised: {kept}")


def show_pitch(faces: Faces, networks: Networks, emotion: str, most: int = 80) -> None:
    """Print the mean probabilities of faces of a class at several pitches."""
    number = EMOTIONS_8.index(emotion)
    own = faces.rows(np.flatnonzero((faces.votes[:, number] >= 0.7) & (np.abs(faces.pitch) < 8))[:most])
    for degrees in PITCHES:
        views = [turned(*one, degrees) for one in zip(own.pictures, own.points, strict=True)]
        found = networks.probabilities(views)
        means = "  ".join(f"{name} {value:.3f}" for name, value in zip(EMOTIONS_8, found.mean(axis=0), strict=True))
        print(f"{emotion} ({len(views)}) at {degrees:+d}: {means}  right {np.mean(found.argmax(axis=1) == number):.2f}")


def show_speech(workspace: Path) -> None:
    """Print the movement of the mouth of each track, and the share of its faces that talk: what TALKS was set on."""
    for signal in fercli.open(workspace).signals:
        if signal.name == "openings":
            times, names = signal.start_s, [column.name for column in signal.columns]
            mouth = signal.values[:, names.index("mouth")].astype(np.float64)
            moved = movement(times, mouth)
            if np.isnan(moved).all():
                continue  # in view too briefly, or turned away
            one = pa.table({"track": np.zeros(len(times), np.int64), "face": np.arange(len(times))})
            talks = np.nanmean(find_speech(one, pa.table({"mouth": mouth}), times).talks)
            low, middle, high = np.nanquantile(moved, (0.25, 0.5, 0.75))
            name = f"{workspace.stem} track {signal.track} ({len(times)} faces)"
            print(f"{name:40s} movement {middle:.2f} ({low:.2f} to {high:.2f})  talks {talks:.2f}")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("npz", type=Path, nargs="?", help="fer2013_ferplus.npz")
    parser.add_argument("--clips", type=Path, nargs="+", default=[], help="workspaces of fercli annotate instead")
    parser.add_argument("--model", default="tsm-resnet18", help="a name from fercli models, or a weights file")
    parser.add_argument("--faces", type=int, default=100, help="most faces a class to fit on")
    options = parser.parse_args()
    for workspace in options.clips:
        show_speech(workspace)
    if options.clips:
        return
    networks = Networks(options.model)
    factors = np.round(fit(both_ways(fer_faces(options.npz, "Training", networks, options.faces), networks)), 2)
    print("OPEN_MOUTH =", dict(zip(SPEECH_CLASSES, map(tuple, factors.tolist()), strict=True)), flush=True)
    faces = fer_faces(options.npz, "PublicTest", networks, min(options.faces, MEASURED))
    for title, one in zip(("as they are", "mouth opened"), both_ways(faces, networks), strict=True):
        report(title, one, np.zeros((2, 2)))
        report(f"{title}, corrected", one, factors)
    for emotion in ("neutral", "happiness"):
        show_pitch(faces, networks, emotion)


if __name__ == "__main__":
    main()
