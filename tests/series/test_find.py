from __future__ import annotations

import os
from pathlib import Path

import pytest

from fercli.batch.outcome import FAILED, Outcome, write_outcomes
from fercli.errors import InputError, WorkspaceError
from fercli.series.find import Failure, find_members, is_series, read_failures
from tests.failing import fails
from tests.series.season import make_episode


def test_workspaces_are_found_at_any_depth_in_a_fixed_order(tmp_path: Path) -> None:
    for name in ("b", "a/c", "a/b"):
        make_episode(tmp_path, name)
    make_episode(tmp_path, ".trash/x")
    (tmp_path / "named by hand").mkdir()
    (tmp_path / "b.fercli" / "workspace.json").rename(tmp_path / "named by hand" / "workspace.json")
    found = find_members(tmp_path)
    assert [one.inside for one in found] == ["a/b.fercli", "a/c.fercli", "b.fercli", "named by hand"]
    assert [one.name for one in found] == ["a/b", "a/c", "b", "named by hand"]


def test_a_name_that_is_not_utf8_can_be_written(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.fercli")).mkdir()
    (member,) = find_members(tmp_path)
    assert member.inside == "caf\N{REPLACEMENT CHARACTER}.fercli" and member.path.is_dir()


def test_what_is_no_folder_of_workspaces_is_refused(tmp_path: Path) -> None:
    make_episode(tmp_path / "season", "e01")
    with fails(InputError, "workspace-missing"):
        find_members(tmp_path / "not there")
    (tmp_path / "empty").mkdir()
    with fails(InputError, "workspace-missing", "empty"):
        find_members(tmp_path / "empty")
    with fails(WorkspaceError, "not-a-series", "e01.fercli"):
        find_members(tmp_path / "season" / "e01.fercli")
    places = {"season": True, "season/e01.fercli": False, "empty": False, "not there": False}
    assert {place: is_series(tmp_path / place) for place in places} == places


def test_failures_are_read_from_what_a_run_writes(tmp_path: Path) -> None:
    assert read_failures(tmp_path) == []
    odd = os.fsdecode(b"caf\xe9.mp4")
    failed = Outcome(odd, FAILED, code="not-a-video", message="no video", hint="look")
    write_outcomes(tmp_path, [Outcome("a.mp4", "done"), failed])
    assert read_failures(tmp_path) == [Failure(odd, "not-a-video", "no video", "look")]


@pytest.mark.parametrize("content", ["{", "[]", '{"videos": [{"state": "failed"}]}', '{"videos": 3}'])
def test_a_damaged_record_is_an_error_and_not_a_season_without_failures(tmp_path: Path, content: str) -> None:
    (tmp_path / "batch.json").write_text(content)
    with fails(InputError, "file-unreadable", "batch.json"):
        read_failures(tmp_path)


@pytest.mark.parametrize(
    ("given", "same"),
    [
        ("/films/a/e1.mp4", True),
        ("a/e1.mp4", True),
        ("e1.mp4", True),
        ("../films/./a/e1.mp4", True),
        ("b/e1.mp4", False),
        ("1.mp4", False),
        ("", False),
    ],
)
def test_a_failure_is_that_of_the_video_whose_path_ends_like_it(given: str, same: bool) -> None:
    assert Failure(given, "", "", "").is_of("/films/a/e1.mp4") == same
