"""Whose names hold over a series, and what is said of videos that are not there."""

from __future__ import annotations

from pathlib import Path

from fercli.edits.editing import rename
from fercli.series.reading import Episode, Series
from tests.series.season import CAST, make_episode, make_season, record
from tests.views.report.film import EVIL


def names(series: Series) -> list[set[str | None]]:
    return [{episode.in_series(person.name) for person in episode.result.everyone} for episode in series]


def by_name(series: Series) -> dict[str, Episode]:
    return {episode.member.name: episode for episode in series}


def test_numbers_of_one_video_do_not_become_one_person(tmp_path: Path) -> None:
    make_season(tmp_path, cast="")
    series = Series(tmp_path)
    assert names(series) == [{EVIL, "e01: Person 2", None}, {EVIL, "e02: Person 2", None}]
    assert series.local == 2


def test_numbers_of_a_cast_are_one_person_in_all_videos(tmp_path: Path) -> None:
    make_season(tmp_path)
    series = Series(tmp_path)
    assert names(series) == [{EVIL, "Person 2", None}] * 2
    assert series.local == 0 and [one.cast for one in series] == ["show.cast"] * 2


def test_numbers_of_two_casts_are_told_apart(tmp_path: Path) -> None:
    make_episode(tmp_path, "e01", CAST)
    make_episode(tmp_path, "e02", "/other/show.cast")
    make_episode(tmp_path, "e03")
    assert names(Series(tmp_path)) == [
        {EVIL, f"{CAST}: Person 2", None},
        {EVIL, "/other/show.cast: Person 2", None},
        {EVIL, "e03: Person 2", None},
    ]


def test_a_name_given_by_hand_holds_everywhere(tmp_path: Path) -> None:
    for workspace in make_season(tmp_path, cast=""):
        rename(workspace, "Person 2", "Zoe", by="me")
    series = Series(tmp_path)
    assert names(series) == [{EVIL, "Zoe", None}] * 2 and series.local == 0


def test_a_workspace_that_cannot_be_read_is_missing_and_the_others_are_not(tmp_path: Path) -> None:
    damaged, _, unfinished = make_season(tmp_path, ("e01", "e02", "e03"))
    (damaged.path / "workspace.json").write_text("{")
    (unfinished.path / "emotions" / "receipt.json").unlink()
    series = Series(tmp_path)
    assert [*by_name(series)] == ["e02"]
    assert [(one.name, one.code) for one in series.missing] == [("e01", "workspace-damaged"), ("e03", "stage-missing")]
    assert str(damaged.path) in series.missing[0].message


def test_a_failed_video_is_missing_once_with_the_cause_of_its_failure(tmp_path: Path) -> None:
    _, unfinished, old = make_season(tmp_path, ("e01", "e02", "e03"))
    (unfinished.path / "emotions" / "receipt.json").unlink()
    record(tmp_path, done=["e01.mp4"], failed=["e02.mp4", "../films/e03.mp4", "clip.mov"])
    series = Series(tmp_path)
    found = by_name(series)
    assert {name: one.failure and one.failure.code for name, one in found.items()} == {
        "e01": None,
        "e03": "not-a-video",
    }
    assert [(one.name, one.code) for one in series.missing] == [("e02", "not-a-video"), ("clip.mov", "not-a-video")]
    assert [one.workspace.path for one in series.outdated] == [old.path]
