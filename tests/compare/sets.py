"""Small sets of faces on disk, in the forms that people have them, and a detector without a network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.io import savemat

from fercli.models.detections import Detections

BOXES = {
    "one.jpg": [[20, 30, 60, 90]],
    "two.jpg": [[10, 10, 50, 60], [100, 20, 150, 90]],
}
"""Picture of 200 x 120 pixels -> true faces, x1 y1 x2 y2: bright rectangles on grey."""


def write_pictures(folder: Path, suffix: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, boxes in BOXES.items():
        picture = np.full((120, 200, 3), 60, np.uint8)
        for x1, y1, x2, y2 in boxes:
            picture[y1:y2, x1:x2] = 220
        cv2.imwrite(str(folder / name), picture)
    return folder


class BrightDetector:
    """Finds bright rectangles exactly, wider ones with a higher score; None of them narrower than `least` pixels."""

    def __init__(self, least: int = 0) -> None:
        self.least = least

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        _, _, stats, _ = cv2.connectedComponentsWithStats((image[..., 0] > 140).astype(np.uint8))
        rows = stats[1:][stats[1:, 2] >= max(4, self.least)]
        boxes = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1).astype(np.float32)
        return Detections(boxes, (rows[:, 2] / 100 + 0.4).clip(0, 1).astype(np.float32))


def write_csv(folder: Path, header: str = "image,x1,y1,x2,y2", order: tuple[int, ...] = (0, 1, 2, 3)) -> Path:
    lines = [f"{name},{','.join(str(box[i]) for i in order)}" for name, boxes in BOXES.items() for box in boxes]
    (folder / "boxes.csv").write_text("\n".join([header, *lines]) + "\n")
    return folder


def write_xml(folder: Path) -> Path:
    def box(corners: list[int], more: str = "") -> str:
        x1, y1, x2, y2 = corners
        return f"<box left='{x1}' top='{y1}' width='{x2 - x1}' height='{y2 - y1}'{more}/>"

    ignored = box([150, 90, 170, 110], " ignore='1'")
    images = "".join(
        f"<image file='{name}'>{''.join(map(box, boxes))}{ignored}</image>" for name, boxes in BOXES.items()
    )
    (folder / "faces.xml").write_text(f"<?xml version='1.0'?><dataset><images>{images}</images></dataset>")
    return folder


def write_wider(folder: Path) -> Path:
    """Two events; the first face of all is easy, the larger ones medium, all hard."""
    write_pictures(folder / "WIDER_val" / "images" / "0--Parade")
    names = [Path(name).stem for name in BOXES]
    of_files = [[[x1, y1, x2 - x1, y2 - y1] for x1, y1, x2, y2 in boxes] for boxes in BOXES.values()]
    kept = {"easy": [[1], []], "medium": [[1], [2]], "hard": [[1], [1, 2]]}
    savemat(
        folder / "wider_face_val.mat",
        {
            "event_list": _cells(["0--Parade"]),
            "file_list": _cells([_cells(names)]),
            "face_bbx_list": _cells([_cells([np.array(boxes, float) for boxes in of_files])]),
        },
    )
    for level, numbers in kept.items():
        lists = _cells([_cells([np.array(rows, np.uint8).reshape(-1, 1) for rows in numbers])])
        savemat(folder / f"wider_{level}_val.mat", {"gt_list": lists})
    return folder


def write_fddb(folder: Path) -> Path:
    write_pictures(folder / "2002" / "08" / "11" / "big")
    text = "2002/08/11/big/one\n1\n30 20 1.5707963 40 60  1\n"
    text += "2002/08/11/big/two\n2\n25 20 1.5707963 30 35  1\n35 25 1.5707963 125 55  1\n"
    (folder / "FDDB-fold-01-ellipseList.txt").write_text(text)
    return folder


def _cells(items: Sequence[object]) -> NDArray[np.object_]:
    column = np.empty((len(items), 1), object)
    for row, item in enumerate(items):
        column[row, 0] = item
    return column
