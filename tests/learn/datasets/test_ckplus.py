"""CK+ in both its forms, invented; the reader never opens a picture, so empty files do."""

from __future__ import annotations

from pathlib import Path

import pytest

from fercli.errors import DatasetError
from fercli.labels import EMOTIONS_8
from fercli.learn.datasets.ckplus import read
from fercli.learn.datasets.samples import Problem, Sample
from tests.failing import fails


def make_sequence(root: Path, name: str, count: int, label: str | None) -> tuple[Path, ...]:
    """The pictures of a sequence such as S005_001, and the file of its label if it has one."""
    subject, number = name.split("_")
    folder = root / "cohn-kanade-images" / subject / number
    folder.mkdir(parents=True)
    frames = tuple(folder / f"{name}_{index:08d}.png" for index in range(1, count + 1))
    for frame in frames:
        frame.touch()
    labels = root / "Emotion" / subject / number
    labels.mkdir(parents=True)
    if label is not None:
        (labels / f"{name}_{count:08d}_emotion.txt").write_text(label)
    return frames


def test_a_labelled_sequence_is_a_clip_of_its_end_and_a_neutral_still_of_its_start(tmp_path: Path) -> None:
    frames = make_sequence(tmp_path, "S005_001", 11, "   3.0000000e+00\n")
    (tmp_path / "cohn-kanade-images" / "S005" / "001" / ".DS_Store").touch()
    found = read(tmp_path)
    assert found.samples == (
        Sample(frames[8:11], "disgust", subject="S005"),
        Sample(frames[:1], "neutral", subject="S005"),
    )
    assert (found.name, found.classes, found.problems) == ("ckplus", EMOTIONS_8, ())


def test_every_code(tmp_path: Path) -> None:
    for code in range(8):
        make_sequence(tmp_path, f"S{code:03d}_001", 5, f"   {code}.0000000e+00\n")
    clips = [sample for sample in read(tmp_path).samples if len(sample.frames) > 1]
    assert {sample.subject: sample.label for sample in clips} == {
        "S000": "neutral",
        "S001": "anger",
        "S002": "contempt",
        "S003": "disgust",
        "S004": "fear",
        "S005": "happiness",
        "S006": "sadness",
        "S007": "surprise",
    }


def test_sequences_without_a_label_are_passed_over(tmp_path: Path) -> None:
    make_sequence(tmp_path, "S005_001", 6, None)
    make_sequence(tmp_path, "S005_002", 6, "   5.0000000e+00\n")
    found = read(tmp_path)
    assert {sample.frames[0].parent.name for sample in found.samples} == {"002"}
    assert found.problems == () and found.notes == ("left out: 1 sequences without a label",)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("   8.0000000e+00\n", "the label is 8.0000000e+00, expected 0 to 7"),
        ("-1", "the label is -1, expected 0 to 7"),
        ("2.5", "the label is 2.5, expected 0 to 7"),
        ("nan", "the label is nan, expected 0 to 7"),
        ("happy", "the label is 'happy', expected a number"),
        ("", "the label is '', expected a number"),
    ],
)
def test_labels_that_are_none(tmp_path: Path, text: str, reason: str) -> None:
    make_sequence(tmp_path, "S005_001", 6, text)
    make_sequence(tmp_path, "S010_001", 6, "1")
    found = read(tmp_path)
    path = tmp_path / "Emotion" / "S005" / "001" / "S005_001_00000006_emotion.txt"
    assert found.problems == (Problem(str(path), 1, reason),)
    assert {sample.subject for sample in found.samples} == {"S010"}


def test_a_label_file_that_is_no_text_is_a_problem(tmp_path: Path) -> None:
    make_sequence(tmp_path, "S005_001", 6, "1")
    (tmp_path / "Emotion" / "S005" / "001" / "S005_001_00000006_emotion.txt").write_bytes(b"\xff\xfe\x00")
    found = read(tmp_path)
    assert found.samples == () and "decode" in found.problems[0].reason


