"""Subtitles that belong to a video: which of them count."""

from __future__ import annotations

from pathlib import Path

from fercli.config import ANY_LANGUAGE, EMBEDDED
from fercli.formats.found_subtitles import subtitles_of
from tests.media_samples import ffmpeg, numbered_video

CUE = "1\n00:00:01,000 --> 00:00:02,000\n{}\n"


def found(video: Path, language: str = ANY_LANGUAGE, ignored: str = "") -> str:
    return Path(subtitles_of(video, language, lambda path: path.name == ignored)).name


def test_a_file_beside_comes_before_a_track(tmp_path: Path) -> None:
    picture = numbered_video(tmp_path / "picture.mp4", 10)
    (tmp_path / "b.txt").write_text(CUE.format("Hello."), encoding="utf-8")
    video = tmp_path / "a.mkv"
    ffmpeg("-i", str(picture), "-f", "srt", "-i", str(tmp_path / "b.txt"), "-c", "copy", str(video))
    assert found(picture) == "" and found(video) == EMBEDDED
    (tmp_path / "a.en.srt").write_text(CUE.format("Hello."), encoding="utf-8")
    assert found(video) == EMBEDDED and found(video, "en") == "a.en.srt"
    (tmp_path / "a.vtt").write_text("WEBVTT\n\n" + CUE.format("Hello.").replace(",", "."), encoding="utf-8")
    assert found(video) == found(video, "en") == "a.vtt"
    assert found(video, ignored="a.vtt") == EMBEDDED


def test_emotions_and_unreadable_files_do_not_count(tmp_path: Path) -> None:
    video = numbered_video(tmp_path / "a.mp4", 10)
    for text in (CUE.format("Ross: happiness"), "no cue", ""):
        (tmp_path / "a.srt").write_text(text, encoding="utf-8")
        assert found(video) == ""
    (tmp_path / "a.srt").write_bytes(b"\xff\xfe\x00")
    assert found(video) == "" and found(tmp_path / "missing.mp4") == ""
