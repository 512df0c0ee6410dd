from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urljoin

from fercli.views.report.playback import find_video
from fercli.workspace import VideoFacts
from tests.workspaces import VIDEO


def of(path: Path) -> VideoFacts:
    """Facts of a file that is there."""
    return replace(VIDEO, path=str(path), size=path.stat().st_size)


def test_the_link_leads_from_the_page_to_the_video_whatever_its_name(tmp_path: Path) -> None:
    video = tmp_path / "films" / 'épisode 1: 100 % "now" #3?.mp4'
    video.parent.mkdir()
    video.write_bytes(b"video")
    page = tmp_path / "out" / "deep" / "report.html"
    found = find_video(of(video), page)
    assert found.problem == ""
    assert not found.source.startswith(("/", "file:")) and ":" not in found.source
    assert unquote(urljoin(page.as_uri(), found.source)) == unquote(video.as_uri())


def test_a_video_that_is_gone_is_named(tmp_path: Path) -> None:
    found = find_video(replace(VIDEO, path=str(tmp_path / "gone.mp4")), tmp_path / "report.html")
    assert found.source == "" and f"no longer at {tmp_path / 'gone.mp4'}" in found.problem


def test_a_name_that_is_no_text_can_be_written_on_the_page(tmp_path: Path) -> None:
    found = find_video(replace(VIDEO, path="/films/a\udcff.mp4"), tmp_path / "report.html")
    assert found.problem == "the video is no longer at /films/a\ufffd.mp4"


def test_a_file_of_another_size_is_not_played(tmp_path: Path) -> None:
    video = tmp_path / "film.mp4"
    video.write_bytes(b"video")
    facts = of(video)
    video.write_bytes(b"another video")
    found = find_video(facts, tmp_path / "report.html")
    assert found.source == "" and "has changed since it was analysed" in found.problem
