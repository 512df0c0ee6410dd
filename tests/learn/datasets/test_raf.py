"""RAF-DB from invented trees in the layout of the official set and of its copy on Kaggle."""

from __future__ import annotations

from pathlib import Path

import pytest

from fercli.errors import DatasetError
from fercli.labels import EMOTIONS
from fercli.learn.datasets.raf import read
from fercli.learn.datasets.samples import Sample
from tests.failing import fails

LINES = [
    "train_00001.jpg 1",
    "train_00002.jpg 2",
    "train_00003.jpg 3",
    "train_00004.jpg 4",
    "test_0001.jpg 5",
    "test_0002.jpg 6",
    "test_0003.jpg 7",
]
NAMES = ["surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"]


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def write_list(base: Path, lines: list[str]) -> Path:
    path = touch(base / "EmoLabel" / "list_patition_label.txt")
    path.write_text("\n".join(lines) + "\n")
    return path


def write_aligned(base: Path, lines: list[str]) -> Path:
    """The set with aligned pictures; returns the list."""
    for line in lines:
        touch(base / "Image" / "aligned" / line.split()[0].replace(".jpg", "_aligned.jpg"))
    return write_list(base, lines)


def write_original(base: Path, boxes: dict[str, str]) -> Path:
    """The set with whole pictures, all of them happy; returns the list."""
    for name, box in boxes.items():
        touch(base / "Image" / "original" / f"{name}.jpg")
        touch(base / "Annotation" / "boundingbox" / f"{name}_boundingbox.txt").write_text(box)
    return write_list(base, [f"{name}.jpg 4" for name in boxes])


def write_kaggle(base: Path) -> None:
    for split, count in (("train", 2), ("test", 1)):
        for label in range(1, 8):
            for number in range(count):
                touch(base / split / str(label) / f"{split}_{label}{number}_aligned.jpg")


def test_aligned_pictures_have_the_class_of_their_number_and_the_split_of_their_name(tmp_path: Path) -> None:
    write_aligned(tmp_path, LINES)
    listing = read(tmp_path)
    assert (listing.name, listing.classes, listing.problems) == ("raf", EMOTIONS, ())
    assert [sample.label for sample in listing.samples] == NAMES
    assert [sample.split for sample in listing.samples] == ["train"] * 4 + ["test"] * 3
    aligned = tmp_path / "Image" / "aligned"
    assert listing.samples[4] == Sample((aligned / "test_0001_aligned.jpg",), "sadness", "test")


@pytest.mark.parametrize("place", ["list_patition_label.txt", "basic/list_patition_label.txt", "basic/EmoLabel/x"])
def test_the_list_may_lie_elsewhere_in_the_set(tmp_path: Path, place: str) -> None:
    base = tmp_path / "basic" if place.startswith("basic") else tmp_path
    path = write_aligned(base, LINES)
    if not place.endswith("/x"):
        path.rename(tmp_path / place)
    assert [sample.label for sample in read(tmp_path).samples] == NAMES


def test_of_the_whole_set_the_basic_part_is_read(tmp_path: Path) -> None:
    write_aligned(tmp_path / "compound", ["train_0001.jpg 7"])
    write_aligned(tmp_path / "multi", ["train_0001.jpg 7"])
    write_aligned(tmp_path / "basic", ["train_00001.jpg 1"])
    found = read(tmp_path)
    assert [sample.label for sample in found.samples] == ["surprise"]
    assert found.notes == tuple(
        f"not read: {tmp_path / name}; compound/ is --dataset raf-compound, multi/ is raf-multi"
        for name in ("compound", "multi")
    )
    assert read(tmp_path / "basic").notes == ()


def test_original_pictures_come_with_the_box_of_the_face(tmp_path: Path) -> None:
    write_original(tmp_path, {"train_00001": "10.5 20 110.25 140 \n"})
    (sample,) = read(tmp_path).samples
    picture = tmp_path / "Image" / "original" / "train_00001.jpg"
    assert sample == Sample((picture,), "happiness", "train", box=(10.5, 20.0, 110.25, 140.0))