def test_a_label_without_its_picture_is_a_problem(tmp_path: Path) -> None:
    frames = make_sequence(tmp_path, "S005_001", 6, "1")
    frames[-1].unlink()
    (problem,) = read(tmp_path).problems
    assert problem.reason == f"the labelled picture is missing: {frames[-1]}"


def test_a_sequence_whose_pictures_are_missing_is_a_problem(tmp_path: Path) -> None:
    frames = make_sequence(tmp_path, "S005_001", 3, "1")
    (problem,) = read(tmp_path).problems
    assert problem.reason == "only 3 pictures up to S005_001_00000003.png, expected at least 4"
    for frame in frames:
        frame.unlink()
    frames[0].parent.rmdir()
    (problem,) = read(tmp_path).problems
    assert "is missing" in problem.reason


def test_pictures_after_the_labelled_one_are_not_the_expression(tmp_path: Path) -> None:
    frames = make_sequence(tmp_path, "S005_001", 6, "7")
    frames[-1].with_name("S005_001_00000007.png").touch()
    assert read(tmp_path).samples[0].frames == frames[3:6]


def test_each_archive_may_have_a_folder_of_its_own(tmp_path: Path) -> None:
    make_sequence(tmp_path, "S005_001", 6, "1")
    (tmp_path / "Emotion_labels").mkdir()
    (tmp_path / "Emotion").rename(tmp_path / "Emotion_labels" / "Emotion")
    assert len(read(tmp_path).samples) == 2


def test_images_without_the_archive_of_labels(tmp_path: Path) -> None:
    (tmp_path / "cohn-kanade-images" / "S005").mkdir(parents=True)
    with fails(DatasetError, "dataset-not-found", "Emotion") as caught:
        read(tmp_path)
    assert "ROOT/Emotion/S005/001/" in caught.value.hint


def make_48(root: Path, *names: str) -> None:
    for name in names:
        path = root / "CK+48" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_the_form_of_48_pixels_has_a_clip_a_sequence_and_no_neutral(tmp_path: Path) -> None:
    first = [f"anger/S010_004_{index:08d}.png" for index in (17, 18, 19)]
    second = [f"happy/S010_006_{index:08d}.png" for index in (13, 14, 15)]
    third = [f"happy/S011_006_{index:08d}.png" for index in (11, 12, 13)]
    make_48(tmp_path, *third, *second, *first)
    for root in (tmp_path, tmp_path / "CK+48"):
        found = read(root)
        assert found.samples == (
            Sample(tuple(tmp_path / "CK+48" / name for name in first), "anger", subject="S010"),
            Sample(tuple(tmp_path / "CK+48" / name for name in second), "happiness", subject="S010"),
            Sample(tuple(tmp_path / "CK+48" / name for name in third), "happiness", subject="S011"),
        )
        assert found.classes == ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "contempt")
        assert (found.name, found.problems) == ("ckplus48", ())


def test_strange_names_in_the_form_of_48_pixels_are_problems(tmp_path: Path) -> None:
    make_48(tmp_path, "anger/S010_004_00000017.png", "anger/face.png", "neutral/S010_004_00000001.png")
    found = read(tmp_path)
    assert len(found.samples) == 1
    assert [problem.file for problem in found.problems] == [
        str(tmp_path / "CK+48" / "anger" / "face.png"),
        str(tmp_path / "CK+48" / "neutral"),
    ]


def test_roots_where_there_is_no_ckplus(tmp_path: Path) -> None:
    (tmp_path / "angry").mkdir()
    (tmp_path / "angry" / "1.png").touch()
    with fails(DatasetError, "dataset-not-found", "CK") as caught:
        read(tmp_path)
    assert "ROOT/cohn-kanade-images/" in caught.value.hint and "ROOT/CK+48/" in caught.value.hint
    with fails(DatasetError, "file-missing"):
        read(tmp_path / "missing")
