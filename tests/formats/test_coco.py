from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import pytest

from fercli.formats import coco
from fercli.labels import RECORD_NAMES
from tests.formats.face_documents import FACES, SHOWN, empty_document, make_document


def test_pycocotools_reads_the_faces_of_the_tables(tmp_path: Path) -> None:
    api = pytest.importorskip("pycocotools.coco")
    coco.write(make_document(), tmp_path / "a.json")
    with contextlib.redirect_stdout(io.StringIO()):
        data = api.COCO(str(tmp_path / "a.json"))
    assert [image["pts_s"] for image in data.loadImgs(data.getImgIds())] == [0.2, 0.4, 0.6, 1.9]
    names = {category["id"]: category["name"] for category in data.loadCats(data.getCatIds())}
    found = data.loadAnns(data.getAnnIds())
    for row, emotion, annotation in zip(FACES, SHOWN, found, strict=True):
        face, frame, _, track, person, x1, y1, x2, y2, score, _ = row
        assert (annotation["id"], data.imgs[annotation["image_id"]]["frame"]) == (face + 1, frame)
        assert annotation["bbox"] == pytest.approx([x1, y1, x2 - x1, y2 - y1], abs=0.005)
        assert annotation["area"] == pytest.approx((x2 - x1) * (y2 - y1), abs=0.005)
        assert names[annotation["category_id"]] == RECORD_NAMES[emotion]
        attributes = annotation["attributes"]
        assert (attributes["person"], attributes["track"]) == (person, track)
        assert attributes["detector_score"] == pytest.approx(score, abs=5e-5)
    assert len(data.getAnnIds(imgIds=[5])) == 3
    assert len(data.getAnnIds(catIds=data.getCatIds(catNms=["contemptuous"]))) == 2


def test_the_score_is_that_of_the_class_shown(tmp_path: Path) -> None:
    coco.write(make_document(), tmp_path / "a.json")
    content = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    # A person said "sadness" of face 6, a class this classifier does not have.
    scores = [annotation["attributes"]["score"] for annotation in content["annotations"]]
    assert scores == [0.75, None, 0.75, 0.5, None, None, 0.5, 0.5]


def test_categories_are_the_same_for_every_video(tmp_path: Path) -> None:
    coco.write(empty_document(), tmp_path / "a.json")
    content = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert [category["name"] for category in content["categories"]] == list(RECORD_NAMES.values())
    assert [category["id"] for category in content["categories"]] == list(range(1, 10))
    assert content["images"] == content["annotations"] == []


def test_images_are_named_as_kept_frames(tmp_path: Path) -> None:
    coco.write(make_document(), tmp_path / "a.json")
    image = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["images"][1]
    assert image == {"id": 5, "width": 200, "height": 100, "file_name": "000004.jpg", "frame": 4, "pts_s": 0.4}
