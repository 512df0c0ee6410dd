"""`fercli gallery` through `main`: what it prints, where, and how it ends."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from fercli.cli import gallery as commands
from fercli.cli.entry import main
from tests.persons.test_gallery import FACE, GREEN, RED, ColourEmbedder, RegionDetector, save
from tests.persons.test_gallery_add import crop, workspace


@pytest.fixture(autouse=True)
def colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faces are coloured boxes."""
    networks: tuple[Any, Any] = RegionDetector(), ColourEmbedder()
    monkeypatch.setattr(commands, "_networks", lambda device: networks)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    save(tmp_path / "people/Ross/a.png", (RED, FACE))
    save(tmp_path / "people/Monica.png", (GREEN, FACE))
    return tmp_path / "people"


def test_a_gallery_in_order_ends_with_0(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gallery", "check", str(people)]) == 0
    captured = capsys.readouterr()
    assert [line.split() for line in captured.out.splitlines()] == [
        ["person", "pictures", "faces"],
        ["Monica", "1", "1"],
        ["Ross", "1", "1"],
        ["nothing", "to", "correct"],
    ]
    assert captured.err == f"next: fercli track WORKSPACE --gallery {people}\n"


def test_findings_end_with_6_and_are_named(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(people / "Ross/a.png", people / "Ross/b.png")
    save(people / "Joey/[red].png")
    assert main(["gallery", "check", str(people)]) == 6
    captured = capsys.readouterr()
    assert captured.out.splitlines()[1:] == [
        "Joey           1      0",
        "Monica         1      1",
        "Ross           2      2",
        f"unusable: {people}/Joey/[red].png: no face was found",
        "missing: Joey has no usable picture",
        f"same picture: {people}/Ross/b.png shows the same as {people}/Ross/a.png (distance 0.00)",
        "3 to correct",
    ]
    assert captured.err == f"next: correct what is listed, then fercli gallery check {people}\n"


def test_json_has_everything(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(people / "Ross/a.png", people / "Ross/b.png")
    assert main(["gallery", "check", str(people), "--json", "-q"]) == 6
    captured = capsys.readouterr()
    assert captured.err == ""
    assert json.loads(captured.out) == {
        "gallery": str(people),
        "persons": [
            {"name": "Monica", "pictures": 1, "faces": 1},
            {"name": "Ross", "pictures": 2, "faces": 2},
        ],
        "findings": [
            {
                "kind": "same picture",
                "persons": ["Ross"],
                "files": [f"{people}/Ross/b.png", f"{people}/Ross/a.png"],
                "message": f"{people}/Ross/b.png shows the same as {people}/Ross/a.png",
                "distance": 0.0,
                "code": "",
            }
        ],
    }


def test_json_gives_the_code_of_a_picture_that_cannot_be_used(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (people / "Ross" / "b.png").write_bytes(b"no picture")
    assert main(["gallery", "check", str(people), "--json", "-q"]) == 6
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert (finding["kind"], finding["code"]) == ("unusable", "image-unreadable")


def test_pictures_of_a_person_of_a_video(tmp_path: Path, people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = workspace(tmp_path / "w", [(0, 1.0, crop((30, 30, 200)), {})], ["Person 1"])
    command = ["gallery", "add-from", str(place.path), "--person", "Person 1", "--name", "Joey"]
    assert main([*command, "--gallery", str(people)]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{people}/Joey/épisode 1 0h00m01.000s.jpg\n"
    assert captured.err.splitlines() == [
        "1 of 5 pictures: the other faces of Person 1 are too similar or not good enough",
        f"next: fercli track {place.path} --gallery {people}",
    ]
    assert main(["gallery", "check", str(people), "-q"]) == 0


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (["check", "nowhere"], 3, "the gallery nowhere does not exist"),
        (["add-from", "nowhere", "--person", "Person 1", "--name", "Ross", "--gallery", "people"], 3, "nowhere"),
        (["add-from", "w", "--person", "Person 9", "--name", "Joey", "--gallery", "people"], 2, "known: Person 1"),
        (["add-from", "w", "--person", "Person 1", "--name", "Joey", "--gallery", "people"], 3, "looks like Ross"),
        (["add-from", "w", "--person", "Person 1", "--name", "a/b", "--gallery", "people"], 2, "--name"),
        (["add-from", "early", "--person", "Person 1", "--name", "Joey", "--gallery", "people"], 4, "fercli track"),
        (["check", "twice"], 3, "two entries in the gallery: twice/Ross and twice/Ross.png"),
        (["check", "empty"], 3, "the gallery empty is empty"),
    ],
)
def test_what_cannot_be_done(
    tmp_path: Path,
    people: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    named: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    place = workspace(tmp_path / "w", [(0, 1.0, crop(RED), {})], ["Person 1"])
    shutil.copytree(place.path, "early")
    shutil.rmtree("early/tracks")
    save(Path("twice/Ross/a.png"), (RED, FACE))
    save(Path("twice/Ross.png"), (RED, FACE))
    Path("empty").mkdir()
    assert main(["gallery", *arguments]) == code
    captured = capsys.readouterr()
    assert captured.out == "" and named in captured.err
    assert captured.err.startswith("error[") and "hint: " in captured.err


def test_make_writes_the_folder_and_says_what_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fercli.corpus.candidates.sharpness", lambda face: 200.0)
    monkeypatch.setattr("fercli.corpus.candidates.contrast", lambda face: 1000.0)
    for name, colour in (("a", RED), ("b", RED), ("c", GREEN)):
        save(tmp_path / f"photos/{name}.png", (colour, FACE))
    folder = tmp_path / "made/Ross"
    assert main(["gallery", "make", str(tmp_path / "photos"), "-o", str(folder)]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [
        f"1 picture in {folder}",
        "left out: 1 double",
        "left out: 1 another person",
    ]
    assert captured.err.splitlines()[-1] == f"next: fercli gallery check {tmp_path}/made"
    assert main(["gallery", "make", str(tmp_path / "photos"), "-o", str(folder)]) == 2
    assert "error[output-exists]" in capsys.readouterr().err
