from __future__ import annotations

from fercli.views.render.placing import Rect, above_or_below, around, freest

FRAME = Rect(0, 0, 100, 80)


def test_shared_pixels_of_two_rectangles() -> None:
    assert Rect(0, 0, 10, 10).shared(Rect(6, 8, 20, 20)) == 4 * 2
    assert Rect(0, 0, 10, 10).shared(Rect(10, 0, 20, 10)) == 0
    assert Rect(0, 0, 10, 10).shared(Rect(30, 30, 40, 40)) == 0


def test_a_rectangle_is_moved_inside_by_as_little_as_possible() -> None:
    assert Rect(-5, 70, 15, 90).within(FRAME) == Rect(0, 60, 20, 80)
    assert Rect(5, 5, 15, 15).within(FRAME) == Rect(5, 5, 15, 15)
    assert Rect(50, 5, 250, 15).within(FRAME) == Rect(0, 5, 200, 15)


def test_places_around_a_box_touch_it_at_a_distance() -> None:
    places = around(Rect(40, 30, 60, 50), 10, 6, 2, 5)
    assert places == [Rect(62, 30, 72, 36), Rect(28, 30, 38, 36), Rect(40, 55, 50, 61), Rect(40, 19, 50, 25)]


def test_places_for_a_name() -> None:
    places = above_or_below(Rect(40, 30, 60, 50), 30, 6)
    assert places == [Rect(40, 24, 70, 30), Rect(40, 50, 70, 56), Rect(40, 30, 70, 36)]


def test_the_place_that_covers_least_is_taken() -> None:
    places = [Rect(0, 0, 10, 10), Rect(20, 0, 30, 10), Rect(40, 0, 50, 10)]
    assert freest(places, [Rect(0, 0, 10, 10), Rect(20, 0, 30, 5)], FRAME) == (2, places[2])
    everywhere = [Rect(0, 0, 10, 10), Rect(20, 0, 30, 5), Rect(40, 0, 50, 8)]
    assert freest(places, everywhere, FRAME) == (1, places[1])


def test_of_equal_places_the_one_of_last_time_then_the_first() -> None:
    places = [Rect(0, 0, 10, 10), Rect(20, 0, 30, 10)]
    assert freest(places, [], FRAME)[0] == 0
    assert freest(places, [], FRAME, usual=1)[0] == 1
    assert freest(places, [Rect(20, 0, 21, 1)], FRAME, usual=1)[0] == 0


def test_what_a_place_covers_is_counted_after_it_was_moved_inside() -> None:
    number, place = freest([Rect(95, 0, 105, 10), Rect(20, 0, 30, 10)], [Rect(90, 0, 96, 10)], FRAME)
    assert (number, place) == (1, Rect(20, 0, 30, 10))
