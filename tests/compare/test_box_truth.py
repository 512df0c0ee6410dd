"""True boxes in the forms of WIDER FACE, FDDB, dlib and CSV."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fercli.compare.box_truth import read_boxes
from fercli.errors import ConfigError, DatasetError
from tests.compare.sets import BOXES, write_csv, write_fddb, write_pictures, write_wider, write_xml


def test_every_form_gives_the_same_boxes(tmp_path: Path) -> None:
    roots = {
        "folder": write_csv(write_pictures(tmp_path / "csv")),
        "dlib": write_xml(write_pictures(tmp_path / "xml")),
        "wider": write_wider(tmp_path / "wider"),
        "fddb": write_fddb(tmp_path / "fddb"),
    }
    for dataset, root in roots.items():
        images = read_boxes(dataset, root)
        assert [image.path.name for image in images] == ["one.jpg", "two.jpg"]
        for image in images:
            own = image.boxes[list(image.counted.values())[-1]]
            np.testing.assert_allclose(own, BOXES[image.path.name], atol=1e-4)


def test_what_is_not_counted_is_kept(tmp_path: Path) -> None:
    one, two = read_boxes("wider", write_wider(tmp_path / "wider"))
    assert [two.counted[level].tolist() for level in ("easy", "medium", "hard")] == [
        [False, False],
        [False, True],
        [True, True],
    ]
    assert one.counted["easy"].tolist() == [True]
    ignored = read_boxes("dlib", write_xml(write_pictures(tmp_path / "xml")))[0]
    assert ignored.counted["all"].tolist() == [True, False] and ignored.boxes[1].tolist() == [150, 90, 170, 110]


def test_corner_and_size(tmp_path: Path) -> None:
    root = write_pictures(tmp_path / "set")
    (root / "boxes.csv").write_text("image,note,x,y,w,h\none.jpg,a,20,30,40,60\ntwo.jpg,b,,,,\n")
    one, two = read_boxes("folder", root)
    assert one.boxes.tolist() == [[20, 30, 60, 90]] and len(two.boxes) == 0


def test_the_order_of_face_recognition_is_refused(tmp_path: Path) -> None:
    root = write_csv(write_pictures(tmp_path / "set"), order=(1, 2, 3, 0))  # top, right, bottom, left
    with pytest.raises(DatasetError, match=r"boxes.csv:2: .* is not a box") as error:
        read_boxes("folder", root)
    assert "top, right, bottom, left" in error.value.hint


@pytest.mark.parametrize(
    ("dataset", "file", "content", "code"),
    [
        ("folder", "boxes.csv", "image,x1,y1,x2,y2\nnone.jpg,1,1,5,5\n", "dataset-not-found"),
        ("folder", "boxes.csv", "image,x1,y1,x2,y2\none.jpg,a,1,5,5\n", "dataset-unusable"),
        ("folder", "boxes.csv", "image,x1,y1,x2,y2\none.jpg,,,,\n", "dataset-empty"),
        ("folder", "other.txt", "", "dataset-not-found"),
        ("dlib", "faces.xml", "<dataset>", "dataset-unusable"),
        ("dlib", "faces.xml", "<dataset><image file='one.jpg'><box left='x'/></image></dataset>", "dataset-unusable"),
        ("dlib", "faces.xml", "<dataset><image file='no.jpg'/></dataset>", "dataset-not-found"),
        ("fddb", "a-ellipseList.txt", "one\n2\n30 20 1.5 40 60 1\n", "dataset-unusable"),
        ("fddb", "a-ellipseList.txt", "none\n0\n", "dataset-not-found"),
        ("fddb", "other.txt", "", "dataset-not-found"),
        ("wider", "other.txt", "", "dataset-not-found"),
        ("wider", "wider_face_val.mat", "not MATLAB", "dataset-unusable"),
    ],
)
def test_what_cannot_be_used(tmp_path: Path, dataset: str, file: str, content: str, code: str) -> None:
    root = write_pictures(tmp_path / "set")
    (root / file).write_text(content)
    with pytest.raises(DatasetError) as error:
        read_boxes(dataset, root)
    assert error.value.code == code


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as unknown:
        read_boxes("coco", tmp_path)
    assert unknown.value.code == "name-unknown"
    with pytest.raises(DatasetError) as missing:
        read_boxes("dlib", tmp_path / "no")
    assert missing.value.code == "dataset-not-found"
