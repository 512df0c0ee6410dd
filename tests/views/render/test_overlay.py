"""What is drawn, and where."""

from __future__ import annotations

import numpy as np
import pytest

from fercli.colours import COLOURS
from fercli.views.render.faces import ShownFace
from fercli.views.render.lettering import font_file
from fercli.views.render.overlay import Overlay, label_of, letter_size
from fercli.views.render.placing import Rect

WIDTH, HEIGHT = 640, 480
LABELS = ("anger", "happiness", "neutral")
GREY = 96
PROBABILITIES = np.array([0.05, 0.75, 0.2], np.float32)


def face(
    left: float, top: float, right: float, bottom: float, *, track: int = 0, person: str = "Zoë", **values: object
) -> ShownFace:
    box = np.array([left, top, right, bottom], np.float32)
    content = {"emotion": "happiness", "score": 0.75, "probabilities": PROBABILITIES, **values}
    return ShownFace(track, person, box, **content)  # type: ignore[arg-type]


def overlay(labels: tuple[str, ...] = LABELS) -> Overlay:
    return Overlay(labels, Rect(0, 0, WIDTH, HEIGHT), font_file("Zoë"), 16)


def drawn(*faces: ShownFace, pen: Overlay | None = None) -> np.ndarray:
    image = np.full((HEIGHT, WIDTH, 3), GREY, np.uint8)
    (pen or overlay()).draw(image, faces)
    return image


def coloured(image: np.ndarray, emotion: str) -> np.ndarray:
    """(H, W) where the colour of an emotion is."""
    return np.asarray((image == np.array(COLOURS[emotion])).all(axis=2))


