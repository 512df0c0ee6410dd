"""decord where it was asked for and reads as a player does, PyAV with a word on why everywhere else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fercli.media import decode as decoding
from fercli.media import decord_reader
from fercli.media.decode import decode, read_frames
from fercli.media.decord_loader import load_decord
from fercli.media.index import read_index
from tests.media_samples import (
    H264,
    H264_B_FRAMES,
    ffmpeg,
    numbered_video,
    quarters,
    read_number,
    shape_change,
    write_video,
)

COUNT = 40
YUV = ("-pix_fmt", "yuv420p")
VARIABLE = ("-vf", "setpts='(N/30+floor(N/5)*0.1)/TB+0.5'", "-fps_mode", "passthrough")
READ_BY_DECORD = {
    "plain.mp4": H264,
    "b.mov": H264_B_FRAMES,
    "variable.mkv": (*H264_B_FRAMES, *VARIABLE),
    "mpeg4.mp4": ("-c:v", "mpeg4", "-q:v", "3", *YUV),
    "full.mp4": (*H264, "-color_range", "pc", "-colorspace", "bt709"),
}
READ_BY_PYAV = {
    "b.ts": (H264_B_FRAMES, "container"),
    "xvid.avi": (("-c:v", "mpeg4", "-q:v", "3", *YUV), "container"),
    "hevc.mp4": (("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error", *YUV), "hevc"),
    "vp9.webm": (("-c:v", "libvpx-vp9", "-cpu-used", "8", "-deadline", "realtime", *YUV), "vp9"),
    "full_colour.mp4": (("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv444p"), "yuv444p"),
}


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> type:
    """decord's reader, the class that is used, to be altered."""
    decord = load_decord()

    class Reader(decord.VideoReader):  # type: ignore[misc, name-defined]
        pass

    monkeypatch.setattr(decord, "VideoReader", Reader)
    return Reader


def warnings_of(path: Path) -> list[str]:
    """What is said when decord is asked for all frames, each of which comes and is the right one."""
    said: list[str] = []
    read = [(n, read_number(image)) for n, image in read_frames(path, range(COUNT), decoder="decord", warn=said.append)]
    assert read == [(n, n) for n in range(COUNT)]
    return said


@pytest.mark.parametrize("name", READ_BY_DECORD)
def test_decord_does_the_work_where_it_can_and_gives_the_same_pixels(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = numbered_video(tmp_path / name, COUNT, encode=READ_BY_DECORD[name])
    by_pyav = [p.rgb() for p in decode(path, read_index(path), range(COUNT))]
    monkeypatch.setattr(decoding, "_pyav_pictures", lambda *_, **__: pytest.fail("PyAV was asked to decode"))
    by_decord = [p.rgb() for p in decode(path, read_index(path), range(COUNT), decoder="decord", warn=pytest.fail)]
    np.testing.assert_array_equal(by_decord, by_pyav)


@pytest.mark.parametrize("name", READ_BY_PYAV)
def test_pyav_reads_what_decord_reads_wrong_and_says_why(tmp_path: Path, name: str, reader: type) -> None:
    reader.next = lambda _: pytest.fail("decord was asked for a frame")  # type: ignore[attr-defined]
    encode, word = READ_BY_PYAV[name]
    (warning,) = warnings_of(numbered_video(tmp_path / name, COUNT, encode=encode))
    assert name in warning and word in warning


def test_edit_lists_are_not_for_decord(tmp_path: Path) -> None:
    numbered_video(tmp_path / "v.mp4", COUNT, encode=(*H264_B_FRAMES, "-g", "48"))
    path = tmp_path / "edit.mp4"
    ffmpeg("-ss", "0.5", "-i", str(tmp_path / "v.mp4"), "-c", "copy", str(path))
    said: list[str] = []
    read = [read_number(image) for _, image in read_frames(path, range(COUNT), decoder="decord", warn=said.append)]
    assert read == list(range(15, COUNT))
    assert len(said) == 1 and "edit list" in said[0]


def test_files_that_change_their_size_are_not_for_decord(tmp_path: Path) -> None:
    path = shape_change(tmp_path / "v.mp4", quarters(), np.kron(quarters(), np.ones((2, 2, 1), np.uint8)))
    assert "size" in decord_reader.why_not_decord(path, read_index(path))


def test_mirrored_files_are_not_for_decord(tmp_path: Path) -> None:
    write_video(tmp_path / "v.mp4", [quarters()] * 3)
    ffmpeg("-display_hflip", "-i", str(tmp_path / "v.mp4"), "-c", "copy", str(tmp_path / "m.mp4"))
    path = tmp_path / "m.mp4"
    assert "mirroring" in decord_reader.why_not_decord(path, read_index(path))


def test_what_does_not_fit_into_memory_is_not_for_decord(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = numbered_video(tmp_path / "v.mp4", 10)
    assert not decord_reader.why_not_decord(path, read_index(path))
    monkeypatch.setattr(decord_reader, "DECORD_BYTES", 10 * 128 * 64 * 3 - 1)
    assert "memory" in decord_reader.why_not_decord(path, read_index(path))


def test_pyav_goes_on_where_decord_gives_up(tmp_path: Path, reader: type) -> None:
    decord, original, taken = load_decord(), reader.next, iter(range(COUNT))  # type: ignore[attr-defined]

    def failing(self: object) -> object:
        if next(taken) >= 20:
            raise decord.DECORDError("Error sending packet")
        return original(self)

    reader.next = failing  # type: ignore[attr-defined]
    (warning,) = warnings_of(numbered_video(tmp_path / "v.mp4", COUNT))
    assert "frame 20" in warning


def test_decord_is_not_used_if_it_counts_differently(tmp_path: Path, reader: type) -> None:
    reader.__len__ = lambda _: COUNT + 1  # type: ignore[attr-defined]
    reader.next = lambda _: pytest.fail("decord was asked for a frame")  # type: ignore[attr-defined]
    (warning,) = warnings_of(numbered_video(tmp_path / "v.mp4", COUNT))
    assert str(COUNT + 1) in warning


def test_decord_is_never_used_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decord_reader, "load_decord", lambda: pytest.fail("decord was imported"))
    path = numbered_video(tmp_path / "v.mp4", 5)
    assert [n for n, _ in read_frames(path, range(5))] == list(range(5))
