"""From files to faces in memory, with a detector that sees what the test says."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.errors import DatasetError
from fercli.learn.datasets import framing
from fercli.learn.datasets.images import SIDE
from fercli.learn.datasets.pack import CLIP_FRAMES, CROP_SCALE, pack
from fercli.learn.datasets.samples import Listing, Problem, Sample
from fercli.models.detections import Detections
from tests.failing import fails

CLASSES = ("anger", "happiness")


class BrightSquare:
    """A detector that takes what is brighter than 200 for a face."""

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        ys, xs = np.nonzero(image[..., 0] > 200)
        if not len(xs):
            return Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
        box = np.array([[xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]], np.float32)
        return Detections(box, np.ones(1, np.float32))


@pytest.fixture(autouse=True)
def detector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "default_detector", BrightSquare)


def picture(path: Path, box: tuple[int, int, int, int] | None, shape: tuple[int, int] = (120, 160)) -> Path:
    image = np.full(shape, 20, np.uint8)
    if box:
        image[box[1] : box[3], box[0] : box[2]] = 240
    cv2.imwrite(str(path), image)
    return path


def listing(*samples: Sample, problems: tuple[Problem, ...] = ()) -> Listing:
    return Listing("mine", "my own", CLASSES, samples, problems)


def test_pictures_that_a_face_fills_are_taken_whole(tmp_path: Path) -> None:
    files = [picture(tmp_path / f"{n}.png", (10, 10, 90, 90), (100, 100)) for n in range(4)]
    data = pack(listing(*(Sample((file,), CLASSES[n % 2], "test") for n, file in enumerate(files))))
    assert data.face_scale == pytest.approx(100 / 80, abs=0.02)
    assert data.test.images.shape == (4, 1, SIDE, SIDE) and data.test.images.dtype == np.uint8
    edge = data.test.images[0, 0, :, SIDE // 2]
    assert edge[0] < 60 and edge[SIDE // 2] > 200 and edge[-1] < 60  # border and all
    assert data.test.main.labels.tolist() == [0, 1, 0, 1]
    np.testing.assert_array_equal(data.test.main.targets, np.eye(2)[[0, 1, 0, 1]])
    assert data.test.sources == tuple(map(str, files))


def test_in_other_pictures_the_face_is_searched_and_cut(tmp_path: Path) -> None:
    file = picture(tmp_path / "a.png", (100, 40, 140, 80))
    data = pack(listing(Sample((file,), "anger", "test")))
    face = data.test.images[0, 0]
    assert data.face_scale == CROP_SCALE
    bright = (face > 130).mean()
    assert bright == pytest.approx(1 / CROP_SCALE**2, abs=0.05)
    rows, columns = np.nonzero(face > 130)
    assert abs(rows.mean() - SIDE / 2) < 2 and abs(columns.mean() - SIDE / 2) < 2


def test_a_picture_without_a_face_is_a_problem_and_the_rest_goes_on(tmp_path: Path) -> None:
    good, empty = picture(tmp_path / "good.png", (10, 10, 40, 40)), picture(tmp_path / "empty.png", None)
    broken, gone = tmp_path / "broken.jpg", tmp_path / "gone.jpg"
    broken.write_bytes(b"\xff\xd8 no image")
    told = Problem("labels.txt", 3, "what the reader saw")
    samples = (Sample((file,), "anger", "test") for file in (good, empty, broken, gone))
    data = pack(listing(*samples, problems=(told,)))
    assert data.test.sources == (str(good),)
    assert data.problems[0] == told
    assert [(Path(p.file).name, reason in p.reason) for p, reason in zip(
        data.problems[1:], ("no face found", "not an image", "there is no file"), strict=True
    )] == [("empty.png", True), ("broken.jpg", True), ("gone.jpg", True)]  # fmt: skip


def test_boxes_of_the_set_are_used(tmp_path: Path) -> None:
    file = picture(tmp_path / "a.png", (100, 40, 140, 80))
    data = pack(listing(Sample((file,), "anger", "train", box=(100, 40, 140, 80))))
    assert (data.train.images[0, 0] > 130).mean() == pytest.approx(1 / CROP_SCALE**2, abs=0.05)
    # what the detector makes of the cut face says how it is framed
    assert data.face_scale == pytest.approx(CROP_SCALE, abs=0.05)


def test_a_clip_keeps_frames_spread_over_it_and_a_still_stands(tmp_path: Path) -> None:
    frames = []
    for n in range(10):
        image = np.full((100, 100), 20, np.uint8)
        image[5:95, 5:95] = 205 + 5 * n
        path = tmp_path / f"{n}.png"
        cv2.imwrite(str(path), image)
        frames.append(path)
    data = pack(listing(Sample(tuple(frames), "anger", "test"), Sample((frames[0],), "happiness", "test")))
    middle = data.test.images[:, :, SIDE // 2, SIDE // 2].astype(int)
    assert middle.shape == (2, CLIP_FRAMES)
    assert middle[0].tolist() == [205, 220, 235, 250]  # frames 0, 3, 6 and 9
    assert middle[1].tolist() == [205] * CLIP_FRAMES


def test_a_clip_with_an_unreadable_frame_is_a_problem(tmp_path: Path) -> None:
    good = picture(tmp_path / "a.png", (5, 5, 95, 95), (100, 100))
    data = pack(listing(Sample((good, tmp_path / "gone.png"), "anger", "test"), Sample((good,), "anger", "test")))
    assert len(data.test) == 1 and "gone.png" in data.problems[0].reason


def test_known_framing_needs_no_detector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(framing, "default_detector")
    file = picture(tmp_path / "a.png", None)
    data = pack(listing(Sample((file,), "anger", "test")), name="other", terms="theirs", face_scale=1.3)
    assert (data.face_scale, data.name, data.terms, list(data.test.labellings)) == (1.3, "other", "theirs", ["other"])


def test_whether_the_splits_are_the_sets_own(tmp_path: Path) -> None:
    file = picture(tmp_path / "a.png", (5, 5, 95, 95), (100, 100))
    assert pack(listing(Sample((file,), "anger", "test"))).official
    assert not pack(listing(Sample((file,), "anger"))).official


def test_all_splits_together(tmp_path: Path) -> None:
    files = [picture(tmp_path / f"{n}.png", (5, 5, 95, 95), (100, 100)) for n in range(10)]
    data = pack(listing(*(Sample((file,), "anger", subject=f"s{n}") for n, file in enumerate(files))))
    whole = data.part("all")
    assert len(whole) == 10 == len(whole.main.labels)
    assert sorted(whole.sources) == sorted(map(str, files)) and len(set(whole.subjects)) == 10
    assert whole.images.shape == (10, 1, SIDE, SIDE)


def test_nothing_usable_is_an_error_that_says_why(tmp_path: Path) -> None:
    with fails(DatasetError, "dataset-empty", "1", "labels.txt:2") as caught:
        pack(listing(problems=(Problem("labels.txt", 2, "bad"),)))
    assert "--root" in caught.value.hint
    with fails(DatasetError, "dataset-empty", "gone.jpg"):
        pack(listing(Sample((tmp_path / "gone.jpg",), "anger")))
