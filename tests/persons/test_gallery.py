from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fercli.config import FacesParams, PersonsParams, TracksParams
from fercli.errors import InputError
from fercli.geometry import square_around
from fercli.media.images import decode_jpeg, encode_jpeg, square_crop
from fercli.models.detections import Detections
from fercli.models.registry import find_model, load_model
from fercli.persons.gallery import Gallery, only_face, read_gallery
from fercli.progress import Silent
from fercli.stages.faces import find_faces
from fercli.tracking.identity import NO_PERSON, match, rms_distance
from tests.failing import fails
from tests.models.pictures import portrait

Colour = tuple[int, int, int]

RED, GREEN, BLUE = (200, 30, 30), (30, 200, 30), (30, 30, 200)
FACE = (100, 50, 180, 150)


class RegionDetector:
    """Takes every region that is not white for a face."""

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        coloured = (image.min(axis=2) < 150).astype(np.uint8)
        stats = cv2.connectedComponentsWithStats(coloured)[2][1:]
        boxes = np.concatenate([stats[:, :2], stats[:, :2] + stats[:, 2:4]], axis=1).astype(np.float32)
        return Detections(boxes, np.full(len(boxes), 0.9, dtype=np.float32))


class ColourEmbedder:
    """Embeds a face as the mean colour inside its box; remembers crops and boxes."""

    def __init__(self) -> None:
        self.crops: list[NDArray[np.uint8]] = []
        self.boxes: list[NDArray[np.float32]] = []

    def embed(self, crops: Sequence[NDArray[np.uint8]], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        self.crops += crops
        self.boxes += list(boxes)
        inside = []
        for crop, box in zip(crops, boxes, strict=True):
            x1, y1, x2, y2 = box.round().astype(int)
            inside.append(crop[y1:y2, x1:x2].reshape(-1, 3).mean(axis=0) / 255)
        return np.array(inside, dtype=np.float32)


def picture(*faces: tuple[Colour, tuple[int, int, int, int]], size: tuple[int, int] = (400, 300)) -> NDArray[np.uint8]:
    """A white picture with coloured boxes."""
    image = np.full((size[1], size[0], 3), 255, dtype=np.uint8)
    for colour, (x1, y1, x2, y2) in faces:
        image[y1:y2, x1:x2] = colour
    return image


def save(file: Path, *faces: tuple[Colour, tuple[int, int, int, int]], **values: Any) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture(*faces, **values)).save(file)
    return file


def read(path: Path, embedder: ColourEmbedder | None = None) -> Gallery:
    return read_gallery(path, RegionDetector(), embedder or ColourEmbedder(), Silent())


def test_each_person_has_an_embedding_a_picture(tmp_path: Path) -> None:
    save(tmp_path / "Ross/b.png", (GREEN, FACE))
    save(tmp_path / "Ross/a.png", (RED, FACE))
    save(tmp_path / "Monica.png", (BLUE, FACE))
    gallery = read(tmp_path)
    assert list(gallery.persons) == ["Monica", "Ross"]
    ross = gallery.persons["Ross"]
    assert ross.files == (tmp_path / "Ross/a.png", tmp_path / "Ross/b.png")
    assert ross.embeddings.dtype == np.float32
    np.testing.assert_allclose(ross.embeddings, np.array([RED, GREEN]) / 255, atol=1e-6)
    assert gallery.warnings() == []


def test_faces_are_cut_as_detect_faces_cuts_them(tmp_path: Path) -> None:
    save(tmp_path / "Ross.png", (RED, FACE))
    embedder = ColourEmbedder()
    read(tmp_path, embedder)
    # The box is 80 x 100 round (140, 100), so the crop is 170 a side and begins at (55, 15).
    np.testing.assert_array_equal(embedder.crops[0], picture((RED, FACE))[15:185, 55:225])
    np.testing.assert_allclose(embedder.boxes[0], (45, 35, 125, 135), atol=1e-4)


def test_large_pictures_are_looked_at_small_and_cut_large(tmp_path: Path) -> None:
    save(tmp_path / "Ross.png", (RED, (1000, 500, 1800, 1500)), size=(4000, 3000))
    embedder = ColourEmbedder()
    read(tmp_path, embedder)
    assert embedder.crops[0].shape == (FacesParams.crop_size, FacesParams.crop_size, 3)
    side = FacesParams.crop_size / FacesParams.crop_scale
    np.testing.assert_allclose(embedder.boxes[0][2:] - embedder.boxes[0][:2], (0.8 * side, side), rtol=0.02)


@pytest.mark.parametrize(
    ("faces", "reason"),
    [
        ([], "no face"),
        ([(RED, (100, 50, 180, 150)), (GREEN, (200, 50, 240, 100))], "it shows 2 faces"),
        ([(RED, (100, 50, 139, 150))], "39 pixels"),
    ],
)
def test_pictures_that_do_not_say_who_it_is(tmp_path: Path, faces: list[Any], reason: str) -> None:
    bad = save(tmp_path / "Ross/bad.png", *faces)
    save(tmp_path / "Ross/good.png", (RED, FACE))
    gallery = read(tmp_path)
    assert gallery.persons["Ross"].files == (tmp_path / "Ross/good.png",)
    (warning,) = gallery.warnings()
    assert str(bad) in warning and reason in warning
    assert [(problem.person, problem.file) for problem in gallery.problems] == [("Ross", bad)]


