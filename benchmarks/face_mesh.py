"""How near the points of the face mesh lie to those that people marked, by the size of the view.

    python benchmarks/face_mesh.py ../shared/data/faces/dlib_examples

Takes dlib's example photographs with their `*_with_face_landmarks.xml`. The error (NME) is the mean distance of the 51
inner points, divided by the distance of the outer corners of the eyes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from fercli.geometry import roll, square_around
from fercli.media.images import read_image, square_crop, upright
from fercli.models.classifier import FaceView, View
from fercli.models.face_mesh import INPUT_SIZE, VIEW_SCALE, FaceMesh
from fercli.models.face_mesh_points import INNER_51
from fercli.models.mesh_points import in_frame
from fercli.models.pictures import default_detector
from fercli.models.registry import find_model, load_model

CROP_SCALE = 2.0


def photographs(folder: Path) -> Iterator[tuple[NDArray[np.uint8], list[NDArray[np.float64]]]]:
    """Each photograph with the (68, 2) points of its faces."""
    for file in sorted(folder.glob("*_with_face_landmarks.xml")):
        for image in ElementTree.parse(file).getroot().iter("image"):
            faces = [
                np.array([[float(part.get("x", 0)), float(part.get("y", 0))] for part in box.iter("part")])
                for box in image.iter("box")
            ]
            yield read_image(folder / image.get("file", "")), [face for face in faces if len(face) == 68]


def error(
    mesh: FaceMesh,
    picture: NDArray[np.uint8],
    box: NDArray[np.float32],
    turned: float,
    scale: float,
    truth: NDArray[np.float64],
) -> float:
    """NME of one face."""
    crop = square_crop(picture, square_around(box, CROP_SCALE), 10_000)
    view = FaceView(View(INPUT_SIZE, scale), CROP_SCALE)
    points = mesh.measure([view.cut(upright(crop, turned, 0))]).points[0]
    found = in_frame(points, view, len(crop), turned, box, 1.0)[list(INNER_51), :2]
    return float(np.linalg.norm(found - truth[17:], axis=1).mean() / np.linalg.norm(truth[36] - truth[45]))


def main() -> None:
    """Print the error at each size of the view, and the processor time of a face."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    networks = (("face-mesh", "mesh"), ("face-blendshapes", "blendshapes"))
    mesh = FaceMesh(*(load_model(find_model(name, task)) for name, task in networks))
    detector = default_detector()
    faces = []
    for picture, truths in photographs(folder):
        found = detector.detect(picture)
        middles = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2
        for truth in truths:
            row = int(np.abs(middles - truth.mean(axis=0)).sum(axis=1).argmin())
            faces.append((picture, found.boxes[row], roll(found.landmarks[row].reshape(5, 2)), truth))
    for scale in (1.0, 1.15, VIEW_SCALE, 1.5, 1.7):
        began = time.process_time()
        errors = [error(mesh, picture, box, turned, scale, truth) for picture, box, turned, truth in faces]
        spent = 1000 * (time.process_time() - began) / len(faces)
        print(
            f"view {scale:.2f}  NME {np.mean(errors):.4f}  median {np.median(errors):.4f}  "
            f"{len(faces)} faces  {spent:.1f} ms"
        )


if __name__ == "__main__":
    main()
