"""Galleries of coloured boxes: a colour is a person. See `tests.persons.test_gallery`."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from fercli.corpus.gallery_make import NO_FACE, POOR, PROVENANCE, REMOVED, UNREADABLE, Made, make_gallery
from fercli.corpus.purify import DOUBLE, STRANGER
from fercli.corpus.sources import list_sources, pictures_of
from fercli.errors import ConfigError, InputError
from fercli.hashing import sha256_file
from fercli.persons.gallery_files import list_gallery
from fercli.progress import Silent
from tests.failing import fails
from tests.media_samples import numbered_video, read_number, write_video
from tests.persons.test_gallery import BLUE, FACE, RED, ColourEmbedder, RegionDetector, save

DARK_RED = (100, 20, 20)
"""As far from RED as two photographs of one person may be."""


@pytest.fixture(autouse=True)
def sharp(monkeypatch: pytest.MonkeyPatch) -> None:
    """Boxes of one colour have no detail."""
    monkeypatch.setattr("fercli.corpus.candidates.sharpness", lambda face: 200.0)
    monkeypatch.setattr("fercli.corpus.candidates.contrast", lambda face: 1000.0)


def make(sources: list[Path], folder: Path, *, at_most: int = 10, reporter: Silent | None = None) -> Made:
    networks = RegionDetector(), ColourEmbedder()
    return make_gallery(sources, folder, *networks, reporter or Silent(), at_most=at_most, licence="press photographs")


def lines(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


def test_strangers_doubles_and_poor_faces_are_left_out_and_listed(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    save(photos / "a.png", (RED, FACE))
    save(photos / "b.png", (DARK_RED, FACE))
    save(photos / "copy.png", (RED, FACE))
    save(photos / "other.png", (BLUE, FACE))
    save(photos / "small.png", (RED, (10, 10, 30, 30)))
    save(photos / "white.png")
    (photos / "broken.jpg").write_bytes(b"no picture")
    reporter = Silent()
    folder = tmp_path / "people/Ross"
    made = make([photos], folder, reporter=reporter)
    assert sorted(one.picture for one in made.kept) == ["a.jpg", "b.jpg"]
    assert {(Path(one.source).name, one.reason) for one in made.removed} == {
        ("copy.png", DOUBLE),
        ("other.png", STRANGER),
        ("small.png", POOR),
        ("white.png", NO_FACE),
        ("broken.jpg", UNREADABLE),
    }
    assert {line["source"]: line["reason"] for line in lines(folder / REMOVED)}[str(photos / "copy.png")] == DOUBLE
    assert len(reporter.warnings) == 1 and "broken.jpg" in reporter.warnings[0]
    (entry,) = list_gallery(tmp_path / "people")
    assert entry.name == "Ross" and [file.name for file in entry.pictures] == ["a.jpg", "b.jpg"]
    assert all(file.stat().st_mode & 0o077 == 0 for file in folder.iterdir())


def test_provenance_has_file_digest_box_and_licence(tmp_path: Path) -> None:
    photo = save(tmp_path / "a.png", (RED, FACE))
    make([photo], tmp_path / "people/Ross")
    (line,) = lines(tmp_path / "people/Ross" / PROVENANCE)
    assert line["source"] == str(photo) and line["sha256"] == sha256_file(photo)
    assert [float(line[edge]) for edge in ("x1", "y1", "x2", "y2")] == list(FACE)
    assert line["time_s"] == "" and line["licence"] == "press photographs"


def test_a_frame_a_second_of_a_video_is_taken_with_its_time(tmp_path: Path) -> None:
    video = numbered_video(tmp_path / "a.mp4", 50, fps="20")
    found = list(pictures_of(video))
    assert [(one.time_s, read_number(one.image)) for one in found] == [(0.0, 0), (1.0, 20), (2.0, 40)]


def test_faces_of_a_video_have_their_time_in_name_and_provenance(tmp_path: Path) -> None:
    image = np.full((300, 400, 3), 255, np.uint8)
    image[50:150, 100:180] = RED
    video = write_video(tmp_path / "talk.mp4", (image for _ in range(45)), fps="30")
    made = make([video], tmp_path / "people/Ross")
    (kept,) = made.kept
    assert (kept.picture, kept.time_s) == ("talk 0.000s.jpg", 0.0)
    assert [(one.reason, one.time_s) for one in made.removed] == [(DOUBLE, 1.0)]


def test_two_persons_as_frequent_are_refused_and_nearly_as_frequent_are_reported(tmp_path: Path) -> None:
    one = save(tmp_path / "1/a.png", (RED, FACE))
    two = save(tmp_path / "2/b.png", (BLUE, FACE))
    with fails(InputError, "gallery-ambiguous"):
        make([one, two], tmp_path / "people/Ross")
    assert not (tmp_path / "people").exists()
    reporter = Silent()
    more = [save(tmp_path / f"1/{k}.png", (DARK_RED, FACE)) for k in range(2)]
    also = save(tmp_path / "2/c.png", (BLUE, FACE))
    make([one, two, also, *more], tmp_path / "people/Ross", reporter=reporter)
    assert len(reporter.warnings) == 1 and "another one has 2" in reporter.warnings[0]


def test_only_the_wanted_number_is_kept(tmp_path: Path) -> None:
    photos = [save(tmp_path / "a.png", (RED, FACE)), save(tmp_path / "b.png", (DARK_RED, FACE))]
    made = make(photos, tmp_path / "people/Ross", at_most=1)
    assert len(made.kept) == 1 and made.reasons() == {"more than wanted": 1}


def test_what_cannot_be_used_is_refused_before_the_work(tmp_path: Path) -> None:
    photo = save(tmp_path / "a.png", (RED, FACE))
    save(tmp_path / "people/Ross/old.png", (RED, FACE))
    with fails(ConfigError, "output-exists"):
        make([photo], tmp_path / "people/Ross")
    with fails(ConfigError, "name-invalid"):
        make([photo], tmp_path / "people/Person 1")
    with fails(ConfigError, "option-out-of-range"):
        make([photo], tmp_path / "people/Monica", at_most=0)
    with fails(InputError, "gallery-empty"):
        make([save(tmp_path / "white.png")], tmp_path / "people/Monica")


def test_folders_are_searched_and_hidden_files_are_not(tmp_path: Path) -> None:
    wanted = [save(tmp_path / "in/b/a.png"), save(tmp_path / "in/c.png")]
    save(tmp_path / "in/.thumbs/a.png")
    (tmp_path / "in/notes.txt").write_text("nothing")
    assert sorted(list_sources([tmp_path / "in", wanted[0]])) == sorted(wanted)
    (tmp_path / "empty").mkdir()
    with fails(InputError, "no-pictures"):
        list_sources([tmp_path / "empty"])
