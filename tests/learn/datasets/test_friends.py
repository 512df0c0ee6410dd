"""The VTT annotations of Friends from an invented tree in the layout that the project's own code reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fercli.errors import DatasetError
from fercli.labels import EMOTIONS
from fercli.learn.datasets.friends import read
from fercli.learn.datasets.samples import Sample
from tests.failing import fails

UNSEEN = {"min_x": "none", "min_y": "none", "max_x": "none", "max_y": "none"}


def rect(x1: object = "324", y1: object = "162", x2: object = "356", y2: object = "203") -> dict[str, object]:
    return {"min_x": x1, "min_y": y1, "max_x": x2, "max_y": y2}


def person(emotion: object, face: object) -> list[dict[str, object]]:
    return [{"behavior": "sitting", "emotion": emotion, "face_rect": face, "full_rect": UNSEEN, "related_object": []}]


def entry(image: str, people: dict[str, Any]) -> dict[str, Any]:
    return {
        "image": image,
        "period_num": "1",
        "start_time": "00:00:04;14",
        "end_time": "00:00:06;02",
        "place": "livingroom",
        "person": [people],
        "object": [],
    }


def write(
    root: Path, entries: list[Any], *, episode: str = "ep01", frames: tuple[int, ...] = (0, 110, 111), folder: str = "."
) -> Path:
    """One episode: its annotations, whose path is returned, and some of its frames."""
    path = root / folder / f"s01_{episode}_tag2_visual_Final_180809.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"file_name": "x", "visual_results": entries}), encoding="utf-8")
    (root / episode).mkdir(parents=True, exist_ok=True)
    for number in frames:
        (root / episode / f"{number:05d}.jpg").touch()
    return path


def test_each_face_of_a_frame_is_a_sample_with_its_character(tmp_path: Path) -> None:
    people = {"monica": person("Happy", rect()), "Ross": person("neutral", rect("1", "2", "30", "40"))}
    write(tmp_path, [entry("F0000110.jpg", people)])
    listing = read(tmp_path)
    frame = tmp_path / "ep01" / "00110.jpg"
    assert listing.samples == (
        Sample((frame,), "happiness", "", "monica", (324, 162, 356, 203)),
        Sample((frame,), "neutral", "", "ross", (1, 2, 30, 40)),
    )
    assert (listing.name, listing.classes, listing.problems) == ("friends", EMOTIONS, ())


@pytest.mark.parametrize(
    ("emotion", "label"),
    [
        ("Anger", "anger"),
        ("angry", "anger"),
        ("Disgust", "disgust"),
        ("fear", "fear"),
        ("happiness", "happiness"),
        ("sad", "sadness"),
        ("Sadness", "sadness"),
        ("surprise", "surprise"),
        ("Neutral", "neutral"),
    ],
)
def test_emotions_are_nouns_or_adjectives(tmp_path: Path, emotion: str, label: str) -> None:
    write(tmp_path, [entry("F0000110.jpg", {"joey": person(emotion, rect())})])
    assert [sample.label for sample in read(tmp_path).samples] == [label]


@pytest.mark.parametrize("image", ["F0000110.jpg", "F0000110", "Frame_110.jpg", "Frame_00110.jpg", "f110.png"])
def test_the_number_in_the_name_of_the_image_is_the_frame(tmp_path: Path, image: str) -> None:
    write(tmp_path, [entry(image, {"joey": person("fear", rect())})])
    assert [sample.frames for sample in read(tmp_path).samples] == [(tmp_path / "ep01" / "00110.jpg",)]


def test_who_is_not_seen_or_not_judged_is_passed_over(tmp_path: Path) -> None:
    people = {
        "monica": person("none", UNSEEN),
        "ross": person("None", rect()),
        "rachel": person("happy", UNSEEN),
        "joey": person("", rect()),
        "chandler": person("happy", rect("", "", "", "")),
    }
    write(tmp_path, [entry("F0000110.jpg", people), entry("F0000999.jpg", {"phoebe": person("none", UNSEEN)})])
    listing = read(tmp_path)
    assert (listing.samples, listing.problems) == ((), ())


def test_numbers_may_be_numbers_or_have_more_behind_blanks(tmp_path: Path) -> None:
    write(tmp_path, [entry("F0000110.jpg", {"joey": person("sad", rect(10, "20  21", "30  ", 40))})])
    assert [sample.box for sample in read(tmp_path).samples] == [(10, 20, 30, 40)]


def test_episodes_are_read_in_order_from_wherever_their_annotations_lie(tmp_path: Path) -> None:
    write(tmp_path, [entry("F0000111.jpg", {"joey": person("sad", rect())})], episode="ep02", folder="anno")
    write(tmp_path, [entry("F0000110.jpg", {"joey": person("fear", rect())})], episode="ep01", folder="more/anno")
    second = write(tmp_path, [entry("F0000000.jpg", {"joey": person("anger", rect())})], episode="ep11")
    second.rename(tmp_path / "S01_EP11_tag2_visual_final.json")
    (tmp_path / "anno" / "s01_ep01_tag1_speech.json").write_text("{}")
    listing = read(tmp_path)
    assert [sample.label for sample in listing.samples] == ["fear", "sadness", "anger"]
    assert [sample.frames[0].parent.name for sample in listing.samples] == ["ep01", "ep02", "ep11"]


def test_broken_bytes_and_line_breaks_in_descriptions_do_no_harm(tmp_path: Path) -> None:
    path = write(tmp_path, [entry("F0000110.jpg", {"joey": person("sad", rect())})])
    path.write_bytes(path.read_bytes().replace(b"sitting", b"other\x99s\nhand"))
    assert [sample.label for sample in read(tmp_path).samples] == ["sadness"]


BROKEN: list[tuple[Any, str]] = [
    (entry("F0000110.jpg", {"joey": person("bored", rect())}), "F0000110.jpg, joey: emotion is 'bored', expected one"),
    (entry("F0000110.jpg", {"joey": person("contempt", rect())}), "emotion is 'contempt'"),
    (entry("F0000110.jpg", {"joey": person("sad", rect(x1="x"))}), "joey: invalid literal for int() with base 10: 'x'"),
    (entry("F0000110.jpg", {"joey": person("sad", rect(x1=" "))}), "joey: list index out of range"),
    (entry("F0000110.jpg", {"joey": person("sad", rect(x2="324"))}), "the face box is empty: 324.0, 162.0, 324.0"),
    (entry("F0000110.jpg", {"joey": [{"emotion": "sad"}]}), "joey: KeyError('face_rect')"),
    (entry("F0000110.jpg", {"joey": []}), "joey: list index out of range"),
    (entry("F0000112.jpg", {"joey": person("sad", rect())}), "F0000112.jpg, joey: no 00112.jpg in"),
    (entry("cover.jpg", {"joey": person("sad", rect())}), "cover.jpg, joey: no frame number in the name of the image"),
    ({"image": "F0000110.jpg"}, "no 'image' or 'person': KeyError('person')"),
    ({"image": "F0000110.jpg", "person": []}, "no 'image' or 'person'"),
    ("F0000110.jpg", "no 'image' or 'person'"),
    (None, "no 'image' or 'person'"),
]


@pytest.mark.parametrize(("broken", "reason"), BROKEN)
def test_a_face_that_cannot_be_used_is_named_and_the_rest_is_read(tmp_path: Path, broken: Any, reason: str) -> None:
    good = entry("F0000110.jpg", {"ross": person("fear", rect())})
    path = write(tmp_path, [good, broken, good])
    listing = read(tmp_path)
    assert [sample.subject for sample in listing.samples] == ["ross", "ross"]
    (problem,) = listing.problems
    assert (problem.file, problem.line) == (str(path), 0)
    assert problem.reason.startswith("entry 2: ")
    assert reason in problem.reason


def test_an_episode_without_frames_is_one_problem(tmp_path: Path) -> None:
    good = entry("F0000110.jpg", {"ross": person("fear", rect())})
    write(tmp_path, [good])
    path = write(tmp_path, [good, good], episode="ep02", frames=())
    (tmp_path / "ep02").rmdir()
    listing = read(tmp_path)
    assert len(listing.samples) == 1
    (problem,) = listing.problems
    assert str(problem) == f"{path}: no folder {tmp_path / 'ep02'} with the frames of the episode"


def test_two_annotations_of_an_episode_are_an_error(tmp_path: Path) -> None:
    path = write(tmp_path, [])
    path.with_name("s01_ep01_tag2_visual_Final_for_merge.json").write_bytes(path.read_bytes())
    with fails(DatasetError, "dataset-ambiguous", "180809.json", "for_merge.json"):
        read(tmp_path)


def test_annotations_that_are_no_json_are_an_error_with_file_and_line(tmp_path: Path) -> None:
    path = write(tmp_path, [])
    path.write_text('{\n"visual_results": [\n{"image" "F0000110.jpg"}\n]}')
    with pytest.raises(DatasetError, match=r"180809\.json:3: Expecting ':' delimiter"):
        read(tmp_path)


@pytest.mark.parametrize("content", ["{}", "[]", '{"visual_results": {}}'])
def test_another_json_is_an_error(tmp_path: Path, content: str) -> None:
    write(tmp_path, []).write_text(content)
    with pytest.raises(DatasetError, match=r"180809\.json has no list 'visual_results'"):
        read(tmp_path)


@pytest.mark.parametrize("root", ["empty", "missing", "file.csv"])
def test_what_is_no_friends_says_what_was_expected(tmp_path: Path, root: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "metadata.json").write_text("{}")
    (tmp_path / "file.csv").write_text("emotion,pixels,Usage\n")
    with pytest.raises(DatasetError, match=f"no VTT annotations under .*{root}") as caught:
        read(tmp_path / root)
    assert "ROOT/s01_ep01_tag2_visual_Final_180809.json" in caught.value.hint
    assert "ROOT/ep01/00000.jpg" in caught.value.hint
