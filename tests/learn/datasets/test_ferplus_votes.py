"""FER+ votes joined to FER2013, on files invented after the official ones, which drop and number images as these do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from fercli.errors import DatasetError
from fercli.labels import EMOTIONS, EMOTIONS_8
from fercli.learn.datasets import DatasetSplits, read_dataset
from fercli.learn.datasets.fer2013_files import CLEAR_FACES
from tests.learn.datasets.faces import USAGES, csv_row, vote_row, write_csv, write_votes

COUNTS = (60, 20, 20)
SKIPPED, UNNUMBERED = (7, 65), (12, 30)
"""Rows that FER+ drops; the numbers go on over the first, and not over the others."""
SHADES = tuple(range(100))


@dataclass
class Rows:
    """Lines of both files; a face has the shade of its row, and the votes say the class of FER2013."""

    faces: list[str]
    votes: list[str]

    def write(self, folder: Path) -> Path:
        write_csv(folder / "fer2013.csv", self.faces)
        write_votes(folder / "fer2013new.csv", self.votes)
        return folder


KAGGLE = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")


def invented(dropped_without_number: tuple[int, ...] = UNNUMBERED) -> Rows:
    """A hundred rows of each file."""
    usages = np.repeat(USAGES, COUNTS).tolist()
    faces, votes, number = [], [], 0
    for row, usage in enumerate(usages):
        label = row * 5 % 7
        faces.append(csv_row(label, row, usage))
        dropped = row in SKIPPED or row in dropped_without_number
        votes.append(vote_row(None if dropped else number, usage, **{KAGGLE[label]: 10}))
        number += row not in dropped_without_number
    return Rows(faces, votes)


def labelled(data: DatasetSplits) -> dict[int, str]:
    """Shade of a face, which is its row, -> what FER+ calls it; those without a label are left out."""
    whole = data.part("all")
    assert data.train.main.classes == EMOTIONS_8
    return {
        int(image[0, 0, 0]): EMOTIONS_8[label]
        for image, label in zip(whole.images, whole.main.labels, strict=True)
        if label >= 0
    }


def right(*without: int) -> dict[int, str]:
    """What FER+ calls the face of each row, but for those it drops and those named here."""
    return {row: KAGGLE[row * 5 % 7] for row in SHADES if row not in (*SKIPPED, *UNNUMBERED, *without)}


def test_the_files_as_they_are_published(tmp_path: Path) -> None:
    rows = invented()
    assert [line.split(",")[1] for line in rows.votes[11:15]] == [
        "fer0000011.png", "", "fer0000012.png", "fer0000013.png",
    ]  # fmt: skip
    data = read_dataset("ferplus", rows.write(tmp_path))
    assert labelled(data) == right()
    assert data.problems == ()
    assert data.notes == ("4 rows of fer2013new.csv have no image name: FER+ drops these faces",)
    # what FER+ drops keeps the label of FER2013
    assert len(data.part("all")) == 100
    assert [EMOTIONS[label] for label in data.train.labellings["fer2013"].labels[[7, 12]]] == ["anger", "sadness"]


@pytest.mark.parametrize("row", [0, 5, 20, 64, 98])
def test_a_row_that_is_gone_costs_its_own_votes_only(tmp_path: Path, row: int) -> None:
    rows = invented()
    del rows.votes[row]
    data = read_dataset("ferplus", rows.write(tmp_path))
    assert labelled(data) == right(row)
    (problem,) = data.problems
    # all rows before it are there, after the header, but for dropped ones the next named row is the sign
    assert problem.file.endswith("fer2013new.csv") and problem.line in (row + 2, row + 3)


@pytest.mark.parametrize("row", [7, 11, 13, 12, 99])
def test_where_it_cannot_be_told_which_row_is_gone_nothing_is_read(tmp_path: Path, row: int) -> None:
    rows = invented()
    del rows.votes[row]
    rows.write(tmp_path)
    if row == 7:  # the numbers tell that a row is missing, and it was one that FER+ drops
        assert labelled(read_dataset("ferplus", tmp_path)) == right()
        return
    with pytest.raises(DatasetError, match=r"fer2013new\.csv:\d+: ") as caught:
        read_dataset("ferplus", tmp_path)
    assert caught.value.exit_code == 3 and caught.value.hint


def test_a_face_that_is_gone_is_refused(tmp_path: Path) -> None:
    rows = invented()
    del rows.faces[20]
    with pytest.raises(DatasetError, match=r"fer2013new\.csv:61: Usage is Training, but row 60 .* is for PublicTest"):
        read_dataset("ferplus", rows.write(tmp_path))
    rows = invented()
    del rows.faces[99]
    with pytest.raises(DatasetError, match=r"ends at row 100 of FER2013, but fer2013\.csv has 99"):
        read_dataset("ferplus", rows.write(tmp_path))


def test_rows_without_a_name_that_a_person_took_out(tmp_path: Path) -> None:
    rows = invented()
    rows.votes = [line for line in rows.votes if "fer" in line]
    with pytest.raises(DatasetError, match=r"fer2013new\.csv:"):
        read_dataset("ferplus", rows.write(tmp_path))


def test_rows_in_another_order(tmp_path: Path) -> None:
    rows = invented(dropped_without_number=())
    rows.votes = [rows.votes[row] for row in np.random.default_rng(1).permutation(100)]
    if not rows.votes[-1].split(",")[1]:
        rows.votes.reverse()
    assert labelled(read_dataset("ferplus", rows.write(tmp_path))) == {
        row: KAGGLE[row * 5 % 7] for row in SHADES if row not in SKIPPED
    }
    moved = invented()  # here the numbers are not those of the rows, so the order cannot be had back
    moved.votes[40], moved.votes[41] = moved.votes[41], moved.votes[40]
    with pytest.raises(DatasetError, match=r"fer2013new\.csv:"):
        read_dataset("ferplus", moved.write(tmp_path))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Training,x.png,9,0,0,0,0,0,0,0,0,0", "Image name is 'x.png'"),
        ("Training,fer0000003.png,9,0,0,0,0,0,0,0,0,0", "the image of line 5 again"),
        ("Training,fer0000020.png,many,0,0,0,0,0,0,0,0,0", "many"),
        ("Training,fer0000020.png,nan,0,0,0,0,0,0,0,0,0", "votes from nan"),
        ("PublicTest,fer0000019.png,9,0,0,0,0,0,0,0,0,0", "Usage is PublicTest, but row 21"),
    ],
)
def test_rows_that_cannot_be_joined_are_named(tmp_path: Path, line: str, reason: str) -> None:
    rows = invented()
    rows.votes[20] = line
    with pytest.raises(DatasetError) as caught:
        read_dataset("ferplus", rows.write(tmp_path))
    assert caught.value.message.startswith(f"{tmp_path / 'fer2013new.csv'}:22: ") and reason in caught.value.message


def test_faces_in_another_order_are_noticed_by_what_they_are_called(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    faces = [csv_row(int(label), "0 " * 48 * 48, "Training") for label in rng.integers(0, 7, CLEAR_FACES)]
    ends = [csv_row(0, "0 " * 48 * 48, usage) for usage in USAGES[1:]]
    votes = [
        vote_row(number, line.split(",")[2], **{KAGGLE[int(line[0])]: 10}) for number, line in enumerate(faces + ends)
    ]
    good = Rows(faces + ends, votes)
    assert len(read_dataset("ferplus", good.write(tmp_path)).train) == CLEAR_FACES
    good.faces = sorted(faces) + ends
    with pytest.raises(DatasetError, match="in another order"):
        read_dataset("ferplus", good.write(tmp_path))


def test_a_file_without_image_names(tmp_path: Path) -> None:
    rows = invented()
    rows.write(tmp_path)
    path = tmp_path / "fer2013new.csv"
    path.write_text(path.read_text().replace("Image name", "Image", 1))
    with pytest.raises(DatasetError, match=r"fer2013new\.csv:1: expected the columns Usage,Image name"):
        read_dataset("ferplus", tmp_path)