@pytest.mark.parametrize("second", [(RED, (200, 50, 239, 149)), (RED, (320, 10, 360, 50))])
def test_the_background_of_a_portrait_is_no_second_person(tmp_path: Path, second: Any) -> None:
    # One is narrower than 40 pixels, the other less than a third of the portrait.
    save(tmp_path / "Ross.png", (GREEN, (20, 20, 150, 280)), second)
    np.testing.assert_allclose(read(tmp_path).persons["Ross"].embeddings, [np.array(GREEN) / 255], atol=1e-6)


def test_what_is_no_picture_is_named_and_so_is_who_is_left_without_any(tmp_path: Path) -> None:
    save(tmp_path / "Ross.png", (RED, FACE))
    (tmp_path / "Joey").mkdir()
    (tmp_path / "Joey/a.jpg").write_bytes(b"not a picture")
    (tmp_path / "Joey/older").mkdir()
    (tmp_path / "Phoebe").mkdir()
    gallery = read(tmp_path)
    assert gallery.missing == ("Joey", "Phoebe")
    assert gallery.warnings() == [
        f"{tmp_path}/Joey/a.jpg is not an image",
        f"{tmp_path}/Joey/older is a directory, not a file",
        "the gallery has no usable picture of Joey, who will not be found",
        "the gallery has no usable picture of Phoebe, who will not be found",
    ]


def test_a_gallery_of_no_person(tmp_path: Path) -> None:
    with fails(InputError, "gallery-empty") as caught:
        read(tmp_path)
    assert str(tmp_path / "Ross.jpg") in caught.value.hint
    save(tmp_path / "Ross.png")
    with fails(InputError, "gallery-empty", "Ross"):
        read(tmp_path)


def test_photographs_are_read_upright(tmp_path: Path) -> None:
    """EXIF orientation 6: stored lying on its left side; upright is the stored picture turned clockwise."""
    upright = picture((RED, FACE))
    lying = Image.fromarray(np.rot90(upright).copy())
    exif = lying.getexif()
    exif[0x0112] = 6
    lying.save(tmp_path / "Ross.jpg", exif=exif, quality=95)
    embedder = ColourEmbedder()
    read(tmp_path, embedder)
    np.testing.assert_allclose(embedder.boxes[0], (45, 35, 125, 135), atol=3)


@pytest.mark.slow
def test_a_picture_lies_where_the_same_face_in_a_video_lies() -> None:
    """Through detect-faces, with the JPEG it stores, and through the gallery: one photograph, nearly one embedding."""
    detector = load_model(find_model(FacesParams.detector, "detector"))
    embedder = load_model(find_model(TracksParams.embedder, "embedder"))
    image = portrait()
    box = find_faces(detector, image, FacesParams()).boxes[0]
    crop = decode_jpeg(encode_jpeg(square_crop(image, square_around(box, FacesParams.crop_scale), 192)))
    middle, half = crop.shape[0] / 2, (box[2:] - box[:2]) / max(box[2:] - box[:2]) * crop.shape[0] / 1.7 / 2
    in_video = embedder.embed([crop], np.concatenate([middle - half, middle + half])[None].astype(np.float32))
    face = only_face(image, detector, "portrait")
    assert np.linalg.norm(embedder.embed([face.crop], face.box[None]) - in_video) < 0.1


@pytest.mark.slow
def test_men_whose_pictures_are_known_are_named_and_others_are_not(shared_data: Path, tmp_path: Path) -> None:
    """Three pictures of each of four men; a further one of each is theirs, those of a fifth man are nobody's."""
    men = sorted(path for path in (shared_data / "johns").iterdir() if path.is_dir())
    for man in men:
        for file in sorted(man.glob("*.jpg"))[:4]:
            (tmp_path / man.name).mkdir(exist_ok=True)
            (tmp_path / man.name / file.name).write_bytes(file.read_bytes())
    detector = load_model(find_model(FacesParams.detector, "detector"))
    embedder = load_model(find_model(TracksParams.embedder, "embedder"))
    gallery = read_gallery(tmp_path, detector, embedder, Silent())
    assert gallery.warnings() == []
    *known, stranger = (portraits.embeddings for portraits in gallery.persons.values())
    asked = [*(rows[3:] for rows in known), *(stranger[row : row + 1] for row in range(4))]
    found = match(asked, [rows[:3] for rows in known], (), PersonsParams.max_distance)
    assert found.tolist() == [0, 1, 2, 3, *[NO_PERSON] * 4]
    assert rms_distance(known[0], stranger) > 0.7
