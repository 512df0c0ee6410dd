"""Contact sheets: whose faces, in which order, marked how, and safe to open."""

from __future__ import annotations

import io
import re
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fercli.edits.editing import ignore, rename
from fercli.errors import ConfigError, CorruptTable
from fercli.results.load import load_persons
from fercli.results.model import Person
from fercli.views.contact_sheet import FACE_SIDE, MOST_PERSONS, MOST_TRACKS, write_sheet
from fercli.workspace import Workspace
from tests.edits.film import make_film, track_again
from tests.failing import fails
from tests.rated import rated, smiling

VERMILION = (0xD5, 0x5E, 0x00)


@pytest.fixture
def film(tmp_path: Path) -> Workspace:
    return make_film(tmp_path / "film.fercli")


class Page(HTMLParser):
    """What a browser would see: tags, and text by the tag it stands in."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.tags[-1][0], data))

    def all(self, tag: str) -> list[str]:
        return [text for name, text in self.texts if name == tag]


def page(film: Workspace, path: Path) -> Page:
    write_sheet(film, load_persons(film)[0], path)
    return Page(path.read_text(encoding="utf-8"))


def drawn(film: Workspace, persons: list[Person], path: Path) -> Image.Image:
    write_sheet(film, persons, path)
    return Image.open(io.BytesIO(path.read_bytes())).convert("RGB")


def test_the_page_has_everyone_with_all_tracks(film: Workspace, tmp_path: Path) -> None:
    seen = page(film, tmp_path / "sheet.html")
    assert seen.all("h2") == ["Person 1", "Person 2", "Person 3", "Unassigned"]
    assert [attrs["alt"] for tag, attrs in seen.tags if tag == "img"] == [f"track {n}" for n in (0, 2, 1, 3, 4)]
    assert "3.0 s on screen, 2 tracks, identity 0.57" in seen.all("p")
    captions = [text for tag, text in seen.texts if tag in ("figcaption", "br")]
    assert captions[:6] == ["track 0", "0:00.2", "identity 0.90", "track 2", "0:03.2", "identity 0.40"]


def test_doubtful_tracks_have_a_frame_and_a_sign(film: Workspace, tmp_path: Path) -> None:
    seen = page(film, tmp_path / "sheet.html")
    marked = [attrs.get("class") for tag, attrs in seen.tags if tag == "figure"]
    assert marked == [None, "doubtful", None, None, "doubtful"]
    assert seen.all("span") == ["?", "?"]


def test_the_page_needs_nothing_beside_it(film: Workspace, tmp_path: Path) -> None:
    seen = page(film, tmp_path / "sheet.html")
    assert not {"script", "link", "iframe"} & {tag for tag, _ in seen.tags}
    for tag, attrs in seen.tags:
        for name in ("src", "href"):
            assert name not in attrs or str(attrs[name]).startswith("data:image/jpeg;base64,"), tag
    data = next(str(attrs["src"]) for tag, attrs in seen.tags if tag == "img").split(",")[1]
    assert Image.open(io.BytesIO(b64decode(data))).size == (FACE_SIDE, FACE_SIDE)


def test_a_name_is_text_whatever_it_looks_like(film: Workspace, tmp_path: Path) -> None:
    name = '<script>alert("1")</script> & Søn'
    rename(film, "Person 1", name)
    seen = page(film, tmp_path / "sheet.html")
    assert seen.all("h2")[0] == name
    assert "script" not in {tag for tag, _ in seen.tags}


def test_ignored_persons_are_named_so(film: Workspace, tmp_path: Path) -> None:
    ignore(film, "Person 1")
    assert page(film, tmp_path / "sheet.htm").all("h2")[-1] == "Person 1 (ignored)"


def alarms(image: Image.Image) -> NDArray[np.bool_]:
    """Where the colour of doubt is."""
    return np.asarray(np.all(np.abs(np.asarray(image, dtype=int) - VERMILION) < 10, axis=2))


def test_the_picture_marks_the_doubtful_ones(film: Workspace, tmp_path: Path) -> None:
    persons = load_persons(film)[0]
    sure = [person for person in persons if not person.doubtful]
    assert not alarms(drawn(film, sure, tmp_path / "sure.png")).any()
    marks = alarms(drawn(film, persons, tmp_path / "all.png"))
    rows = np.flatnonzero(marks.any(axis=1))
    first, last = np.split(rows, np.flatnonzero(np.diff(rows) > FACE_SIDE) + 1)
    # Track 2, second in the first row, and track 4, first in the last.
    assert np.ptp(first) == np.ptp(last) == FACE_SIDE + 5
    left, right = (np.flatnonzero(marks[group].any(axis=0)) for group in (last, first))
    assert np.ptp(left) == np.ptp(right) == FACE_SIDE + 5 and right[0] > left[-1]
    # Dashed: about every second pixel of the upper edge.
    assert 1 / 3 < marks[first[0], right[0] : right[-1] + 1].mean() < 2 / 3


def test_the_picture_is_bounded_and_says_so(film: Workspace, tmp_path: Path) -> None:
    (person, *_) = load_persons(film)[0]
    many = replace(person, tracks=tuple(replace(person.tracks[0], track=n) for n in range(64)))
    one = drawn(film, [many], tmp_path / "one.png")
    crowd = drawn(film, [many] * (MOST_PERSONS + 20), tmp_path / "crowd.png")
    assert one.width == crowd.width < 2000
    assert crowd.height < 110 * (one.height)
    few = replace(many, tracks=many.tracks[:MOST_TRACKS])
    assert drawn(film, [few], tmp_path / "few.png").tobytes() != one.tobytes()  # "and 52 more"


def test_doubtful_tracks_come_right_after_the_best(film: Workspace, tmp_path: Path) -> None:
    (person, *_) = load_persons(film)[0]
    sure, _ = person.tracks
    others = [replace(sure, track=n, faces=5) for n in range(10, 40)]
    doubtful = [replace(sure, track=n, identity=i, faces=1) for n, i in ((50, 0.3), (51, 0.2))]
    write_sheet(film, [replace(person, tracks=(*others, *doubtful, sure))], tmp_path / "sheet.html")
    shown = re.findall(r'alt="track (\d+)"', (tmp_path / "sheet.html").read_text())
    assert shown[:4] == ["0", "51", "50", "10"] and len(shown) == 33


def test_accents_are_drawn_and_not_replaced_by_boxes(film: Workspace, tmp_path: Path) -> None:
    (person, *_) = load_persons(film)[0]
    pictures = {
        name: drawn(film, [replace(person, name=name)], tmp_path / "sheet.png").tobytes()
        for name in ("ř", "ë", "Ж", "Ω")
    }
    assert len(set(pictures.values())) == 4


def test_a_film_without_faces_has_a_sheet_that_says_so(film: Workspace, tmp_path: Path) -> None:
    track_again(film, {})
    assert "No face was found." in page(film, tmp_path / "sheet.html").all("p")
    assert drawn(film, [], tmp_path / "sheet.png").height > 0


def test_another_suffix_is_refused(film: Workspace, tmp_path: Path) -> None:
    with fails(ConfigError, "suffix-unknown", "sheet.pdf") as caught:
        write_sheet(film, [], tmp_path / "sheet.pdf")
    assert ".png or .html" in caught.value.hint


def test_damaged_crops_are_named(film: Workspace, tmp_path: Path) -> None:
    film.table("crops").write_bytes(b"rubbish")
    with pytest.raises(CorruptTable, match=r"crops\.parquet"):
        page(film, tmp_path / "sheet.html")


def test_the_strongest_moment_of_each_expression_follows_the_tracks(tmp_path: Path) -> None:
    film = rated(tmp_path / "w")
    seen = page(film, tmp_path / "sheet.html")
    shown = [str(attrs["alt"]) for tag, attrs in seen.tags if tag == "img"]
    assert shown[0] == "track 0" and sorted(shown[1:3]) == ["happy: apex", "sad: apex"]
    assert shown[3:] == ["track 1", "sad: apex"]
    captions = [text for tag, text in seen.texts if tag in ("figcaption", "br")]
    assert any(text.startswith("intensity 0.") for text in captions)
    assert seen.all("span").count("▼") == 3 and "Triangle" in seen.all("p")[0]


def test_a_picture_marks_apexes_and_keeps_within_its_width(tmp_path: Path) -> None:
    film = rated(tmp_path / "w")
    persons = load_persons(film)[0]
    many = replace(persons[0], tracks=persons[0].tracks * (MOST_TRACKS + 3))
    picture = drawn(film, [many], tmp_path / "sheet.png")
    plain = drawn(smiling(tmp_path / "plain"), [many], tmp_path / "plain.png")
    assert picture.size == plain.size
    assert (np.asarray(picture) != np.asarray(plain)).any()


def test_apexes_of_older_emotions_are_left_out(tmp_path: Path) -> None:
    film = rated(tmp_path / "w")
    (film.path / "emotions" / "receipt.json").unlink()
    seen = page(film, tmp_path / "sheet.html")
    assert [attrs["alt"] for tag, attrs in seen.tags if tag == "img"] == ["track 0", "track 1"]
