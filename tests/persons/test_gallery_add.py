from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fercli.edits.anchors import anchors_of
from fercli.errors import ConfigError, InputError, MissingStage
from fercli.persons.gallery_add import add_from
from fercli.persons.gallery_files import list_gallery
from fercli.progress import Silent
from fercli.results.load import find_person, load_persons
from fercli.workspace import Workspace
from tests.edits.by_hand import add as add_edit
from tests.persons.test_gallery import BLUE, FACE, RED, Colour, ColourEmbedder, RegionDetector, picture, save
from tests.workspaces import (
    crops_table,
    face_row,
    faces_table,
    frames_table,
    make_workspace,
    persons_table,
    tracks_table,
)

SHADES: list[Colour] = [(200, 30 + 15 * step, 30) for step in range(9)]
"""Neighbours are 0.06 apart, every fourth 0.24."""
INSIDE = (45, 35, 125, 135)
"""Where a face lies in its crop."""


def crop(colour: Colour, *others: tuple[Colour, tuple[int, int, int, int]]) -> Any:
    return picture((colour, INSIDE), *others, size=(170, 170))


def workspace(path: Path, shown: list[tuple[int, float, Any, dict[str, Any]]], persons: list[str | None]) -> Workspace:
    """`shown`: track, time, crop and values of each face; `persons`: whose each track is."""
    times = sorted({time for _, time, _, _ in shown})
    frames = frames_table(times)
    members = {track: [face for face, row in enumerate(shown) if row[0] == track] for track in range(len(persons))}
    return make_workspace(
        path,
        frames=frames,
        faces=faces_table([face_row(times.index(time), **values) for _, time, _, values in shown]),
        crops=crops_table([image for _, _, image, _ in shown]),
        tracks=tracks_table(members),
        persons=persons_table([(track, person, 0.0, 60.0) for track, person in enumerate(persons)]),
    )


def add(place: Workspace, gallery: Path, name: str = "Ross", **values: Any) -> list[str]:
    """Names of the files written for Person 1."""
    options = {"person": "Person 1", "pictures": 5, "force": False, "reporter": Silent(), **values}
    found = find_person(load_persons(place)[0], options["person"], place.path)
    tracks = [track.track for track in found.tracks]
    files = add_from(
        place, tracks, name=name, gallery=gallery, detector=RegionDetector(), embedder=ColourEmbedder(), **options
    )
    assert all(file.parent.parent == gallery and file.exists() for file in files)
    return [file.name for file in files]


def shades(path: Path, *steps: int) -> Workspace:
    """One track of Person 1 with a face every second."""
    return workspace(path, [(0, float(k), crop(SHADES[step]), {}) for k, step in enumerate(steps)], ["Person 1"])


def test_pictures_say_where_they_come_from_and_show_the_face(tmp_path: Path) -> None:
    place = workspace(tmp_path / "w", [(0, 3754.5604, crop(RED), {})], ["Person 1"])
    assert add(place, tmp_path / "people") == ["épisode 1 1h02m34.560s.jpg"]
    (entry,) = list_gallery(tmp_path / "people")
    assert entry.name == "Ross"
    written = np.asarray(Image.open(entry.pictures[0]))
    assert written.shape == (170, 170, 3)
    assert written[80, 80].tolist() == pytest.approx(RED, abs=3)


def test_only_faces_that_differ_and_the_best_first(tmp_path: Path) -> None:
    place = workspace(
        tmp_path / "w",
        [
            (0, 0.0, crop(SHADES[0]), {}),
            (0, 1.0, crop(SHADES[1]), {"sharpness": 400.0}),
            (0, 2.0, crop(SHADES[5]), {"sharpness": 300.0}),
            (0, 3.0, crop(SHADES[4]), {}),
        ],
        ["Person 1"],
    )
    assert add(place, tmp_path / "people") == ["épisode 1 0h00m01.000s.jpg", "épisode 1 0h00m02.000s.jpg"]


def test_every_track_has_its_turn_before_any_has_two(tmp_path: Path) -> None:
    # Track 0 has the sharpest faces; only as many crops are looked at as fit eight a picture, which is all of them.
    shown: list[Any] = [(0, float(k), crop(SHADES[4 * k]), {"sharpness": 900.0}) for k in range(2)]
    shown += [(1, 10.0, crop(SHADES[8]), {}), (2, 20.0, crop(BLUE), {})]
    place = workspace(tmp_path / "w", shown, ["Person 1", "Person 1", "Person 2"])
    assert add(place, tmp_path / "people", pictures=2) == ["épisode 1 0h00m00.000s.jpg", "épisode 1 0h00m10.000s.jpg"]


def test_a_track_that_is_another_person_gives_no_picture(tmp_path: Path) -> None:
    shown: list[Any] = [(track, float(track), crop(colour), {}) for track, colour in enumerate((RED, SHADES[4], BLUE))]
    place = workspace(tmp_path / "w", shown, ["Person 1"] * 3)
    assert add(place, tmp_path / "people") == ["épisode 1 0h00m00.000s.jpg", "épisode 1 0h00m01.000s.jpg"]


def test_it_grows_and_replaces_nothing(tmp_path: Path) -> None:
    people = tmp_path / "people"
    first = add(shades(tmp_path / "w", 0), people)
    before = (people / "Ross" / first[0]).read_bytes()
    assert add(shades(tmp_path / "w", 0), people) == []
    # Another video of the same name, with another picture at the same time.
    assert add(shades(tmp_path / "other", 4), people) == ["épisode 1 0h00m00.000s (1).jpg"]
    assert (people / "Ross" / first[0]).read_bytes() == before


