"""Finders of landmarks that are compared, and the sets of points in which their errors are measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fercli.compare.point_truth import Points
from fercli.errors import ConfigError, MissingDependency
from fercli.geometry import roll, square_around
from fercli.media.images import square_crop, upright
from fercli.models.classifier import FaceView, View
from fercli.models.face_mesh import INPUT_SIZE, VIEW_SCALE, FaceMesh, landmarks_68
from fercli.models.mesh_points import in_frame
from fercli.models.registry import find_model, load_model
from fercli.progress import Reporter

DLIB_SIDE, DLIB_DOWN = 0.84, 0.05
"""Side of dlib's square box in heights of CenterFace's, and how far its middle lies below, likewise: medians of the 43
faces of dlib's example photographs. The trees were trained on such boxes and are less exact in others."""
CROP_SCALE = 2.0


def five(points: Points) -> Points:
    """(68, 2) -> (5, 2): middle of the left and the right eye, tip of the nose, left and right corner of the mouth."""
    return np.stack([points[36:42].mean(axis=0), points[42:48].mean(axis=0), points[30], points[48], points[54]])


GROUPS: dict[str, Callable[[Points], Points]] = {
    "68": lambda points: points,
    "51": lambda points: points[17:],
    "5": five,
    "corners": lambda points: points[[45, 42, 36, 39, 33]],
}
"""Sets of points by name, made of the 68: all; without the jaw; CenterFace's; the four corners of the eyes and the base
of the nose, which dlib's small predictor has."""


@dataclass(frozen=True)
class Face:
    """A face as `detect-faces` finds it: its picture, (4,) box and (5, 2) landmarks, pixels."""

    picture: NDArray[np.uint8]
    box: NDArray[np.float32]
    landmarks: NDArray[np.float32]


class PointFinder(Protocol):
    """Finds landmarks."""

    @property
    def name(self) -> str:
        """Its name in the table."""

    @property
    def groups(self) -> tuple[str, ...]:
        """Keys of GROUPS of which it has all points."""

    def find(self, face: Face) -> Points:
        """The points in pixels of the picture: all 68, or those of its only group."""


class DetectorPoints:
    """The five points that CenterFace finds with the box."""

    name, groups = "centerface", ("5",)

    def find(self, face: Face) -> Points:
        """See `PointFinder.find`."""
        return face.landmarks.astype(np.float64)


class DlibTrees:
    """dlib's regression trees (Kazemi and Sullivan 2014, doi 10.1109/CVPR.2014.241), in a box like its own."""

    def __init__(self, name: str, groups: tuple[str, ...], weights: Path) -> None:
        import dlib

        self.name, self.groups = name, groups
        self._trees: Any = dlib.shape_predictor(str(weights))

    def find(self, face: Face) -> Points:
        """See `PointFinder.find`."""
        import dlib

        height = float(face.box[3] - face.box[1])
        middle = (face.box[:2] + face.box[2:]) / 2 + np.array([0, DLIB_DOWN * height])
        low, high = middle - DLIB_SIDE * height / 2, middle + DLIB_SIDE * height / 2
        place = dlib.rectangle(*(round(float(value)) for value in (*low, *(high - 1))))
        parts = self._trees(np.ascontiguousarray(face.picture), place).parts()
        return np.array([[part.x, part.y] for part in parts], np.float64)


class MeshPoints:
    """The 68 points among those of MediaPipe's face mesh, as `measure-faces` finds them."""

    name, groups = "face-mesh", tuple(GROUPS)

    def __init__(self) -> None:
        networks = (("face-mesh", "mesh"), ("face-blendshapes", "blendshapes"))
        self._mesh = FaceMesh(*(load_model(find_model(name, task)) for name, task in networks))

    def find(self, face: Face) -> Points:
        """See `PointFinder.find`."""
        turned = roll(face.landmarks)
        crop = square_crop(face.picture, square_around(face.box, CROP_SCALE), 10_000)
        view = FaceView(View(INPUT_SIZE, VIEW_SCALE), CROP_SCALE)
        mesh = self._mesh.measure([view.cut(upright(crop, turned, 0))]).points[0]
        return landmarks_68(in_frame(mesh, view, len(crop), turned, face.box, 1.0))[:, :2].astype(np.float64)


class FaceAlignment:
    """FAN (Bulat and Tzimiropoulos 2017, arXiv 1703.07332) of the package `face-alignment`, in CenterFace's box."""

    groups = tuple(GROUPS)

    def __init__(self, name: str, kind: str) -> None:
        import face_alignment

        self.name = name
        self._network: Any = face_alignment.FaceAlignment(
            getattr(face_alignment.LandmarksType, kind), device="cpu", face_detector="folder"
        )

    def find(self, face: Face) -> Points:
        """See `PointFinder.find`."""
        found = self._network.get_landmarks_from_image(face.picture, detected_faces=[[*face.box.tolist(), 1.0]])
        return np.asarray(found[0], np.float64)[:, :2]


def _trees(name: str, file: str, groups: tuple[str, ...]) -> DlibTrees:
    spec = find_spec("face_recognition_models")
    assert spec is not None and spec.origin is not None  # checked by `_missing`
    return DlibTrees(name, groups, Path(spec.origin).parent / "models" / file)


FINDERS: dict[str, tuple[str, Callable[[], PointFinder]]] = {
    "centerface": ("", DetectorPoints),
    "dlib-5": (
        "face_recognition_models",
        lambda: _trees("dlib-5", "shape_predictor_5_face_landmarks.dat", ("corners",)),
    ),
    "dlib-68": (
        "face_recognition_models",
        lambda: _trees("dlib-68", "shape_predictor_68_face_landmarks.dat", tuple(GROUPS)),
    ),
    "face-mesh": ("", MeshPoints),
    "fan-2d": ("face_alignment", lambda: FaceAlignment("fan-2d", "TWO_D")),
    "fan-3d": ("face_alignment", lambda: FaceAlignment("fan-3d", "THREE_D")),
}
"""Name -> package it needs, and how it is made."""
NOT_COMMERCIAL = ("dlib-68", "fan-2d", "fan-3d")
"""Trained on 300-W or 300W-LP, whose licences exclude commercial use."""


def point_finders(names: Sequence[str], reporter: Reporter) -> list[PointFinder]:
    """The finders of the given names; of all that are installed if there is none, with a note for each that is not.

    Raises:
        ConfigError: an unknown name.
        ModelError: a package is not installed, or a network cannot be loaded.
    """
    for name in names:
        if name not in FINDERS:
            raise ConfigError(
                f"unknown finder of landmarks {name!r}", hint=f"known: {', '.join(FINDERS)}", code="name-unknown"
            )
    chosen = []
    for name in names or FINDERS:
        package, make = FINDERS[name]
        if package and find_spec(package) is None:
            install = f"pip install {package.replace('face_alignment', 'face-alignment')}"
            if names:
                raise MissingDependency(f"{name} needs the package {package}", hint=install)
            reporter.note(f"left out: {name}, not installed ({install})")
            continue
        chosen.append(make())
    return chosen
