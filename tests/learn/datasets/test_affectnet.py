"""AffectNet from invented trees in the layouts of its two releases."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fercli.errors import DatasetError
from fercli.labels import EMOTIONS, EMOTIONS_8
from fercli.learn.datasets.affectnet import COLUMNS, read, read_7
from fercli.learn.datasets.samples import Sample
from tests.failing import fails

NAMES = ["neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt"]
HEADER = ",".join(COLUMNS)
LANDMARKS = ";".join(["181.64", "530.91"] * 68)


def row(file: str, expression: object, *, box: str = "10,20,30,40", ratings: str = "-0.25,0.5") -> str:
    return f"{file},{box},{LANDMARKS},{expression},{ratings}"


def write_lists(
    root: Path, training: list[str], validation: list[str], *, headers: tuple[bool, bool] = (True, True)
) -> Path:
    """The release of 2017, with the pictures that the rows name; returns the folder of the lists."""
    lists = root / "Manually_Annotated_file_lists"
    lists.mkdir()
    for name, rows, header in zip(("training.csv", "validation.csv"), (training, validation), headers, strict=True):
        (lists / name).write_text("\n".join([HEADER, *rows] if header else rows) + "\n")
        for line in rows:
            add_picture(root / "Manually_Annotated_Images" / line.split(",")[0])
    return lists


def add_picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def write_set(folder: Path, expressions: list[object], *, valence: object = "0.5", arousal: object = "-0.25") -> None:
    """Half the release of 2021; values are strings as in the real one, unless others are given."""
    (folder / "images").mkdir(parents=True)
    (folder / "annotations").mkdir()
    for number, expression in enumerate(expressions):
        (folder / "images" / f"{number}.jpg").touch()
        for kind, value in (("exp", expression), ("val", valence), ("aro", arousal), ("lnd", [1.0, 2.0])):
            np.save(folder / "annotations" / f"{number}_{kind}.npy", np.asarray(value))


def test_a_row_is_a_picture_with_box_class_and_ratings(tmp_path: Path) -> None:
    write_lists(tmp_path, [row("103/a.jpg", 1)], [row("7/b.jpg", 6)])
    listing = read(tmp_path)
    images = tmp_path / "Manually_Annotated_Images"
    assert listing.samples == (
        Sample((images / "103/a.jpg",), "happiness", "train", box=(10, 20, 40, 60), valence=-0.25, arousal=0.5),
        Sample((images / "7/b.jpg",), "anger", "test", box=(10, 20, 40, 60), valence=-0.25, arousal=0.5),
    )
    assert (listing.name, listing.classes, listing.problems) == ("affectnet", EMOTIONS_8, ())


def test_expressions_are_numbered_as_in_the_paper(tmp_path: Path) -> None:
    rows = [row(f"1/{number}.jpg", number) for number in range(8)]
    write_lists(tmp_path, rows, rows[:2])
    assert [sample.label for sample in read(tmp_path).samples if sample.split == "train"] == NAMES


def test_pictures_without_a_class_are_left_out_and_no_problem(tmp_path: Path) -> None:
    rows = [row(f"1/{number}.jpg", number, box="NULL,NULL,NULL,NULL", ratings="-2,-2") for number in (8, 9, 10)]
    write_lists(tmp_path, [*rows, row("1/a.jpg", 0)], [row("1/b.jpg", 7)])
    listing = read(tmp_path)
    assert [sample.label for sample in listing.samples] == ["neutral", "contempt"]
    assert listing.problems == ()
    assert listing.notes == tuple(f"left out: 1 pictures marked '{what}'" for what in ("none", "uncertain", "no face"))


def test_seven_classes_are_eight_without_contempt(tmp_path: Path) -> None:
    rows = [row(f"1/{number}.jpg", number) for number in range(8)]
    write_lists(tmp_path, rows, rows)
    listing = read_7(tmp_path)
    assert listing.classes == EMOTIONS
    assert [sample.label for sample in listing.samples] == NAMES[:7] * 2
    assert listing.problems == ()


def test_minus_two_is_no_rating(tmp_path: Path) -> None:
    write_lists(tmp_path, [row("1/a.jpg", 0, ratings="-2,-2")], [row("1/b.jpg", 0, ratings="-1,1")])
    first, second = read(tmp_path).samples
    assert (first.valence, first.arousal) == (None, None)
    assert (second.valence, second.arousal) == (-1.0, 1.0)


def test_a_list_may_come_without_header(tmp_path: Path) -> None:
    write_lists(tmp_path, [row("1/a.jpg", 0)], [row("1/b.jpg", 1)], headers=(True, False))
    assert [sample.label for sample in read(tmp_path).samples] == ["neutral", "happiness"]


def test_lists_at_the_root_and_pictures_a_folder_deeper_are_found(tmp_path: Path) -> None:
    lists = write_lists(tmp_path, [row("1/a.jpg", 0)], [row("1/b.jpg", 1)])
    for path in list(lists.iterdir()):
        path.rename(tmp_path / path.name)
    (tmp_path / "Manually_Annotated").mkdir()
    images = tmp_path / "Manually_Annotated" / "Manually_Annotated_Images"
    (tmp_path / "Manually_Annotated_Images").rename(images)
    assert [sample.frames for sample in read(tmp_path).samples] == [(images / "1/a.jpg",), (images / "1/b.jpg",)]


BROKEN = [
    (row("1/x.jpg", 11), "expression is '11', expected 0 to 10"),
    (row("1/x.jpg", "happy"), "expression is 'happy', expected 0 to 10"),
    (row("1/x.jpg", 1, box="NULL,NULL,NULL,NULL"), "no face box: could not convert string to float: 'NULL'"),
    (row("1/x.jpg", 1, box="1,2,-3,4"), "no face box: x 1.0, y 2.0, width -3.0, height 4.0"),
    (row("1/x.jpg", 1, box="1,2,3,0"), "height 0.0"),
    (row("1/x.jpg", 1, box="nan,2,3,4"), "x nan"),
    (row("1/x.jpg", 1, ratings="1.5,0"), "valence or arousal is 1.5, expected -1 to 1, or -2 for none"),
    (row("1/x.jpg", 1, ratings="0,nan"), "valence or arousal is nan"),
    ("1/x.jpg,1,2,3", "4 columns, expected 9"),
]


@pytest.mark.parametrize(("line", "reason"), BROKEN)
def test_a_row_that_cannot_be_used_is_named_and_the_rest_is_read(tmp_path: Path, line: str, reason: str) -> None:
    lists = write_lists(tmp_path, [row("1/a.jpg", 0), line, row("1/b.jpg", 2)], [row("1/c.jpg", 3)])
    listing = read(tmp_path)
    assert [sample.label for sample in listing.samples] == ["neutral", "sadness", "surprise"]
    (problem,) = listing.problems
    assert (problem.file, problem.line) == (str(lists / "training.csv"), 3)
    assert reason in problem.reason


@pytest.mark.parametrize("file", ["1/gone.jpg", "99/gone.jpg", "gone.jpg"])
def test_a_missing_picture_is_a_problem(tmp_path: Path, file: str) -> None:
    lists = write_lists(tmp_path, [row("1/a.jpg", 0)], [row("1/b.jpg", 1), row(file, 1)])
    (tmp_path / "Manually_Annotated_Images" / file).unlink()
    listing = read(tmp_path)
    assert len(listing.samples) == 2
    (problem,) = listing.problems
    assert (problem.file, problem.line) == (str(lists / "validation.csv"), 3)
    assert problem.reason == f"no {file} in {tmp_path / 'Manually_Annotated_Images'}"


@pytest.mark.parametrize("name", ["training.csv", "validation.csv"])
def test_a_missing_list_is_an_error(tmp_path: Path, name: str) -> None:
    lists = write_lists(tmp_path, [row("1/a.jpg", 0)], [row("1/b.jpg", 1)])
    (lists / name).unlink()
    with pytest.raises(DatasetError, match=name) as caught:
        read(tmp_path)
    assert "Manually_Annotated_file_lists/training.csv" in caught.value.hint


@pytest.mark.parametrize("content", ["emotion,pixels,Usage\n", HEADER.replace("face_x,face_y", "face_y,face_x") + "\n"])
def test_a_list_with_other_columns_is_an_error(tmp_path: Path, content: str) -> None:
    lists = write_lists(tmp_path, [row("1/a.jpg", 0)], [row("1/b.jpg", 1)])
    (lists / "training.csv").write_text(content)
    with pytest.raises(DatasetError, match=r"training\.csv:1: expected the columns subDirectory_filePath,face_x,"):
        read(tmp_path)


def test_an_empty_list_is_an_error(tmp_path: Path) -> None:
    lists = write_lists(tmp_path, [row("1/a.jpg", 0)], [row("1/b.jpg", 1)])
    (lists / "validation.csv").write_text("")
    with fails(DatasetError, "dataset-empty", "validation.csv"):
        read(tmp_path)


def test_a_list_that_is_no_text_is_an_error_with_file_and_line(tmp_path: Path) -> None:
    lists = write_lists(tmp_path, [row("1/a.jpg", 0)], [row("1/b.jpg", 1)])
    (lists / "training.csv").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(DatasetError, match=r"training\.csv:1: 'utf-8' codec"):
        read(tmp_path)


def test_lists_without_a_folder_of_pictures_are_an_error(tmp_path: Path) -> None:
    write_lists(tmp_path, [row("1/a.jpg", 0)], [row("1/b.jpg", 1)])
    (tmp_path / "Manually_Annotated_Images").rename(tmp_path / "pictures")
    with fails(DatasetError, "dataset-not-found", "Manually_Annotated_Images"):
        read(tmp_path)


def test_the_newer_release_has_a_file_for_each_value(tmp_path: Path) -> None:
    write_set(tmp_path / "train_set", [str(number) for number in range(8)])
    write_set(tmp_path / "val_set", ["3"])
    listing = read(tmp_path)
    assert [sample.label for sample in listing.samples] == [*NAMES, "surprise"]
    picture = tmp_path / "val_set" / "images" / "0.jpg"
    assert listing.samples[8] == Sample((picture,), "surprise", "test", valence=0.5, arousal=-0.25)
    assert listing.samples[0].split == "train"
    assert listing.problems == ()
    seven = read_7(tmp_path)
    assert [sample.label for sample in seven.samples] == [*NAMES[:7], "surprise"]
    assert seven.notes == ("left out: 1 pictures marked 'contempt'",)


def test_values_may_be_numbers_and_of_one_element(tmp_path: Path) -> None:
    write_set(tmp_path / "train_set", [4, np.array([6])], valence=-2.0, arousal=np.float32(0.25))
    write_set(tmp_path / "val_set", [])
    fear, anger = read(tmp_path).samples
    assert (fear.label, fear.valence, fear.arousal) == ("fear", None, 0.25)
    assert anger.label == "anger"


def test_pictures_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    write_set(tmp_path / "train_set", ["0"] * 12)
    write_set(tmp_path / "val_set", [])
    assert [sample.frames[0].stem for sample in read(tmp_path).samples] == [str(number) for number in range(12)]


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("exp", np.asarray("11"), "expression is '11', expected 0 to 10"),
        ("exp", np.asarray(["1", "2"]), "1_exp.npy: "),
        ("val", np.asarray("2"), "valence or arousal is 2"),
        ("aro", np.asarray("low"), "could not convert string to float: 'low'"),
        ("val", np.asarray(None, dtype=object), "1_val.npy: the array holds Python objects"),
    ],
)
def test_an_annotation_that_cannot_be_used_is_a_problem(
    tmp_path: Path, kind: str, value: np.ndarray, reason: str
) -> None:
    write_set(tmp_path / "train_set", ["0", "1", "2"])
    write_set(tmp_path / "val_set", ["3"])
    np.save(tmp_path / "train_set" / "annotations" / f"1_{kind}.npy", value)
    listing = read(tmp_path)
    assert [sample.label for sample in listing.samples] == ["neutral", "sadness", "surprise"]
    (problem,) = listing.problems
    assert (problem.file, problem.line) == (str(tmp_path / "train_set" / "images" / "1.jpg"), 0)
    assert reason in problem.reason


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY\x01\x00v", b"hello"])
def test_an_annotation_that_is_no_array_is_a_problem(tmp_path: Path, content: bytes) -> None:
    write_set(tmp_path / "train_set", ["0", "1"])
    write_set(tmp_path / "val_set", ["3"])
    (tmp_path / "train_set" / "annotations" / "1_exp.npy").write_bytes(content)
    listing = read(tmp_path)
    assert [sample.label for sample in listing.samples] == ["neutral", "surprise"]
    assert "annotations: 1_exp.npy: " in listing.problems[0].reason


@pytest.mark.parametrize(
    ("gone", "reason"),
    [
        ("images/1.jpg", "no such picture, but there is 1_exp.npy"),
        ("annotations/1_exp.npy", "no 1_exp.npy in"),
        ("annotations/1_val.npy", "no file"),
    ],
)
def test_a_picture_without_annotations_and_the_reverse_are_problems(tmp_path: Path, gone: str, reason: str) -> None:
    write_set(tmp_path / "train_set", ["0", "1", "2"])
    write_set(tmp_path / "val_set", ["3"])
    (tmp_path / "train_set" / gone).unlink()
    listing = read(tmp_path)
    assert [sample.label for sample in listing.samples] == ["neutral", "sadness", "surprise"]
    (problem,) = listing.problems
    assert problem.file == str(tmp_path / "train_set" / "images" / "1.jpg")
    assert reason in problem.reason


def test_half_the_newer_release_is_an_error(tmp_path: Path) -> None:
    write_set(tmp_path / "train_set", ["0"])
    with pytest.raises(DatasetError, match=r"no folder .*val_set.images") as caught:
        read(tmp_path)
    assert "ROOT/val_set" in caught.value.hint


@pytest.mark.parametrize("root", ["empty", "missing", "file.csv"])
def test_what_is_no_affectnet_says_what_was_expected(tmp_path: Path, root: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.csv").write_text("emotion,pixels,Usage\n")
    with pytest.raises(DatasetError, match=f"no AffectNet under .*{root}") as caught:
        read(tmp_path / root)
    assert "Manually_Annotated_file_lists" in caught.value.hint
    assert "train_set/annotations" in caught.value.hint
