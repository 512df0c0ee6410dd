"""JAFFE, invented; the reader never opens a picture, so empty files do."""

from __future__ import annotations

from pathlib import Path

import pytest

from fercli.errors import DatasetError
from fercli.labels import EMOTIONS
from fercli.learn.datasets.jaffe import read
from fercli.learn.datasets.samples import Problem, Sample


def make(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def test_the_name_says_who_and_what(tmp_path: Path) -> None:
    names = ["KA.AN1.39.tiff", "KL.DI3.171.tiff", "KM.FE2.24.tiff", "KR.HA1.74.tiff", "MK.SA2.122.tiff"]
    names += ["NA.SU1.211.tiff", "TM.NE3.179.tiff"]
    found = read(make(tmp_path, *names))
    labels = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
    assert found.samples == tuple(
        Sample((tmp_path / name,), label, subject=name[:2]) for name, label in zip(names, labels, strict=True)
    )
    assert (found.name, found.classes, found.problems) == ("jaffe", EMOTIONS, ())


def test_other_files_are_passed_over_and_other_pictures_are_problems(tmp_path: Path) -> None:
    make(tmp_path / "jaffedbase", "KA.AN1.39.tiff", "README", "._KA.AN1.39.tiff", "KA.XX1.39.tiff", "KA.AN.tiff")
    found = read(tmp_path)
    assert len(found.samples) == 1
    reason = "the name is not like KA.AN1.39.tiff"
    assert found.problems == tuple(
        Problem(str(tmp_path / "jaffedbase" / name), 0, reason) for name in ("KA.AN.tiff", "KA.XX1.39.tiff")
    )


def test_two_copies_are_not_read_twice(tmp_path: Path) -> None:
    make(tmp_path / "a", "KA.AN1.39.tiff")
    make(tmp_path / "b", "KA.AN1.39.tiff")
    with pytest.raises(DatasetError, match="more than one"):
        read(tmp_path)


def test_roots_where_there_is_no_jaffe(tmp_path: Path) -> None:
    for root in (make(tmp_path / "empty"), make(tmp_path / "other", "1.tiff", "KA.AN1.39.txt")):
        with pytest.raises(DatasetError, match=f"no JAFFE under {root}") as caught:
            read(root)
        assert "KA.AN1.39.tiff" in caught.value.hint
