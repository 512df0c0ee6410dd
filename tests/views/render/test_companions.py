"""What comes with the pictures: subtitles, chapters, and sound that is not as one expects."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from fercli.media.container import open_video
from fercli.progress import Silent
from fercli.views.render.companions import Companions
from fercli.views.render.encode import new_container
from fercli.views.render.video import render
from tests.media_samples import ffmpeg, numbered_video
from tests.views.render.scenes import add_click, click_time, grey_video, make_scene, times

SPOKEN = "1\n00:00:00,500 --> 00:00:01,250\nHello, <i>Zoë</i>\n\n2\n00:00:02,000 --> 00:00:02,600\nBye\nnow\n\n"
CHAPTERS = (
    ";FFMETADATA1\n"
    "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1500\ntitle=Début\n"
    "[CHAPTER]\nTIMEBASE=1/1000\nSTART=1500\nEND=3000\ntitle=Fin\n"
)


def film(tmp_path: Path, name: str, codec: str) -> Path:
    """Three seconds with two subtitles in French and two chapters."""
    video = numbered_video(tmp_path / "silent.mp4", 90)
    (tmp_path / "spoken.srt").write_text(SPOKEN, encoding="utf-8")
    (tmp_path / "chapters.txt").write_text(CHAPTERS, encoding="utf-8")
    inputs = [
        part for file in (video, tmp_path / "spoken.srt", tmp_path / "chapters.txt") for part in ("-i", str(file))
    ]
    copy = ("-map", "0", "-map", "1", "-map_metadata", "2", "-c:v", "copy", "-c:s", codec)
    ffmpeg(*inputs, *copy, "-metadata:s:s:0", "language=fra", str(tmp_path / name))
    return tmp_path / name


def rendered(tmp_path: Path, source: Path, name: str) -> tuple[Path, list[str]]:
    """What becomes of a source in which no face is seen, and the warnings."""
    reporter = Silent()
    render(make_scene(tmp_path / "w", source, {}), tmp_path / name, reporter=reporter)
    return tmp_path / name, reporter.warnings


def subtitles(path: Path) -> list[tuple[float, float, str]]:
    """Begin and end, seconds, and text of each subtitle of the first track, as ffmpeg decodes them."""
    with av.open(str(path)) as container:
        stream = container.streams.subtitles[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
        return [
            (float(packet.pts * packet.time_base), float((packet.pts + packet.duration) * packet.time_base), words)
            for packet in packets
            if (words := " ".join(line.dialogue.decode() for line in stream.codec_context.decode2(packet) or ()))
        ]


@pytest.mark.parametrize(
    ("name", "codec", "out"),
    [
        ("v.mp4", "mov_text", "out.mp4"),
        ("v.mp4", "mov_text", "out.mkv"),
        ("v.mkv", "srt", "out.mp4"),
        ("v.mkv", "srt", "out.mkv"),
        ("v.mkv", "ass", "out.mov"),
        ("v.mkv", "ass", "out.mkv"),
        ("v.mkv", "webvtt", "out.mp4"),
    ],
)
def test_subtitles_keep_time_words_and_language(tmp_path: Path, name: str, codec: str, out: str) -> None:
    target, warnings = rendered(tmp_path, film(tmp_path, name, codec), out)
    (begin, end, first), (later, latest, second) = subtitles(target)
    assert (begin, end, later, latest) == pytest.approx((0.5, 1.25, 2.0, 2.6), abs=1e-3)
    assert "Hello, " in first and "Zoë" in first
    assert second.replace("\\N", "\n") == "Bye\nnow"
    with av.open(str(target)) as container:
        assert container.streams.subtitles[0].metadata["language"] == "fra"
    assert warnings == []


def chapters(path: Path) -> list[tuple[str, float, float]]:
    """Title, begin and end, seconds."""
    with av.open(str(path)) as container:
        return [
            (one["metadata"]["title"], float(one["start"] * one["time_base"]), float(one["end"] * one["time_base"]))
            for one in container.chapters()
            if one["time_base"]
        ]


@pytest.mark.parametrize(("name", "codec"), [("v.mp4", "mov_text"), ("v.mkv", "srt")])
@pytest.mark.parametrize("out", ["out.mp4", "out.mkv"])
def test_chapters_keep_times_and_titles(tmp_path: Path, name: str, codec: str, out: str) -> None:
    target, _ = rendered(tmp_path, film(tmp_path, name, codec), out)
    assert chapters(target) == [("Début", 0, 1.5), ("Fin", 1.5, 3)]


def test_sound_subtitles_and_chapters_move_together(tmp_path: Path) -> None:
    source = add_click(film(tmp_path, "v.mkv", "srt"), tmp_path / "click.mkv", 1.0, "-map", "0:s", "-c:a", "flac")
    with (
        new_container(tmp_path / "out.mkv", Fraction(1, 1000)) as target,
        open_video(source) as (container, _),
    ):
        Companions(container, target, Fraction(3, 2)).finish()
    assert click_time(tmp_path / "out.mkv") == pytest.approx(2.5, abs=0.002)
    assert [begin for begin, _, _ in subtitles(tmp_path / "out.mkv")] == pytest.approx([2.0, 3.5], abs=1e-3)
    assert chapters(tmp_path / "out.mkv") == [("Début", 1.5, 3), ("Fin", 3, 4.5)]


def test_subtitles_made_of_pictures_are_left_out_of_an_mp4_and_named(tmp_path: Path) -> None:
    source = film(tmp_path, "v.mkv", "srt")
    pictures = tmp_path / "pictures.mkv"
    with av.open(str(source)) as texts, av.open(str(pictures), "w") as target:
        video = target.add_stream_from_template(texts.streams.video[0])
        target.add_mux_stream("hdmv_pgs_subtitle")
        for packet in texts.demux(video=0):
            if packet.size:
                packet.stream = video
                target.mux(packet)
    target, warnings = rendered(tmp_path, pictures, "out.mp4")
    assert warnings == ["pictures.mkv: a track of hdmv_pgs_subtitle subtitles is left out: mp4 cannot hold it"]
    assert len(times(target)) == 90


def test_a_track_of_sound_of_which_nothing_comes_is_left_out_and_named(tmp_path: Path) -> None:
    """A transport stream announces sound; where it begins late, nobody knows yet how it sounds."""
    silent = numbered_video(tmp_path / "silent.mp4", 600)
    click = add_click(silent, tmp_path / "early.mp4", 1.0, "-c:a", "aac")
    both = ("-map", "0:v", "-map", "1:a", "-c", "copy")
    ffmpeg("-i", str(silent), "-itsoffset", "12", "-i", str(click), *both, str(tmp_path / "v.ts"))
    target, warnings = rendered(tmp_path, tmp_path / "v.ts", "out.mp4")
    assert warnings == ["v.ts: a track of aac sound is left out: it has no packets at the start of the file"]
    assert len(times(target)) == 600


def test_sound_goes_on_after_the_pictures(tmp_path: Path) -> None:
    source = add_click(grey_video(tmp_path / "s.mp4", 20), tmp_path / "v.mp4", 4.0, "-c:a", "aac", duration_s=5)
    target, _ = rendered(tmp_path, source, "out.mp4")
    assert click_time(target) == pytest.approx(4.0, abs=0.01)
    with av.open(str(target)) as container:
        assert container.duration == pytest.approx(5_000_000, abs=70_000)


@pytest.mark.parametrize(("codec", "out"), [("aac", "out.mp4"), ("pcm_s16be", "out.mp4"), ("pcm_s16le", "out.mkv")])
def test_sound_with_a_pause_in_it_comes_back_in_time(tmp_path: Path, codec: str, out: str) -> None:
    """Sound from 0 s to 0.5 s, nothing at all for 1.5 s, then a click at 2.5 s, which may not come early."""
    silent = grey_video(tmp_path / "silent.mp4", 40)
    pause = ("-af", "aselect='not(between(t,0.5,2))'", "-c:a", codec, "-ar", "16000")
    source = add_click(silent, tmp_path / "v.mkv", 2.5, *pause)
    assert click_time(source) == pytest.approx(2.5, abs=0.07)
    target, _ = rendered(tmp_path, source, out)
    assert click_time(target) == pytest.approx(click_time(source), abs=0.01)