def extent(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what is set, the last two exclusive."""
    rows, columns = np.nonzero(mask)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def test_a_box_is_drawn_on_its_edge_in_the_colour_of_the_emotion() -> None:
    image = drawn(face(200, 150, 300, 280))
    yellow = coloured(image, "happiness")
    assert yellow[150, 200:300].all() and yellow[279, 200:300].all()
    assert yellow[150:280, 200].all() and yellow[150:280, 299].all()
    assert not yellow[160:270, 210:290].any()
    assert (image[160:270, 210:290] == GREY).all()


def test_the_name_stands_on_the_box_in_white_and_inside_the_picture() -> None:
    image = drawn(face(200, 150, 300, 280, probabilities=None))
    changed = extent((image != GREY).any(axis=2))
    assert changed[0] == 200 or changed[0] == 199
    assert 120 <= changed[1] < 150 and changed[3] <= 282
    assert (image[125:150, 200:400] > 240).all(axis=2).any()


@pytest.mark.parametrize("box", [(0, 0, 60, 60), (580, 0, 640, 60), (580, 420, 640, 480), (-40, -40, 700, 500)])
def test_texts_at_the_edge_are_moved_inside(box: tuple[int, int, int, int]) -> None:
    """As much white is seen as when there is room on all sides."""
    roomy = (drawn(face(300, 200, 360, 260, probabilities=None)) > 200).all(axis=2).sum()
    white = (drawn(face(*box, probabilities=None)) > 200).all(axis=2).sum()
    assert white == roomy


def test_bars_are_as_long_as_the_probabilities() -> None:
    image = drawn(face(100, 100, 180, 200))
    left, top, _, _ = extent(coloured(image, "anger"))
    beside = image[top:, left:]  # from where the bars begin
    lengths = [extent(coloured(beside, label))[2] - extent(coloured(beside, label))[0] for label in LABELS]
    full = lengths[1] / 0.75
    assert lengths == pytest.approx([0.05 * full, 0.75 * full, 0.2 * full], abs=1.5)
    tops = [extent(coloured(beside, label))[1] for label in LABELS]
    assert tops == sorted(tops)


def test_bars_go_to_the_left_where_there_is_no_room_on_the_right() -> None:
    image = drawn(face(540, 100, 630, 200))
    assert coloured(image, "anger")[:, :540].any()


def test_bars_stay_on_their_side_while_both_are_free() -> None:
    pen = overlay()
    image = drawn(face(540, 100, 630, 200), pen=pen)
    assert coloured(image, "anger")[:, :540].any()
    image = drawn(face(300, 100, 390, 200), pen=pen)
    assert coloured(image, "anger")[:, :300].any() and not coloured(image, "anger")[:, 392:].any()


def test_bars_do_not_cover_another_face() -> None:
    image = drawn(face(100, 200, 180, 300), face(190, 200, 290, 300, track=1))
    assert (image[210:290, 200:280] == GREY).all()
    assert (image[210:290, 110:170] == GREY).all()


def test_bars_are_left_out_in_a_crowd() -> None:
    crowd = [face(x, y, x + 60, y + 60, track=x * 1000 + y) for x in range(0, 640, 64) for y in range(0, 480, 64)]
    image = drawn(*crowd)
    assert not coloured(image, "anger").any()


def test_what_is_not_assessable_has_a_name_and_no_bars() -> None:
    image = drawn(face(200, 150, 300, 280, emotion="not assessable", score=None, probabilities=None))
    assert coloured(image, "not assessable")[150, 200:300].all()
    assert (image > 240).all(axis=2).any()
    assert not any(coloured(image, label).any() for label in LABELS)


def test_a_face_of_no_person_of_which_nothing_is_known_gets_a_box_only() -> None:
    image = drawn(face(200, 150, 300, 280, person="Unassigned", emotion=None, score=None, probabilities=None))
    assert extent((image != GREY).any(axis=2))[1] in (149, 150)
    assert coloured(image, "not assessable")[150, 200:300].all()


@pytest.mark.parametrize(
    ("person", "emotion", "score", "label"),
    [
        ("Zoë", "sadness", 0.678, "Zoë: sad, mean 0.68"),
        ("Zoë", "sadness", None, "Zoë: sad"),  # what a person says has no score
        ("Zoë", "not assessable", None, "Zoë: not assessable"),
        ("Zoë", None, None, "Zoë"),
        ("Unassigned", "sadness", None, "Unassigned: sad"),
        ("Unassigned", "not assessable", None, ""),
        ("Unassigned", None, None, ""),
    ],
)
def test_a_label_says_who_what_and_how_surely_on_the_whole(
    person: str, emotion: str | None, score: float | None, label: str
) -> None:
    assert label_of(face(0, 0, 9, 9, person=person, emotion=emotion, score=score)) == label


def test_the_bars_say_that_they_are_smoothed() -> None:
    image = drawn(face(100, 100, 180, 200, person=" ", emotion=None, score=None))
    left, top, _, _ = extent(coloured(image, "anger"))
    title = image[top - 18 : top - 6, left - 40 : left + 20]
    assert (title > 200).all(axis=2).sum() > 20


def test_letters_with_accents_and_other_scripts_differ() -> None:
    assert not np.array_equal(drawn(face(200, 150, 300, 280)), drawn(face(200, 150, 300, 280, person="Zoe")))
    greek = drawn(face(200, 150, 300, 280, person="Ζωή"))
    missing = drawn(face(200, 150, 300, 280, person="\ue123\ue124\ue125"))
    assert not np.array_equal(greek, missing)


def test_a_name_longer_than_the_picture_is_shortened() -> None:
    image = drawn(face(10, 150, 110, 280, person="Ross " * 60, probabilities=None))
    assert (image[125:150, WIDTH - 3 :] < 120).all()


@pytest.mark.parametrize("box", [(-50, -50, -10, -10), (700, 500, 800, 600), (100.2, 100.2, 100.4, 100.3)])
def test_a_box_outside_the_picture_or_of_no_size_does_no_harm(box: tuple[float, ...]) -> None:
    assert drawn(face(*box)).shape == (HEIGHT, WIDTH, 3)


def test_letters_grow_with_the_picture() -> None:
    assert letter_size(1280, 720) == 18
    assert letter_size(720, 1280) == 18
    assert letter_size(160, 120) == 10


def test_the_bar_of_the_label_is_framed() -> None:
    """Also where another one is longer: that they differ is shown."""

    def framed(emotion: str) -> list[bool]:
        beside = drawn(face(100, 100, 180, 200, emotion=emotion))[105:, 230:]  # below the name, right of the words
        (left, first, _, _), (_, second, _, _) = (extent(coloured(beside, label)) for label in LABELS[:2])
        tops = [first, second, 2 * second - first]
        return [bool((beside[top - 2, left : left + 40] == 255).all()) for top in tops]

    assert framed("happiness") == [False, True, False]
    assert framed("neutral") == [False, False, True]
