from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.config import FacesParams, PersonsParams, TracksParams
from fercli.models.registry import find_model, load_model
from fercli.persons.gallery import Gallery, Portraits, Problem, read_gallery
from fercli.persons.gallery_check import Finding, check_gallery, outliers
from fercli.progress import Silent

LIMIT = 0.55


def at(*places: float, axis: int = 0) -> NDArray[np.float32]:
    """Embeddings on one axis, so that distances are differences."""
    rows = np.zeros((len(places), 3), dtype=np.float32)
    rows[:, axis] = places
    return rows


def check(persons: dict[str, NDArray[np.float32]], problems: tuple[Problem, ...] = ()) -> list[Finding]:
    """Pictures are called `Ross/0`, `Ross/1`, ..."""
    portraits = {
        name: Portraits(tuple(Path(name) / str(row) for row in range(len(rows))), rows)
        for name, rows in sorted(persons.items())
    }
    return check_gallery(Gallery(portraits, problems, ()), LIMIT)


def summary(findings: list[Finding]) -> list[tuple[str, tuple[str, ...], list[str]]]:
    return [(finding.kind, finding.persons, [str(file) for file in finding.files]) for finding in findings]


def test_a_gallery_in_order() -> None:
    assert check({"Ross": at(0, 0.3, 0.5), "Monica": at(2, 2.3), "Joey": at(4)}) == []


def test_unusable_pictures_and_people_without_any_are_findings() -> None:
    bad = Problem("Joey", Path("Joey/a.jpg"), "Joey/a.jpg: no face was found")
    ross = Portraits((Path("Ross/0"),), at(0))
    findings = check_gallery(Gallery({"Ross": ross}, (bad,), ("Joey",)), LIMIT)
    assert [(finding.kind, finding.message, finding.distance) for finding in findings] == [
        ("unusable", "Joey/a.jpg: no face was found", None),
        ("missing", "Joey has no usable picture", None),
    ]


def test_the_same_picture_again_is_named_with_the_nearest_one_before_it() -> None:
    findings = check({"Ross": at(0, 0.3, 0.4, 0.31)})
    assert summary(findings) == [
        ("same picture", ("Ross",), ["Ross/2", "Ross/1"]),
        ("same picture", ("Ross",), ["Ross/3", "Ross/1"]),
    ]
    assert findings[1].distance == pytest.approx(0.01)
    assert findings[0].message == "Ross/2 shows the same as Ross/1"


def test_a_copy_under_another_name_is_the_same_picture_and_a_wrong_face() -> None:
    findings = check({"Monica": at(2, 2.2, 2.4), "Ross": at(0, 0.2, 0.4, 2.2)})
    assert summary(findings) == [
        ("same picture", ("Ross", "Monica"), ["Ross/3", "Monica/1"]),
        ("wrong face", ("Ross", "Monica"), ["Ross/3"]),
    ]
    assert findings[0].message == "Ross/3 shows the same as Monica/1, but is named Ross and not Monica"
    assert findings[1].message == "Ross/3 shows Monica rather than Ross"
    assert findings[1].distance == pytest.approx(np.sqrt((2.2**2 + 2.0**2 + 1.8**2) / 3))


def test_the_face_of_a_unknown_person_is_unlike_the_others_and_does_not_accuse_them() -> None:
    # While it is there, every picture is further than the limit from the rest.
    (finding,) = check({"Ross": at(0, 0.2, 3.0)})
    assert (finding.kind, finding.message) == ("wrong face", "Ross/2 is unlike the other pictures of Ross")


def test_of_two_different_faces_no_person_can_tell_which_is_wrong() -> None:
    (finding,) = check({"Ross": at(0, 1)})
    assert finding.message == "Ross/0 is unlike Ross/1 of Ross"


def test_of_two_different_faces_the_one_that_another_person_has_is_wrong() -> None:
    findings = check({"Monica": at(1, 1.2), "Ross": at(0, 1.4)})
    assert [finding.message for finding in findings] == ["Ross/1 shows Monica rather than Ross"]


def test_two_names_for_one_person_are_one_finding_and_not_a_wrong_face_for_every_picture() -> None:
    findings = check({"Ross": at(0, 0.4), "Ross Geller": at(0.2, 0.6)})
    assert summary(findings) == [("alike", ("Ross", "Ross Geller"), ["Ross/0", "Ross Geller/0"])]
    assert findings[0].distance == pytest.approx(np.sqrt((0.04 + 0.36 + 0.04 + 0.04) / 4))


def test_outliers_come_worst_first_and_one_is_always_left() -> None:
    assert outliers(at(0, 5, 0.1, 9), LIMIT) == [3, 1]
    assert outliers(at(0, 1), LIMIT) == [0]
    assert outliers(at(0), LIMIT) == []
    assert outliers(at(0, 0.55), LIMIT + 1e-6) == []


@pytest.mark.slow
def test_photographs_among_which_one_is_in_the_wrong_folder(shared_data: Path, tmp_path: Path) -> None:
    for man in ("John_Shimkus", "John_Simm"):
        (tmp_path / man).mkdir()
        for file in sorted((shared_data / "johns" / man).glob("*.jpg"))[:5]:
            shutil.copy(file, tmp_path / man)
    simm = sorted((tmp_path / "John_Simm").iterdir())
    shutil.move(simm[0], tmp_path / "John_Shimkus" / "stray.jpg")
    shutil.copy(simm[1], tmp_path / "John_Simm" / "again.jpg")
    detector = load_model(find_model(FacesParams.detector, "detector"))
    embedder = load_model(find_model(TracksParams.embedder, "embedder"))
    findings = check_gallery(read_gallery(tmp_path, detector, embedder, Silent()), PersonsParams.max_distance)
    copies = {frozenset(file.name for file in finding.files) for finding in findings if finding.kind == "same picture"}
    # The data set itself has two pictures twice among these.
    assert copies == {
        frozenset(("000297_00470170.jpg", "again.jpg")),
        frozenset(("000375_03227651.jpg", "000376_02340068.jpg")),
        frozenset(("000378_02340151.jpg", "000378_03227610.jpg")),
        frozenset(("000300_00470148.jpg", "000304_00470122.jpg")),
    }
    wrong = [finding for finding in findings if finding.kind != "same picture"]
    assert [(finding.kind, finding.persons, finding.files[0].name) for finding in wrong] == [
        ("wrong face", ("John_Shimkus", "John_Simm"), "stray.jpg")
    ]
