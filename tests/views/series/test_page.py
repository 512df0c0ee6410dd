from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from fercli.series.reading import Series
from fercli.series.summary import summarise
from fercli.views.report.page import build as build_report
from fercli.views.series.links import find_links, report_of
from fercli.views.series.page import build
from tests.series.season import make_episode, make_season
from tests.views.report.film import EVIL, make_film_of_nobody
from tests.views.report.test_page import Elements


def page_of(folder: Path) -> str:
    return build(summarise(Series(folder)), folder.parent / "series.html")


def ids(page: str) -> list[str]:
    return re.findall(r'\bid="([^"]+)"', page)


def test_every_cell_leads_to_a_person_of_a_video(tmp_path: Path) -> None:
    make_season(tmp_path / "season")
    page = page_of(tmp_path / "season")
    assert len(ids(page)) == len(set(ids(page)))
    anchors = [address[1:] for address in Elements(page).addresses if address.startswith("#")]
    assert set(anchors) <= set(ids(page))
    assert {"v0-p0", "v0-p1", "v1-p0", "v1-p1", "video-0", "video-1"} <= set(anchors)
    matrix = page.split("<tbody>")[1].split("</tbody>")[0]
    assert matrix.count("<tr>") == 2 and matrix.count("<td") == 6


def test_the_bar_of_a_person_is_as_long_as_the_time_and_divided_by_class(tmp_path: Path) -> None:
    make_season(tmp_path / "season", ("e01",))
    page = page_of(tmp_path / "season")
    row = page.split('id="v0-p0"')[1].split("</svg>")[0]
    widths = {
        name: float(width) for width, name in re.findall(r'width="([\d.]+)" height="14" fill="url\(#(.+?)\)"', row)
    }
    legend = re.findall(r"url\(#(class-\d)\).*?</svg>(\w[\w ]+)</li>", page)
    shown = {dict(legend)[name]: width for name, width in widths.items()}
    assert shown == {
        "happy": pytest.approx(96 * 4 / 9, abs=0.1),
        "neutral": pytest.approx(96 * 4 / 9, abs=0.1),
        "not assessable": pytest.approx(96 / 9, abs=0.1),
    }
    (angry,) = re.findall(r'width="([\d.]+)" height="14"', page.split('id="v0-p1"')[1].split("</svg>")[0])[:1]
    assert float(angry) == pytest.approx(96 * 2 / 9, abs=0.1)


def test_the_page_runs_no_script_and_names_are_text(tmp_path: Path) -> None:
    make_season(tmp_path / "season")
    page = page_of(tmp_path / "season")
    elements = Elements(page)
    assert "script" not in elements.tags and "default-src 'none'" in page and "script-src" not in page
    assert EVIL in "".join(elements.text)
    assert all(address.startswith(("#", "data:")) for address in elements.addresses)
    assert "expressions, not feelings" in " ".join("".join(elements.text).split())


def test_without_a_cast_the_same_number_is_not_one_row(tmp_path: Path) -> None:
    make_season(tmp_path / "season", cast="")
    page = page_of(tmp_path / "season")
    assert page.split("<tbody>")[1].split("</tbody>")[0].count("<tr>") == 1  # the one with a name
    assert "2 persons with a number such as Person 1 are known in one video only" in page
    assert page.count("<h4>Person 2</h4>") == 2


def test_a_moment_leads_to_the_report_else_to_the_video_else_nowhere(tmp_path: Path) -> None:
    video = tmp_path / "épisode #1.mp4"
    video.write_bytes(bytes(1234))
    workspace = make_episode(tmp_path / "season", "e01", video=str(video))
    page = tmp_path / "series.html"

    def link() -> str:
        (row,) = summarise(Series(tmp_path / "season")).videos
        return find_links(row, page).moment(7.25, "Zoë & Bob")

    assert link() == "%C3%A9pisode%20%231.mp4#t=7.250"
    report = report_of(Series(tmp_path / "season").members[0])
    report.write_text("<html>mine</html>")
    assert link() == "%C3%A9pisode%20%231.mp4#t=7.250"
    report.write_text(build_report(workspace, report)[0], encoding="utf-8")
    assert link() == "season/e01.html#t=7.250&person=Zo%C3%AB%20%26%20Bob"
    report.unlink()
    video.unlink()
    assert link() == ""


def test_the_portrait_is_the_best_face_of_all_videos(tmp_path: Path) -> None:
    make_season(tmp_path / "season")
    summary = summarise(Series(tmp_path / "season"))
    portraits = re.findall(r'<img src="data:image/jpeg;base64,([^"]+)"', page_of(tmp_path / "season"))
    assert len(portraits) == len(summary.known) == 2 and portraits[0] != portraits[1]
    os.truncate(summary.videos[0].workspace.table("crops"), 10)
    os.truncate(summary.videos[1].workspace.table("crops"), 10)
    assert "<img" not in page_of(tmp_path / "season")  # a page without pictures is still a page


def test_a_video_of_nobody_has_a_section(tmp_path: Path) -> None:
    make_film_of_nobody(tmp_path / "season" / "empty.fercli")
    page = page_of(tmp_path / "season")
    assert "No person was found." in page and "<table" not in page and 'href="#videos"' in page


def test_links_are_those_of_this_page_only(tmp_path: Path) -> None:
    make_episode(tmp_path / "season", "e01")
    (row,) = summarise(Series(tmp_path / "season")).videos
    page = report_of(row.member)
    page.write_text('<meta name="generator" content="fercli 0.1.0">')
    assert find_links(row, page).report == ""
    assert find_links(replace(row), tmp_path / "series.html").report == "season/e01.html"
