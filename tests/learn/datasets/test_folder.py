"""Directories of class-named folders, invented; the reader never opens a picture, so empty files do."""

from __future__ import annotations

from pathlib import Path

import pytest

from fercli.errors import DatasetError
from fercli.learn.datasets.folder import EXPECTED, find_folder, pictures, read, visible
from fercli.learn.datasets.samples import Problem, Sample
from tests.failing import fails


def make(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def error_of(root: Path) -> DatasetError:
    with pytest.raises(DatasetError) as caught:
        read(root)
    return caught.value


def test_pictures_are_stills_and_folders_of_pictures_are_clips(tmp_path: Path) -> None:
    root = make(tmp_path / "mine", "happy/b.jpg", "happy/clip/1.png", "happy/clip/2.png", "Angry/a.JPEG")
    found = read(root)
    assert found.samples == (
        Sample((root / "Angry/a.JPEG",), "anger"),
        Sample((root / "happy/b.jpg",), "happiness"),
        Sample((root / "happy/clip/1.png", root / "happy/clip/2.png"), "happiness"),
    )
    assert (found.name, found.classes, found.problems) == ("mine", ("anger", "happiness"), ())


def test_classes_stand_in_canonical_order_and_two_names_for_one_class_are_one(tmp_path: Path) -> None:
    make(tmp_path, "contempt/1.jpg", "neutral/1.jpg", "fear/1.jpg", "scared/2.jpg")
    found = read(tmp_path)
    assert found.classes == ("fear", "neutral", "contempt")
    assert [sample.label for sample in found.samples] == ["contempt", "fear", "neutral", "fear"]


def test_splits_are_told_by_folders_in_any_usual_spelling(tmp_path: Path) -> None:
    make(tmp_path, "Train/sad/1.jpg", "val/sad/2.jpg", "validation/sad/3.jpg", "valid/sad/4.jpg", "test/sad/5.jpg")
    splits = {sample.frames[0].name: sample.split for sample in read(tmp_path).samples}
    assert splits == {"1.jpg": "train", "2.jpg": "valid", "3.jpg": "valid", "4.jpg": "valid", "5.jpg": "test"}


def test_the_folder_form_of_fer2013(tmp_path: Path) -> None:
    names = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
    make(
        tmp_path, *(f"{split}/{name}/Training_{n}.jpg" for split in ("train", "test") for name in names for n in (1, 2))
    )
    found = read(tmp_path)
    assert found.classes == ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
    assert [sample.split for sample in found.samples] == ["test"] * 14 + ["train"] * 14


def test_numbers_count_in_the_order_of_frames(tmp_path: Path) -> None:
    make(tmp_path, *(f"joy/clip/{name}.png" for name in ("f10", "f9", "f1", "f2", "f02", "g")))
    (sample,) = read(tmp_path).samples
    assert [frame.stem for frame in sample.frames] == ["f1", "f02", "f2", "f9", "f10", "g"]


def test_files_that_are_no_pictures_and_hidden_ones_are_passed_over(tmp_path: Path) -> None:
    make(tmp_path, "sad/1.jpg", "sad/notes.txt", "sad/Thumbs.db", "sad/._1.jpg", ".git/angry/1.jpg", "README.md")
    make(tmp_path, "__MACOSX/sad/1.jpg")
    found = read(tmp_path)
    assert [sample.frames[0].name for sample in found.samples] == ["1.jpg"]
    assert found.problems == ()


@pytest.mark.parametrize("suffix", ["jpg", "jpeg", "png", "bmp", "tif", "tiff", "webp", "pgm", "ppm"])
def test_each_kind_of_picture(tmp_path: Path, suffix: str) -> None:
    make(tmp_path, f"a.{suffix}", f"b.{suffix.upper()}", f"c.{suffix}x")
    assert [path.stem for path in pictures(tmp_path)] == ["a", "b"]


def test_a_folder_that_names_no_emotion_is_a_problem(tmp_path: Path) -> None:
    make(tmp_path, "angry/1.jpg", "bored/1.jpg")
    found = read(tmp_path)
    (problem,) = found.problems
    assert problem.file == str(tmp_path / "bored")
    assert "'bored'" in problem.reason and "surprise" in problem.reason
    assert len(found.samples) == 1


def test_classes_and_clips_without_a_picture_are_problems_that_say_what_is_there(tmp_path: Path) -> None:
    make(tmp_path, "angry/1.jpg", "fear/a.txt", "happy/clip/b.mp4", "happy/clip/c", "happy/clip/d", "happy/clip/e")
    (tmp_path / "sad").mkdir()
    found = read(tmp_path)
    assert found.classes == ("anger",)
    assert found.problems == (
        Problem(str(tmp_path / "fear"), 0, "no pictures in the folder, only a.txt"),
        Problem(str(tmp_path / "happy/clip"), 0, "no pictures in the folder, only b.mp4, c, d ..."),
        Problem(str(tmp_path / "sad"), 0, "the folder is empty"),
    )


def test_what_lies_beside_the_splits_is_a_problem(tmp_path: Path) -> None:
    make(tmp_path, "train/angry/1.jpg", "happy/1.jpg")
    found = read(tmp_path)
    assert [sample.label for sample in found.samples] == ["anger"]
    assert found.problems == (Problem(str(tmp_path / "happy"), 0, "not read: it is beside the folders of the splits"),)


def test_no_such_directory(tmp_path: Path) -> None:
    make(tmp_path, "file.jpg")
    for root in (tmp_path / "missing", tmp_path / "file.jpg"):
        assert error_of(root).message == f"no such directory: {root}"


def test_an_empty_root(tmp_path: Path) -> None:
    error = error_of(tmp_path)
    assert error.message == f"{tmp_path} is empty"
    assert error.hint == EXPECTED and "ROOT/angry/1.jpg" in EXPECTED


def test_files_but_no_class_folders(tmp_path: Path) -> None:
    error = error_of(make(tmp_path, "1.jpg", "2.jpg"))
    assert error.message == f"{tmp_path} has files but no class folders"
    assert error.hint == EXPECTED


def test_folders_of_which_none_names_an_emotion(tmp_path: Path) -> None:
    error = error_of(make(tmp_path, *(f"{number}/1.jpg" for number in range(1, 8))))
    assert error.message == f"no folder in {tmp_path} is named after an emotion, only 1, 2, 3, 4, 5 ..."
    assert error.hint == EXPECTED


def test_splits_in_which_no_folder_names_an_emotion(tmp_path: Path) -> None:
    error = error_of(make(tmp_path, "train/1/1.jpg", "test/1/1.jpg"))
    assert error.message == f"no folder in test, train under {tmp_path} is named after an emotion"


def test_a_root_one_level_too_high_or_too_low_is_told_the_right_one(tmp_path: Path) -> None:
    make(tmp_path, "mine/angry/1.jpg", "mine/happy/1.jpg")
    assert error_of(tmp_path).hint == f"give --root {tmp_path / 'mine'}"
    assert error_of(tmp_path / "mine" / "angry").hint == f"give --root {tmp_path / 'mine'}"


def test_class_folders_that_are_all_empty(tmp_path: Path) -> None:
    (tmp_path / "angry").mkdir()
    (tmp_path / "happy").mkdir()
    error = error_of(tmp_path)
    assert error.message == f"no class folder under {tmp_path} has a picture in it" and error.hint == EXPECTED


def test_a_folder_that_cannot_be_listed(tmp_path: Path) -> None:
    make(tmp_path, "file")
    with pytest.raises(DatasetError, match=f"cannot list {tmp_path / 'file'}: Not a directory"):
        visible(tmp_path / "file")


def test_a_data_set_is_found_up_to_two_levels_down(tmp_path: Path) -> None:
    make(tmp_path, "a/b/set/x", "a/other/x")
    assert find_folder(tmp_path / "a/b/set", lambda folder: folder.name == "set") == tmp_path / "a/b/set"
    assert find_folder(tmp_path / "a", lambda folder: folder.name == "set") == tmp_path / "a/b/set"
    assert find_folder(tmp_path, lambda folder: folder.name == "set") is None


def test_two_copies_of_a_data_set_are_an_error_that_names_both(tmp_path: Path) -> None:
    make(tmp_path, "one/set/x", "two/set/x")
    with fails(DatasetError, "dataset-ambiguous", "one/set", "two/set"):
        find_folder(tmp_path, lambda folder: folder.name == "set")