def test_it_finds_the_folder_whatever_the_case_of_the_name(tmp_path: Path) -> None:
    save(tmp_path / "people/ross geller/a.png", (RED, FACE))
    add(shades(tmp_path / "w", 4), tmp_path / "people", name="Ross  Geller")
    (entry,) = list_gallery(tmp_path / "people")
    assert entry.name == "ross geller" and len(entry.pictures) == 2


def test_an_empty_folder_and_bad_pictures_are_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "people/Ross").mkdir(parents=True)
    save(tmp_path / "people/Monica.png")
    reporter = Silent()
    assert len(add(shades(tmp_path / "w", 0), tmp_path / "people", reporter=reporter)) == 1
    assert any("Monica.png: no face" in warning for warning in reporter.warnings)


def test_a_person_who_is_a_single_picture_is_not_made_two(tmp_path: Path) -> None:
    save(tmp_path / "people/Ross.png", (RED, FACE))
    with pytest.raises(InputError, match=r"Ross\.png is the only picture of Ross") as caught:
        add(shades(tmp_path / "w", 4), tmp_path / "people")
    assert caught.value.hint.startswith(f'mkdir "{tmp_path}/people/Ross" && mv ')


def test_who_looks_like_another_person_is_refused_unless_forced(tmp_path: Path) -> None:
    people = tmp_path / "people"
    save(people / "Monica/a.png", (SHADES[4], FACE))
    place = shades(tmp_path / "w", 0)
    with pytest.raises(InputError, match="Person 1 looks like Monica in the gallery") as caught:
        add(place, people)
    assert '--name "Monica"' in caught.value.hint and "--force" in caught.value.hint
    assert not (people / "Ross").exists()
    assert len(add(place, people, force=True)) == 1


def test_who_is_nearer_to_their_own_pictures_than_to_a_lookalike_is_welcome(tmp_path: Path) -> None:
    save(tmp_path / "people/Monica/a.png", (SHADES[8], FACE))
    save(tmp_path / "people/Ross/a.png", (SHADES[0], FACE))
    assert len(add(shades(tmp_path / "w", 3, 4), tmp_path / "people")) == 1


def test_who_does_not_look_like_their_own_pictures_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "people/Ross/a.png", (BLUE, FACE))
    with pytest.raises(InputError, match="Person 1 does not look like Ross in the gallery"):
        add(shades(tmp_path / "w", 0), tmp_path / "people")


@pytest.mark.parametrize(
    ("image", "values"),
    [
        (crop(RED), {"size": 39.0}),
        (crop(RED), {"sharpness": 5.0}),
        (crop(RED), {"frontal": 0.05}),
        (picture(size=(170, 170)), {}),
        (crop(RED, (BLUE, (127, 35, 169, 135))), {}),
    ],
)
def test_no_crop_shows_the_person_well(tmp_path: Path, image: Any, values: dict[str, Any]) -> None:
    place = workspace(tmp_path / "w", [(0, 0.0, image, values)], ["Person 1"])
    with pytest.raises(InputError, match="no crop of Person 1"):
        add(place, tmp_path / "people")
    assert not (tmp_path / "people").exists()


def test_no_person_of_that_name(tmp_path: Path) -> None:
    place = workspace(tmp_path / "w", [(k, float(k), crop(RED), {}) for k in range(3)], ["Person 2", None, "Unknown 1"])
    with pytest.raises(ConfigError, match="has no person 'Person 1'") as caught:
        add(place, tmp_path / "people")
    assert caught.value.hint == "known: Person 2, Unknown 1"


def test_before_track_has_run(tmp_path: Path) -> None:
    place = make_workspace(tmp_path / "w", frames=frames_table([]), faces=faces_table([]))
    with pytest.raises(MissingStage) as caught:
        add(place, tmp_path / "people")
    assert caught.value.hint == f"run: fercli track {tmp_path / 'w'}"


def test_persons_are_those_a_person_has_corrected(tmp_path: Path) -> None:
    shown: list[Any] = [
        (track, float(track), crop(colour), {}) for track, colour in enumerate((RED, SHADES[4], SHADES[8]))
    ]
    place = workspace(tmp_path / "w", shown, ["Person 1", "Person 2", "Person 1"])
    face = anchors_of(place, [0, 1, 2])
    add_edit(place, "split", face[2], person="Person 1", to="Gunther")
    add_edit(place, "ignore", face[2], person="Gunther")
    add_edit(place, "rename", face[0], person="Person 1", to="Ross")
    add_edit(place, "rename", face[1], person="Person 2", to="Ross")
    add_edit(place, "rename", person="Narrator", to="Joey")
    files = add(place, tmp_path / "people", person="Ross")
    assert files == ["épisode 1 0h00m00.000s.jpg", "épisode 1 0h00m01.000s.jpg"]
    assert load_persons(place)[1] == ["edits.jsonl:5: not applied: there is no 'Narrator'"]
    with pytest.raises(ConfigError, match="Person 1") as caught:
        add(place, tmp_path / "people")
    assert caught.value.hint == "known: Ross"


def test_a_person_may_be_asked_for_in_any_spelling_of_unicode(tmp_path: Path) -> None:
    place = workspace(tmp_path / "w", [(0, 0.0, crop(RED), {})], ["Zo\u00eb"])
    assert len(add(place, tmp_path / "people", person=" Zoe\u0308")) == 1


@pytest.mark.parametrize("values", [{"name": "../Ross"}, {"name": "Person 4"}, {"name": " "}, {"pictures": 0}])
def test_options_that_make_no_sense(tmp_path: Path, values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        add(shades(tmp_path / "w", 0), tmp_path / "people", **values)