def test_aligned_pictures_are_preferred_unless_their_folder_is_empty(tmp_path: Path) -> None:
    write_original(tmp_path, {"train_00001": "1 2 3 4"})
    (tmp_path / "Image" / "aligned").mkdir()
    assert read(tmp_path).samples[0].box == (1, 2, 3, 4)
    touch(tmp_path / "Image" / "aligned" / "train_00001_aligned.jpg")
    assert read(tmp_path).samples[0].box is None


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        ("1 2 3", "has 3 numbers, expected 4"),
        ("1 2 x 4", "could not convert string to float: 'x'"),
        ("30 2 3 4", "x1 30.0, y1 2.0, x2 3.0, y2 4.0"),
        ("1 2 nan 4", "x2 nan"),
        ("1 2 inf 4", "x2 inf"),
    ],
)
def test_a_face_box_that_is_none_is_a_problem(tmp_path: Path, box: str, reason: str) -> None:
    path = write_original(tmp_path, {"train_00001": "1 2 3 4", "train_00002": box})
    listing = read(tmp_path)
    assert len(listing.samples) == 1
    (problem,) = listing.problems
    assert (problem.file, problem.line) == (str(path), 2)
    assert problem.reason.startswith("no face box")
    assert "train_00002_boundingbox.txt" in problem.reason
    assert reason in problem.reason


def test_a_missing_face_box_is_a_problem(tmp_path: Path) -> None:
    write_original(tmp_path, {"train_00001": "1 2 3 4"})
    (tmp_path / "Annotation" / "boundingbox" / "train_00001_boundingbox.txt").unlink()
    listing = read(tmp_path)
    assert (listing.samples, len(listing.problems)) == ((), 1)
    assert "train_00001_boundingbox.txt" in listing.problems[0].reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("train_00009.jpg 8", "label is '8', expected 1 to 7"),
        ("train_00009.jpg 0", "label is '0', expected 1 to 7"),
        ("train_00009.jpg happy", "label is 'happy', expected 1 to 7"),
        ("train_00009.jpg", "'train_00009.jpg', expected a line like 'train_00001.jpg 5'"),
        ("valid_00009.jpg 3", "'valid_00009.jpg 3', expected a line like"),
        ("train_00009.jpg 3 4", "expected a line like"),
        ("train_00009.jpg 3", "no train_00009_aligned.jpg in"),
        ("train_../../secret.jpg 3", "expected a line like"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_and_the_rest_is_read(tmp_path: Path, line: str, reason: str) -> None:
    write_aligned(tmp_path, [LINES[0], LINES[6]])
    path = write_list(tmp_path, [LINES[0], "", line, LINES[6]])
    listing = read(tmp_path)
    assert [sample.label for sample in listing.samples] == ["surprise", "neutral"]
    (problem,) = listing.problems
    assert (problem.file, problem.line) == (str(path), 3)
    assert reason in problem.reason


def test_the_list_of_compound_emotions_is_refused(tmp_path: Path) -> None:
    write_aligned(tmp_path, [f"train_{label:04}.jpg {label}" for label in range(1, 12)])
    with pytest.raises(DatasetError, match="lists the compound emotions") as caught:
        read(tmp_path)
    assert "basic/" in caught.value.hint


def test_a_list_without_pictures_says_where_they_belong(tmp_path: Path) -> None:
    write_list(tmp_path, LINES)
    with fails(DatasetError, "dataset-not-found", "list_patition_label.txt") as caught:
        read(tmp_path)
    assert "unpack" in caught.value.hint


def test_a_list_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    write_aligned(tmp_path, LINES).write_bytes(b"\xff\xfe\x00\xd8")
    with fails(DatasetError, "file-unreadable", "list_patition_label.txt"):
        read(tmp_path)


@pytest.mark.parametrize("place", [".", "DATASET"])
def test_the_kaggle_copy_is_read_by_its_folders(tmp_path: Path, place: str) -> None:
    write_kaggle(tmp_path / place)
    listing = read(tmp_path)
    assert [sample.label for sample in listing.samples] == [name for name in NAMES for _ in range(2)] + NAMES
    assert [sample.split for sample in listing.samples] == ["train"] * 14 + ["test"] * 7
    picture = tmp_path / place / "train" / "3" / "train_30_aligned.jpg"
    assert listing.samples[4] == Sample((picture,), "disgust", "train")
    assert listing.problems == ()


@pytest.mark.parametrize("other", ["0", "8"])
def test_folders_numbered_otherwise_are_another_set(tmp_path: Path, other: str) -> None:
    write_kaggle(tmp_path)
    touch(tmp_path / "train" / other / "a.jpg")
    with fails(DatasetError, "dataset-not-found", "RAF", "DB"):
        read(tmp_path)


@pytest.mark.parametrize("root", ["empty", "missing", "file.csv"])
def test_what_is_no_raf_says_what_was_expected(tmp_path: Path, root: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.csv").write_text("emotion,pixels,Usage\n")
    with pytest.raises(DatasetError, match=f"no RAF-DB under .*{root}: no list_patition_label.txt") as caught:
        read(tmp_path / root)
    assert "ROOT/EmoLabel/list_patition_label.txt" in caught.value.hint
    assert "ROOT/DATASET/train" in caught.value.hint
