"""KDEF, invented; the reader never opens a picture, so empty files do."""

from __future__ import annotations

from pathlib import Path

import pytest

from fercli.errors import DatasetError
from fercli.labels import EMOTIONS
from fercli.learn.datasets.kdef import read
from fercli.learn.datasets.samples import Problem, Sample


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
    assert found.notes == (
        "left out: 1 pictures of a full profile, angle FL",
        "left out: 1 pictures of a full profile, angle FR",
    )


@pytest.mark.parametrize("place", [".", "flat", "download/kdef_flat"])
def test_all_pictures_in_one_folder(tmp_path: Path, place: str) -> None:
    folder = tmp_path / place
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("AF01ANS.JPG", "bm02has.jpg", "AF01ANFL.JPG", "readme.jpg", "AF03NES.png"):
        (folder / name).touch()
    found = read(tmp_path)
    assert {sample.frames[0].name: (sample.label, sample.subject) for sample in found.samples} == {
        "AF01ANS.JPG": ("anger", "F01"),
        "bm02has.jpg": ("happiness", "M02"),
        "AF03NES.png": ("neutral", "F03"),
    }
    assert [Path(problem.file).name for problem in found.problems] == ["readme.jpg"]
    assert found.notes == ("left out: 1 pictures of a full profile, angle FL",)


def test_pictures_sorted_into_folders_of_another_kind(tmp_path: Path) -> None:
    for folder, name in (("angry", "AF01ANS.JPG"), ("happy", "AF01HAS.JPG")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).touch()
    assert [sample.label for sample in read(tmp_path).samples] == ["anger", "happiness"]


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
    (tmp_path / "angry" / "AFANS.JPG").touch()  # of AKDEF
    with pytest.raises(DatasetError, match=f"no KDEF under {tmp_path}") as caught:
        read(tmp_path)
    assert "ROOT/KDEF/AF01/AF01ANS.JPG" in caught.value.hint
