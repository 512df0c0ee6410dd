"""MUG, invented; the reader never opens a picture, so empty files do."""

from __future__ import annotations

from pathlib import Path

import pytest

from fercli.errors import DatasetError
from fercli.labels import EMOTIONS
from fercli.learn.datasets.mug import read
from fercli.learn.datasets.samples import Problem, Sample


def make_take(folder: Path, count: int) -> tuple[Path, ...]:
    folder.mkdir(parents=True)
    frames = tuple(folder / f"img_{index:04d}.jpg" for index in range(count))
    for frame in frames:
        frame.touch()
    return frames


def test_a_take_is_a_clip_of_its_middle_third(tmp_path: Path) -> None:
    for emotion, count in (("anger", 9), ("disgust", 10), ("fear", 11), ("happiness", 2), ("neutral", 1)):
        make_take(tmp_path / "subjects3" / "001" / emotion / "take000", count)
    found = read(tmp_path)
    numbers = {sample.label: [int(frame.stem[-4:]) for frame in sample.frames] for sample in found.samples}
    assert numbers == {
        "anger": [3, 4, 5],
        "disgust": [3, 4, 5, 6],
        "fear": [3, 4, 5, 6, 7],
        "happiness": [0, 1],
        "neutral": [0],
    }
    assert (found.name, found.classes, found.problems) == ("mug", EMOTIONS, ())


def test_every_take_of_every_person_is_read(tmp_path: Path) -> None:
    frames = [
        make_take(tmp_path / "001" / "sadness" / "take000", 3),
        make_take(tmp_path / "001" / "sadness" / "take001", 3),
        make_take(tmp_path / "002" / "session0" / "surprise" / "take000", 3),
        make_take(tmp_path / "002" / "session1" / "surprise" / "take000", 3),
    ]
    assert read(tmp_path).samples == (
        Sample(frames[0][1:2], "sadness", subject="001"),
        Sample(frames[1][1:2], "sadness", subject="001"),
        Sample(frames[2][1:2], "surprise", subject="002"),
        Sample(frames[3][1:2], "surprise", subject="002"),
    )


def test_folders_of_persons_may_be_called_subject(tmp_path: Path) -> None:
    make_take(tmp_path / "subject007" / "fear" / "take000", 1)
    make_take(tmp_path / "others" / "fear" / "take000", 1)
    assert [sample.subject for sample in read(tmp_path).samples] == ["007"]


def test_what_is_no_expression_and_empty_takes_are_problems(tmp_path: Path) -> None:
    make_take(tmp_path / "001" / "anger" / "take000", 0)
    make_take(tmp_path / "001" / "contempt" / "take000", 3)
    make_take(tmp_path / "001" / "mixed" / "take000", 3)
    found = read(tmp_path)
    assert found.samples == ()
    assert found.problems == (
        Problem(str(tmp_path / "001/anger/take000"), 0, "no pictures in the folder of the take"),
        Problem(str(tmp_path / "001/contempt/take000"), 0, "'contempt' is not an expression of MUG"),
        Problem(str(tmp_path / "001/mixed/take000"), 0, "'mixed' is not an expression of MUG"),
    )


def test_roots_where_there_is_no_mug(tmp_path: Path) -> None:
    (tmp_path / "001" / "anger").mkdir(parents=True)
    (tmp_path / "001" / "anger" / "img_0000.jpg").touch()
    with pytest.raises(DatasetError, match=f"no MUG under {tmp_path}") as caught:
        read(tmp_path)
    assert "ROOT/subjects3/001/anger/take000/img_0000.jpg" in caught.value.hint
