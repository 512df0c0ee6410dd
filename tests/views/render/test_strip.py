"""The timeline at the bottom."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.colours import COLOURS
from fercli.results.model import Segment
from fercli.views.render.lettering import Lettering, font_file
from fercli.views.render.strip import MOST_PERSONS, WINDOW_S, Strip

WIDTH, HEIGHT, GREY = 640, 360, 96


def segment(person: str, start_s: float, end_s: float, emotion: str = "happiness") -> Segment:
    return Segment(start_s, end_s, emotion, person, 0, 0.8, (0, 0, 1, 1), "")


def strip(
    names: list[str],
    segments: list[Segment],
    span_s: tuple[float, float],
    analysed_s: tuple[float, float] | None = None,
) -> Strip:
    return Strip(names, segments, span_s, (WIDTH, HEIGHT), Lettering(12, font_file("Zoë")), analysed_s)


def drawn(subject: Strip, time_s: float) -> np.ndarray:
    image = np.full((HEIGHT, WIDTH, 3), GREY, np.uint8)
    subject.draw(image, time_s)
    return image


def columns(image: np.ndarray, emotion: str) -> np.ndarray:
    """Where a colour is, from left to right."""
    return np.flatnonzero((image == np.array(COLOURS[emotion])).all(axis=2).any(axis=0))


def cursor(image: np.ndarray) -> float:
    """Column of the line that is white from the top of the strip to its bottom."""
    white = (image == 255).all(axis=2)
    return float(np.flatnonzero(white[HEIGHT - 12 :].all(axis=0)).mean())


def test_a_short_video_is_shown_whole_and_the_cursor_moves() -> None:
    subject = strip(["Zoë"], [segment("Zoë", 12.0, 13.0), segment("Zoë", 15.0, 20.0, "anger")], (10.0, 20.0))
    places = [cursor(drawn(subject, time_s)) for time_s in (10.0, 15.0, 20.0)]
    assert places[1] - places[0] == pytest.approx(places[2] - places[1], abs=1)
    width = places[2] - places[0]
    happy = columns(drawn(subject, 17.0), "happiness")
    assert happy[0] == pytest.approx(places[0] + 0.2 * width, abs=1.5)
    assert happy[-1] + 1 == pytest.approx(places[0] + 0.3 * width, abs=1.5)
    angry = columns(drawn(subject, 10.0), "anger")
    assert len(angry) == pytest.approx(width / 2, abs=3)


def test_a_long_video_moves_along_under_the_cursor() -> None:
    subject = strip(["Zoë"], [segment("Zoë", 300.0, 301.0)], (0.0, 600.0))
    middle = drawn(subject, 300.0)
    later = drawn(subject, 300.0 + WINDOW_S / 4)
    assert cursor(middle) == cursor(later)
    track = 2 * (columns(middle, "happiness")[0] - columns(later, "happiness")[0])
    assert track == pytest.approx((cursor(drawn(subject, 600.0)) - cursor(drawn(subject, 0.0))) / 2, abs=5)
    assert not len(columns(drawn(subject, 300.0 + WINDOW_S), "happiness"))


def test_a_long_segment_is_seen_from_its_middle() -> None:
    segments = [segment("Zoë", 100.0, 500.0), segment("Zoë", 120.0, 121.0, "anger")]
    image = drawn(strip(["Zoë"], segments, (0.0, 600.0)), 300.0)
    assert len(columns(image, "happiness")) > WIDTH / 2


def test_the_picture_above_it_is_untouched_and_below_it_darkened() -> None:
    subject = strip(["Zoë", "Ross"], [], (0.0, 10.0))
    image = drawn(subject, 5.0)
    assert (image[: subject.area.top] == GREY).all()
    assert np.median(image[subject.area.top :]) < GREY / 2


def test_each_person_has_a_row_and_only_a_few_are_shown() -> None:
    people = [f"Person {number}" for number in range(9)]
    emotions = ["anger", "disgust", "fear", "happiness", "sadness"]
    segments = [segment(name, 0.0, 10.0, emotion) for name, emotion in zip(people, emotions, strict=False)]
    image = drawn(strip(people, segments, (0.0, 10.0)), 5.0)
    rows = [np.flatnonzero((image == np.array(COLOURS[emotion])).all(axis=2).any(axis=1)) for emotion in emotions]
    assert all(above[-1] < below[0] for above, below in pairwise(rows[:4]))
    assert MOST_PERSONS == 4 and not len(rows[4])


def test_persons_that_have_no_row_are_counted_beside_the_last_one() -> None:
    def corner(count: int) -> NDArray[np.bool_]:
        image = drawn(strip([f"P{number}" for number in range(count)], [], (0.0, 10.0)), 5.0)
        return np.asarray((image[-12:, -60:] > 200).all(axis=2))

    assert not corner(4).any()
    assert corner(5).any() and corner(7).any() and (corner(5) != corner(7)).any()


def test_the_cursor_has_a_dark_edge_on_either_side() -> None:
    subject = strip(["Zoë"], [segment("Zoë", 0.0, 10.0, "neutral")], (0.0, 10.0))
    image = drawn(subject, 5.0)
    middle = int(cursor(image))
    assert (image[HEIGHT - 10, middle : middle + 2] == 255).all()
    assert (image[HEIGHT - 10, [middle - 1, middle + 2]] == 0).all()
    assert (image[HEIGHT - 10, [middle - 2, middle + 3]] == COLOURS["neutral"]).all()


def test_what_was_not_analysed_is_hatched_and_says_so() -> None:
    def light(analysed_s: tuple[float, float] | None) -> np.ndarray:
        image = drawn(strip(["Zoë"], [segment("Zoë", 4.0, 6.0)], (0.0, 10.0), analysed_s), 10.0)
        return np.asarray((image[-12:] > 100).all(axis=2).any(axis=0))

    whole, part = light(None), light((4.0, 6.0))
    happy = columns(drawn(strip(["Zoë"], [segment("Zoë", 4.0, 6.0)], (0.0, 10.0)), 10.0), "happiness")
    added = np.flatnonzero(part & ~whole)
    assert len(added) > WIDTH / 3
    assert added.min() < happy[0] and added.max() > happy[-1]
    assert not ((added > happy[0] + 1) & (added < happy[-1] - 1)).any()
    assert (light((0.0, 10.0)) == whole).all()


def test_no_person_no_strip() -> None:
    subject = strip([], [], (0.0, 10.0))
    assert subject.area.height == 0
    assert (drawn(subject, 5.0) == GREY).all()


def test_a_long_name_does_not_take_the_room_of_the_timeline() -> None:
    subject = strip(["Zoë " * 100], [segment("Zoë " * 100, 0.0, 10.0)], (0.0, 10.0))
    assert len(columns(drawn(subject, 0.0), "happiness")) > WIDTH / 2
