from __future__ import annotations

from pathlib import Path

import pytest

from fercli.results.load import load
from fercli.series.reading import Series
from fercli.series.summary import added, summarise
from tests.series.season import make_episode, make_season, record
from tests.views.report.film import EVIL, START_S


def test_a_person_is_summed_over_the_videos_of_a_cast(tmp_path: Path) -> None:
    workspaces = make_season(tmp_path, ("e01", "e02", "e03"))
    summary = summarise(Series(tmp_path))
    single = {person.name: person for person in load(workspaces[0]).persons}
    assert [person.name for person in summary.persons] == [EVIL, "Person 2"] and summary.local == 0
    for person in summary.persons:
        assert [*person.appearances] == ["e01.fercli", "e02.fercli", "e03.fercli"]
        assert person.screen_time_s == pytest.approx(3 * single[person.name].screen_time_s)
        once = single[person.name].seconds_by_emotion
        assert person.seconds_by_emotion == {name: pytest.approx(3 * value) for name, value in once.items()}


def test_a_number_of_one_video_is_a_person_of_its_own_after_the_known_ones(tmp_path: Path) -> None:
    make_season(tmp_path, cast="")
    summary = summarise(Series(tmp_path))
    assert [(person.name, person.known) for person in summary.persons] == [
        (EVIL, True),
        ("e01: Person 2", False),
        ("e02: Person 2", False),
    ]
    assert [person.name for person in summary.known] == [EVIL] and summary.local == 2


def test_rows_of_videos_have_what_their_results_have(tmp_path: Path) -> None:
    make_episode(tmp_path, "e01")
    record(tmp_path, failed=["e01.mp4", "clip.mov"])
    summary = summarise(Series(tmp_path))
    (row,) = summary.videos
    assert (row.video, row.duration_s, row.segments, len(row.people), len(row.persons)) == ("e01.mp4", 9.0, 5, 3, 2)
    assert row.failure is not None and [one.name for one in summary.missing] == ["clip.mov"]


def test_moments_are_the_longest_of_each_expression_in_the_order_of_time(tmp_path: Path) -> None:
    make_episode(tmp_path, "e01")
    (row,) = summarise(Series(tmp_path)).videos
    moments = [(one.emotion, round(one.start_s - START_S, 3), round(one.seconds, 3)) for one in row.people[0].moments]
    assert moments == [("happiness", 0.0, 2.0), ("neutral", 2.0, 2.0)]
    assert row.people[-1].name == "Unassigned" and row.people[-1].moments == []


def test_sums_are_ordered_by_length() -> None:
    assert [*added([{"anger": 1.0, "fear": 2.0}, {"anger": 1.5}, {}]).items()] == [("anger", 2.5), ("fear", 2.0)]
