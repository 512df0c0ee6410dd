from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from fercli.errors import VideoError
from fercli.media.container import open_video
from fercli.media.decode import read_frames
from fercli.media.probe import probe
from tests.media_samples import cut_short, ffmpeg, numbered_video, read_number


def _refusal(path: Path, *, named: bool = True) -> VideoError:
    with pytest.raises(VideoError) as caught, open_video(path):
        pass
    assert str(path) in caught.value.message or not named
    assert caught.value.hint
    assert caught.value.exit_code == 3
    return caught.value


def test_each_kind_of_bad_file_gets_its_own_message(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("this is no video\n" * 50)
    (tmp_path / "notes.txt").write_text("this is no video\n" * 50)
    ffmpeg("-f", "lavfi", "-i", "sine=d=1", str(tmp_path / "tone.m4a"))
    numbered_video(tmp_path / "whole.mp4", 10)
    cut_short(tmp_path / "whole.mp4", tmp_path / "half.mp4", 0.5)
    expected = {
        "missing.mp4": "there is no file",
        ".": "is a directory",
        "empty.mp4": "is empty",
        "text.mp4": "is not a video",
        "notes.txt": "is a text file",
        "tone.m4a": "has sound but no picture",
        "half.mp4": "is cut short or damaged",
    }
    for name, words in expected.items():
        assert words in _refusal(tmp_path / name).message


PLAYLISTS = {
    "list.ffconcat": "ffconcat version 1.0\nfile part.ts\nfile part.ts\n",
    "list.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\npart.ts\n#EXT-X-ENDLIST\n",
    "talk.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
    "a=rtpmap:96 H264/90000\n",
    "concat-by-content.mp4": "ffconcat version 1.0\nfile part.ts\n",
}


@pytest.mark.parametrize("name", PLAYLISTS)
@pytest.mark.parametrize("there", [True, False])
def test_a_playlist_is_refused_before_what_it_names_is_opened(tmp_path: Path, name: str, there: bool) -> None:
    if there:
        numbered_video(tmp_path / "part.ts", 10)
    (tmp_path / name).write_text(PLAYLISTS[name])
    refusal = _refusal(tmp_path / name)
    assert "playlist" in refusal.message and "ffmpeg" in refusal.hint and str(tmp_path / name) in refusal.hint


def test_the_hint_for_a_playlist_can_be_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    numbered_video(Path("part.ts"), 10)
    for name in ("list.ffconcat", "list.m3u8"):
        Path(name).write_text(PLAYLISTS[name])
        command = shlex.split(_refusal(Path(name)).hint.partition(": ")[2])
        assert command[0] == "ffmpeg"
        ffmpeg(*command[1:])
        with open_video(Path("NEW.mkv")) as (_, stream):
            assert stream.width == 128


def test_cover_art_is_no_video(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", "1", str(tmp_path / "cover.png"))
    ffmpeg(
        *("-f", "lavfi", "-i", "sine=d=1", "-i", str(tmp_path / "cover.png")),
        *("-map", "0", "-map", "1", "-c:v", "copy", "-disposition:v", "attached_pic", str(tmp_path / "song.m4a")),
    )
    assert "has sound but no picture" in _refusal(tmp_path / "song.m4a").message


def test_a_title_in_another_encoding_is_no_obstacle(tmp_path: Path) -> None:
    path = numbered_video(tmp_path / "plain.mp4", 2)
    ffmpeg("-i", str(path), "-c", "copy", "-metadata", "title=xxTITLExx", str(tmp_path / "titled.mp4"))
    content = (tmp_path / "titled.mp4").read_bytes()
    (tmp_path / "titled.mp4").write_bytes(content.replace(b"xxTITLExx", "Café Noir".encode("latin-1")))
    with open_video(tmp_path / "titled.mp4") as (container, stream):
        assert container.metadata["title"] in ("Caf\ufffd Noir", "Caf\udce9 Noir")  # up to PyAV 18, from 19 on
        assert stream.frames == 2


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = numbered_video(tmp_path / "private.mp4", 2)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert "Permission denied" in _refusal(path).message


NAMES = (
    *("talk:1.mp4", "concat:a|b.mp4", "http:x.mp4", "file:x.mp4", "-x.mp4", "subfile,,x:.mp4", "crypto:x.mp4"),
    *("100 %.mp4", "a%03d.mp4", "what?.mp4", "a*{b}.mp4", "blank .mp4 ", "dot.mp4.", ".mp4", "'\"&;$(x).mp4"),
    *("Zoe\u0308.mp4", "Zo\u00eb.mp4", "x" * 251 + ".mp4"),
)
"""What ffmpeg takes for a protocol or a pattern, what a shell or a file system might, and the longest name there is."""


@pytest.mark.parametrize("name", NAMES)
def test_a_relative_name_is_always_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    numbered_video(tmp_path / "made.mp4", 12).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    with open_video(Path(name)) as (_, stream):
        assert stream.frames == 12
    assert probe(Path(name)).path == str(tmp_path / name)
    assert [read_number(image) for _, image in read_frames(Path(name), [0, 7])] == [0, 7]


def test_a_pipe_and_what_is_no_path_are_refused_before_they_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "a pipe" in _refusal(tmp_path / "pipe").message
    assert "ffmpeg -i rtsp://host/x" in _refusal(Path("rtsp:/host/x"), named=False).hint
    assert "COMMAND > FILE" in _refusal(Path("/dev/fd/63")).hint


def test_an_unknown_codec_is_a_video_error(tmp_path: Path) -> None:
    content = numbered_video(tmp_path / "good.mp4", 12).read_bytes()
    assert content.count(b"avc1")
    (tmp_path / "odd.mp4").write_bytes(content.replace(b"avc1", b"zq7!"))
    assert "codec" in _refusal(tmp_path / "odd.mp4").message
    with pytest.raises(VideoError):
        probe(tmp_path / "odd.mp4")
