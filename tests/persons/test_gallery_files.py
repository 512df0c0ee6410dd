from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fercli.errors import InputError, OutputError
from fercli.media.images import read_image
from fercli.persons.gallery_files import (
    add_picture,
    gallery_digest,
    list_gallery,
    not_a_name,
    same_name,
    shown_name,
)
from tests.failing import fails


def touch(*files: Path) -> None:
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"")


def test_a_folder_a_person_and_a_picture_a_person_in_the_order_of_names(tmp_path: Path) -> None:
    touch(tmp_path / "Ross/b.png", tmp_path / "Ross/a.jpg", tmp_path / "Monica.JPG", tmp_path / "Dr. Green.webp")
    (tmp_path / "Joey").mkdir()
    found = {entry.name: entry.pictures for entry in list_gallery(tmp_path)}
    assert list(found) == ["Dr. Green", "Joey", "Monica", "Ross"]
    assert found["Ross"] == (tmp_path / "Ross/a.jpg", tmp_path / "Ross/b.png")
    assert found["Monica"] == (tmp_path / "Monica.JPG",)
    assert found["Joey"] == ()


def test_hidden_files_and_texts_are_no_person(tmp_path: Path) -> None:
    touch(*(tmp_path / name for name in ("README", "LICENSE.txt", "notes.md", ".DS_Store", "Thumbs.db", "Ross/a.jpg")))
    touch(tmp_path / ".git/config", tmp_path / "Ross/README.md", tmp_path / "Ross/.a.jpg.tmp")
    assert [(entry.name, len(entry.pictures)) for entry in list_gallery(tmp_path)] == [("Ross", 1)]


def test_what_may_be_a_picture_is_not_left_out_in_silence(tmp_path: Path) -> None:
    touch(tmp_path / "Ross/a.heic", tmp_path / "Ross/older/b.jpg")
    assert [file.name for file in list_gallery(tmp_path)[0].pictures] == ["a.heic", "older"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Ross/a.jpg", "Ross.jpg"),
        ("Ross.jpg", "Ross.png"),
        ("Ross/a.jpg", "ross/a.jpg"),
        ("Ross Geller.jpg", "Ross  Geller/a.jpg"),
        ("Ross Geller.jpg", "RossGeller.jpg"),
        (unicodedata.normalize("NFC", "Zoë.jpg"), unicodedata.normalize("NFD", "Zoë.jpg")),
        ("Strauß.jpg", "STRAUSS.jpg"),
    ],
)
def test_two_entries_of_one_name(tmp_path: Path, first: str, second: str) -> None:
    touch(tmp_path / first, tmp_path / second)
    with pytest.raises(InputError, match="one person has two entries in the gallery") as caught:
        list_gallery(tmp_path)
    for name in (first, second):
        assert str(tmp_path / name.split("/")[0]) in caught.value.message


@pytest.mark.parametrize("first", ["Ross.jpg", "Zoë.jpg", "Ross_2.jpg"])
def test_different_names_are_different_people(tmp_path: Path, first: str) -> None:
    touch(tmp_path / first, tmp_path / "Rosa.jpg", tmp_path / "Zoe.jpg")
    assert len(list_gallery(tmp_path)) == 3


@pytest.mark.parametrize("name", ["Person 3", "unknown 12", "Person3"])
def test_numbers_are_kept_for_unknown_persons(tmp_path: Path, name: str) -> None:
    touch(tmp_path / name / "a.jpg")
    with pytest.raises(InputError, match=name):
        list_gallery(tmp_path)


def test_the_digest_is_of_pictures_alone(tmp_path: Path) -> None:
    touch(tmp_path / "Ross/a.jpg", tmp_path / "Rachel.png")
    before = gallery_digest(tmp_path)
    touch(tmp_path / ".DS_Store", tmp_path / "Ross/.DS_Store", tmp_path / "Ross/Thumbs.db", tmp_path / "notes.txt")
    assert gallery_digest(tmp_path) == before
    (tmp_path / "Ross/a.jpg").rename(tmp_path / "Ross/b.jpg")
    renamed = gallery_digest(tmp_path)
    (tmp_path / "Ross/b.jpg").write_bytes(b"another picture")
    assert len({before, renamed, gallery_digest(tmp_path)}) == 3


@pytest.mark.parametrize("link", ["Ross.jpg", "Ross"])
def test_the_digest_of_a_link_is_of_what_it_leads_to(tmp_path: Path, link: str) -> None:
    touch(tmp_path / "album/a.jpg")
    (tmp_path / "people").mkdir()
    (tmp_path / "people" / link).symlink_to(tmp_path / ("album/a.jpg" if link.endswith("jpg") else "album"))
    before = gallery_digest(tmp_path / "people")
    (tmp_path / "album/a.jpg").write_bytes(b"another picture")
    assert gallery_digest(tmp_path / "people") != before


def test_the_digest_of_a_gallery_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        gallery_digest(tmp_path / "people")
    (tmp_path / "Ross.jpg").symlink_to(tmp_path / "gone.jpg")
    assert gallery_digest(tmp_path)  # what is no picture shows when it is read


def test_two_who_add_a_picture_at_the_same_moment_take_two_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "exists", lambda self: False)  # as each sees it just before the other writes
    shades = [np.full((8, 8, 3), shade, dtype=np.uint8) for shade in (0, 255)]
    files = [add_picture(tmp_path / "Ross", "film", shade) for shade in shades]
    assert [file.name for file in files] == ["film.jpg", "film (1).jpg"]
    assert [read_image(file).mean() for file in files] == [0, 255]


def test_a_picture_that_cannot_be_written_whole_leaves_no_file(tmp_path: Path, fill_disk: Callable[[], None]) -> None:
    fill_disk()
    with fails(OutputError, "disk-full", "film.jpg"):
        add_picture(tmp_path / "Ross", "film", np.zeros((8, 8, 3), dtype=np.uint8))
    assert list((tmp_path / "Ross").iterdir()) == []


def test_no_directory_and_a_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist") as caught:
        list_gallery(tmp_path / "people")
    assert "people/Ross.jpg" in caught.value.hint
    touch(tmp_path / "Ross.jpg")
    with pytest.raises(InputError, match="is a file"):
        list_gallery(tmp_path / "Ross.jpg")


def test_names_are_shown_composed_and_with_single_spaces() -> None:
    assert shown_name(unicodedata.normalize("NFD", " Zoë  de la Cruz ")) == "Zoë de la Cruz"
    assert same_name("Zoë de la Cruz") == same_name("ZOË  DE LA CRUZ") != same_name("Zoe de la Cruz")


def test_names_that_are_no_folder() -> None:
    assert [bool(not_a_name(name)) for name in ("", "..", ".hidden", "a/b", "a\\b", "Person 1", "Unassigned")] == [
        True
    ] * 7
    assert [not_a_name(name) for name in ("Ross", "Dr. Green", "Personne", "Unknown", "Person of interest")] == [""] * 5
