"""KDEF, invented; the reader never opens a picture, so empty files do."""

from __future__ import annotations

from pathlib import Path

import pytest

from fercli.datasets.kdef import read
from fercli.datasets.samples import Problem, Sample
from fercli.errors import DatasetError
from fercli.labels import EMOTIONS


def make(root: Path, *names: str) -> Path:
    """Pictures such as AF01ANS.JPG, each in the folder of its session and person."""
    for name in names:
        folder = root / "KDEF_and_AKDEF" / "KDEF" / name[:4]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return root / "KDEF_and_AKDEF" / "KDEF"


def test_the_name_says_who_and_what(tmp_path: Path) -> None:
    names = ["AF01AFS.JPG", "AF01ANS.JPG", "AF01DIS.JPG", "AF01HAS.JPG", "AF01NES.JPG", "AF01SAS.JPG", "AF01SUS.JPG"]
    folder = make(tmp_path, *names)
    labels = ("fear", "anger", "disgust", "happiness", "neutral", "sadness", "surprise")
    for root in (tmp_path, folder):
        found = read(root)
        assert found.samples == tuple(
            Sample((folder / "AF01" / name,), label, subject="F01") for name, label in zip(names, labels, strict=True)
        )
        assert (found.name, found.classes, found.problems) == ("kdef", EMOTIONS, ())


def test_both_sessions_of_a_person_are_one_subject(tmp_path: Path) -> None:
    make(tmp_path, "AF01ANS.JPG", "BF01ANS.JPG", "AM01ANS.JPG", "BM35ANS.JPG")
    subjects = {sample.frames[0].stem: sample.subject for sample in read(tmp_path).samples}
    assert subjects == {"AF01ANS": "F01", "BF01ANS": "F01", "AM01ANS": "M01", "BM35ANS": "M35"}


def test_full_profiles_are_left_out(tmp_path: Path) -> None:
    make(tmp_path, *(f"AF01HA{angle}.JPG" for angle in ("FL", "HL", "S", "HR", "FR")))
    found = read(tmp_path)
    assert [sample.frames[0].stem for sample in found.samples] == ["AF01HAHL", "AF01HAHR", "AF01HAS"]
    assert found.problems == ()


def test_names_that_say_nothing_are_problems(tmp_path: Path) -> None:
    folder = make(tmp_path, "AF31ANS.JPG", "AF31V.JPG", "AF31XXS.JPG", "AF31Thumbs.db")
    found = read(tmp_path)
    assert len(found.samples) == 1
    reason = "the name is not like AF01ANS.JPG: session, person, expression, angle"
    assert found.problems == tuple(
        Problem(str(folder / "AF31" / name), 0, reason) for name in ("AF31V.JPG", "AF31XXS.JPG")
    )


def test_the_averaged_faces_are_not_read(tmp_path: Path) -> None:
    make(tmp_path, "AF01ANS.JPG")
    averaged = tmp_path / "KDEF_and_AKDEF" / "AKDEF"
    averaged.mkdir()
    (averaged / "AFANS.JPG").touch()
    assert len(read(tmp_path).samples) == 1 and read(tmp_path).problems == ()


def test_roots_where_there_is_no_kdef(tmp_path: Path) -> None:
    (tmp_path / "angry").mkdir()
    (tmp_path / "angry" / "AF01ANS.JPG").touch()
    with pytest.raises(DatasetError, match=f"no KDEF under {tmp_path}") as caught:
        read(tmp_path)
    assert "ROOT/KDEF/AF01/AF01ANS.JPG" in caught.value.hint
