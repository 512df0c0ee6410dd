"""What the benchmarks of the card share: faces of FER+ with their labels and meshes, and the answers of a network.

Networks are slow and pictures many, so all outputs are kept in a directory, by the digest of weights and pixels. A run
that was stopped goes on where it was, and another network starts anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fercli.hashing import sha256_file
from fercli.learn.datasets.faces import Labelling
from fercli.learn.datasets.fer2013 import FACE_SCALE, read_ferplus
from fercli.learn.evaluation import metrics
from fercli.media.images import upright
from fercli.models.classifier import EmotionClassifier, FaceView
from fercli.models.face_mesh import FaceMesh, head_pose, mesh_view
from fercli.models.registry import find_classifier, find_model, find_weights, load_model

MARGIN = 16
"""Pixels that are added round a face of 48 before the mesh is laid on it: FER2013 cuts through chins and foreheads."""
PART = 256
_MESHES = (("face-mesh", "mesh"), ("face-blendshapes", "blendshapes"))

Pictures = NDArray[np.uint8]
"""(N, S, S) grey faces, each framed as FER2013's are."""


class Kept:
    """Arrays that were computed before, in a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def __call__(
        self, made_by: str, pictures: Pictures, compute: Callable[[Pictures], dict[str, NDArray[np.float32]]]
    ) -> dict[str, NDArray[np.float32]]:
        """The arrays of all pictures, computed `PART` pictures at a time where they are not there yet."""
        parts = []
        for start in range(0, len(pictures), PART):
            part = np.ascontiguousarray(pictures[start : start + PART])
            digest = hashlib.sha256(made_by.encode() + str(part.shape).encode() + part.tobytes()).hexdigest()
            file = self._directory / f"{digest[:32]}.npz"
            if not file.is_file():
                unfinished = file.with_suffix(".part.npz")
                np.savez(unfinished, **compute(part))
                unfinished.replace(file)
            with np.load(file) as found:
                parts.append({name: found[name] for name in found.files})
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


@dataclass(frozen=True)
class Faces:
    """Faces of one split that have a label by the protocol of FER+'s authors.

    Attributes:
        pictures: (N, 48, 48).
        ferplus, fer2013: their labels, -1 where there is none.
    """

    pictures: Pictures
    ferplus: Labelling
    fer2013: Labelling

    def take(self, rows: NDArray[np.intp]) -> Faces:
        """Some of them."""
        return Faces(
            self.pictures[rows],
            *(Labelling(one.classes, one.targets[rows], one.labels[rows]) for one in (self.ferplus, self.fer2013)),
        )


def faces_of(fer: Path, split: str) -> Faces:
    """The faces of `valid` (PublicTest) or `test` (PrivateTest)."""
    part = read_ferplus(fer).part(split)
    return Faces(part.images[:, 0], part.labellings["ferplus"], part.labellings["fer2013"])


def some(faces: Faces, most: int) -> Faces:
    """At most that many of those with a label of FER+, drawn with a fixed seed."""
    labelled = np.flatnonzero(faces.ferplus.labels >= 0)
    return faces.take(np.sort(np.random.default_rng(0).permutation(labelled)[:most]))


@dataclass(frozen=True)
class Meshes:
    """What the mesh finds in N faces, each turned upright first, as `measure-faces` does.

    Attributes:
        points: (N, 478, 3) in pixels of the picture of 48, before it was turned; z in the same unit.
        yaw, pitch, roll: (N,) degrees. flag: (N,) in [0, 1].
    """

    points: NDArray[np.float32]
    yaw: NDArray[np.float32]
    pitch: NDArray[np.float32]
    roll: NDArray[np.float32]
    flag: NDArray[np.float32]


def meshes_of(pictures: Pictures, kept: Kept) -> Meshes:
    """Lay the mesh on faces, twice: the first gives the roll, by which the face is turned before the second."""
    mesh: list[FaceMesh] = []

    def measure(part: Pictures) -> dict[str, NDArray[np.float32]]:
        if not mesh:
            mesh.append(FaceMesh(*(load_model(find_model(name, task)) for name, task in _MESHES)))
        side = part.shape[1]
        margin = round(MARGIN * side / 48)
        view = mesh_view(FACE_SCALE * (side + 2 * margin) / side)
        wide = [_framed(picture, margin) for picture in part]
        first = mesh[0].measure([view.cut(picture) for picture in wide])
        rolls = [head_pose(points)[2] for points in first.points]
        second = mesh[0].measure(
            [view.cut(upright(picture, roll, 0)) for picture, roll in zip(wide, rolls, strict=True)]
        )
        poses = np.array([head_pose(points) for points in second.points], np.float32)
        left, top, right, _ = view.square(side + 2 * margin)
        scale = (right - left) / view.header.input_size
        points = first.points * scale
        points[..., :2] += np.array([left, top], np.float32) + 0.5 * scale - 0.5 - margin
        return {
            "points": points * 48 / side,
            "yaw": poses[:, 0],
            "pitch": poses[:, 1],
            "roll": np.array(rolls, np.float32),
            "flag": second.flag,
        }

    network = find_weights(find_model(*_MESHES[0]))
    return Meshes(**kept(f"mesh 1 {sha256_file(network) if network else ''}", pictures, measure))


def _framed(picture: NDArray[np.uint8], margin: int) -> NDArray[np.uint8]:
    """(S, S, 3) with its edge mirrored outwards."""
    wide = cv2.copyMakeBorder(picture, *[margin] * 4, cv2.BORDER_REFLECT_101)
    return np.repeat(wide[:, :, None], 3, axis=2)


class Answers:
    """The outputs of a classifier for pictures, from the directory where they are in it."""

    def __init__(self, model: str, kept: Kept) -> None:
        self.name, path = find_classifier(model)
        self._digest = sha256_file(path)
        self.heads = {head: EmotionClassifier(path, "cpu", head) for head in _names(path)}
        self._any = next(iter(self.heads.values()))
        self._kept = kept

    def outputs(self, pictures: Pictures) -> NDArray[np.float32]:
        """(2, N, K) outputs of all heads for the faces and their mirror images."""
        view, n_frames = FaceView(self._any.header, FACE_SCALE), self._any.header.n_frames

        def compute(part: Pictures) -> dict[str, NDArray[np.float32]]:
            found = []
            for start in range(0, len(part), 32):
                clips = [[view(picture)] * n_frames for picture in part[start : start + 32]]
                found.append(self._any.outputs(np.asarray(clips, np.uint8)).transpose(1, 0, 2))
            return {"outputs": np.concatenate(found)}

        return self._kept(f"answers {self._digest}", pictures, compute)["outputs"].transpose(1, 0, 2)

    def logits(self, head: str, pictures: Pictures) -> NDArray[np.float32]:
        """(2, N, C) outputs of one head."""
        _, columns = self._any.header.head(head)
        return self.outputs(pictures)[..., columns]

    def probabilities(
        self, pictures: Pictures, head: str = "ferplus", prior: float | None = None
    ) -> NDArray[np.float32]:
        """(N, C) as `classify-emotions` gives them."""
        return self.heads[head].probabilities(self.logits(head, pictures), prior)


def _names(path: Path) -> list[str]:
    from fercli.models.weights import read_header

    return [head.name for head in read_header(path).heads]


@dataclass(frozen=True)
class Point:
    """Answers for faces that are alike.

    Attributes:
        name: what they have in common.
        at: the same as a number, for the curve.
        n: faces.
        accuracy, low, high: share of right answers and its 95 % interval (bootstrap over faces).
        confidence: mean probability of the answers.
        gate: share of the faces that the gates of `classify-emotions` would refuse, where that is known.
    """

    name: str
    at: float
    n: int
    accuracy: float
    low: float
    high: float
    confidence: float
    gate: float | None = None


def point(
    name: str, at: float, probabilities: NDArray[np.float32], labels: NDArray[np.int64], gate: float | None = None
) -> Point:
    """Compare answers with labels; at least one face."""
    predicted, classes = probabilities.argmax(axis=1), probabilities.shape[1]
    low, high = metrics.bootstrap(metrics.accuracy, labels, predicted, classes)
    confidence = float(probabilities.max(axis=1).mean())
    return Point(name, at, len(labels), float((predicted == labels).mean()), low, high, confidence, gate)
