"""`fercli show` and `fercli report` of a folder of workspaces."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from fercli.cli.entry import main
from tests.series.season import make_episode, make_season, record
from tests.views.report.film import EVIL


def test_show_has_a_row_a_video_and_the_persons_of_the_cast(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_season(tmp_path / "season")
    make_episode(tmp_path / "season", "more/e03", "/casts/show.cast")
    assert main(["show", str(tmp_path / "season")]) == 0
    shown = capsys.readouterr().out
    assert "3 videos, 0:27 with a result, 2 persons with a name that holds in all of them" in shown
    rows = [line.split() for line in shown.splitlines()]
    assert ["more/e03", "done", "9.0", "s", "2", "5"] in rows
    assert ["Person", "2", "6.0", "s", "3", "angry", "100", "%"] in rows
    assert "--cast" not in shown


def test_show_says_of_failed_videos_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, *_ = make_season(tmp_path / "season", cast="")
    (one.path / "workspace.json").write_text("{")
    record(tmp_path / "season", failed=["e02.mp4", "clip.mov"])
    assert main(["show", str(tmp_path / "season")]) == 0
    shown = capsys.readouterr().out
    rows = [line.split() for line in shown.splitlines()]
    assert ["e01", "failed:", "workspace-damaged"] in rows and ["clip.mov", "failed:", "not-a-video"] in rows
    assert ["e02", "outdated:", "not-a-video", "9.0", "s", "2", "5"] in rows
    assert "clip.mov: error[not-a-video]: clip.mov is no video" in shown
    assert main(["show", str(tmp_path / "season"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    states = {row["workspace"] or row["video"]: (row["state"], row["code"]) for row in document["videos"]}
    assert states == {
        "e01.fercli": ("failed", "workspace-damaged"),
        "e02.fercli": ("outdated", "not-a-video"),
        "clip.mov": ("failed", "not-a-video"),
    }


def test_json_tells_persons_of_one_video_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_season(tmp_path / "season", cast="")
    assert main(["show", str(tmp_path / "season"), "--json"]) == 0
    persons = {one["name"]: one for one in json.loads(capsys.readouterr().out)["persons"]}
    assert {name: one["known_in_all_videos"] for name, one in persons.items()} == {
        EVIL: True,
        "e01: Person 2": False,
        "e02: Person 2": False,
    }
    assert persons["e02: Person 2"]["videos"] == [
        {"workspace": "e02.fercli", "screen_time_s": 2.0, "seconds_by_emotion": {"angry": 2.0}}
    ]
    assert main(["show", str(tmp_path / "season")]) == 0
    assert "2 persons have a number of one video" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["show", "report"])
def test_a_folder_without_a_workspace_is_no_series(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / "empty").mkdir()
    assert main([name, str(tmp_path / "empty")]) == 4
    assert "error[not-a-workspace]" in capsys.readouterr().err


def test_report_of_a_folder_is_one_page_for_its_owner(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_season(tmp_path / "season")
    page = tmp_path / "series.html"
    assert main(["report", str(tmp_path / "season"), "-o", str(page), "-q"]) == 0
    assert capsys.readouterr().err == ""
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert main(["report", str(tmp_path / "season"), "-o", str(page)]) == 2
    assert "error[output-exists]" in capsys.readouterr().err
    assert main(["report", str(tmp_path / "season"), "-o", f"{tmp_path}/out/", "-q"]) == 0
    assert (tmp_path / "out" / "series.html").is_file()


def test_report_can_write_those_of_the_videos_and_replaces_none_unasked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_season(tmp_path / "season")
    mine = tmp_path / "season" / "e02.html"
    mine.write_text("mine")
    words = ["report", str(tmp_path / "season"), "-o", str(tmp_path / "series.html"), "-q", "--videos"]
    assert main(words) == 2
    assert mine.read_text() == "mine" and not (tmp_path / "season" / "e01.html").exists()
    capsys.readouterr()
    assert main([*words, "--overwrite"]) == 0
    assert mine.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert 'href="season/e02.html#t=5.000&amp;person=Person%202"' in (tmp_path / "series.html").read_text("utf-8")
    same = ["report", str(tmp_path / "season"), "-o", str(mine), "-q", "--videos", "--overwrite"]
    assert main(same) == 2
    assert "error[output-unsafe]" in capsys.readouterr().err


def test_report_names_what_is_not_on_it_and_ends_with_6(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_season(tmp_path / "season")
    record(tmp_path / "season", failed=["<clip>.mov"])
    page = tmp_path / "series.html"
    assert main(["report", str(tmp_path / "season"), "-o", str(page), "-q"]) == 6
    assert "<clip>.mov is left out: error[not-a-video]" in capsys.readouterr().err
    assert "&lt;clip&gt;.mov is not on this page: &lt;clip&gt;.mov is no video" in page.read_text("utf-8")


def test_videos_of_one_workspace_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = make_episode(tmp_path, "e01")
    assert main(["report", str(workspace.path), "-o", str(tmp_path / "x.html"), "--videos"]) == 2
    assert "error[option-conflict]" in capsys.readouterr().err
