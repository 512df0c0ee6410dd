from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fercli.media.decode import PREVIEW_SIDE, decode, read_frames
from fercli.media.index import read_index
from tests.media_samples import H264, H264_B_FRAMES, cut_short, ffmpeg, numbered_video, read_number, write_video

COUNT = 60
YUV = ("-pix_fmt", "yuv420p")
OPEN_GOP = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-g", "12", "-x264-params", "open-gop=1", *YUV)
HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:bframes=3", *YUV)
VARIABLE = ("-vf", "setpts='(N/30+floor(N/5)*0.1)/TB+0.5'", "-fps_mode", "passthrough")
VIDEOS = {
    "plain.mp4": H264,
    "b.mp4": H264_B_FRAMES,
    "open.mp4": OPEN_GOP,
    "variable.mkv": (*H264_B_FRAMES, *VARIABLE),
    "late.mp4": (*H264_B_FRAMES, "-vf", "setpts=PTS+25"),
    "b.ts": H264_B_FRAMES,
    "open.ts": OPEN_GOP,
    "b.avi": H264_B_FRAMES,
    "xvid.avi": ("-c:v", "mpeg4", "-bf", "2", "-q:v", "3", *YUV),
    "mpeg2.mpg": ("-c:v", "mpeg2video", "-bf", "2", "-q:v", "3", *YUV),
    "motion.avi": ("-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p"),
    "hevc.mov": HEVC,
    "vp9.webm": ("-c:v", "libvpx-vp9", "-cpu-used", "8", "-deadline", "realtime", *YUV),
    "raw.h264": H264_B_FRAMES,
}
SOME = [0, 1, 2, 11, 12, 13, 24, 25, 40, 59]


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    for name, encode in VIDEOS.items():
        numbered_video(folder / name, COUNT, encode=encode)
    return folder


@pytest.mark.parametrize("name", VIDEOS)
def test_picture_and_number_agree(videos: Path, name: str) -> None:
    """Whatever the container, the codec, the start time or the frame rate, and however many frames are left out."""
    path = videos / name
    assert [(n, read_number(image)) for n, image in read_frames(path, itertools.count())] == [
        (n, n) for n in range(COUNT)
    ]
    assert [(n, read_number(image)) for n, image in read_frames(path, SOME)] == [(n, n) for n in SOME]


@pytest.mark.parametrize("width", [16, 34, 62, 96, 126, 130])
def test_narrow_pictures_have_three_channels_on_every_processor(tmp_path: Path, width: int) -> None:
    shown = np.zeros((48, width, 3), np.uint8)
    shown[:, width // 2 :] = 255
    write_video(tmp_path / "v.mp4", itertools.repeat(shown, 4), encode=H264)
    pictures = dict(read_frames(tmp_path / "v.mp4", itertools.count()))
    assert list(pictures) == [0, 1, 2, 3]
    for image in pictures.values():
        assert image.shape == (48, width, 3)
        assert image[:, : width // 2 - 2].max() < 30 and image[:, width // 2 + 2 :].min() > 225


@pytest.mark.parametrize("name", ["b.mp4", "open.mp4", "variable.mkv", "vp9.webm"])
def test_both_decoders_give_the_same_pixels(videos: Path, name: str) -> None:
    index = read_index(videos / name)
    assert index.decord
    by_decord = [p.rgb() for p in decode(videos / name, index, SOME)]
    by_pyav = [p.rgb() for p in decode(videos / name, replace(index, decord=False), SOME)]
    np.testing.assert_array_equal(by_decord, by_pyav)


def test_decord_does_the_work_where_it_can(videos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = read_index(videos / "b.mp4")

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("PyAV was asked to decode")

    monkeypatch.setattr("fercli.media.decode._pyav_pictures", refuse)
    assert len(list(decode(videos / "b.mp4", index, range(COUNT)))) == COUNT


def test_pyav_goes_on_where_decord_gives_up(videos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import decord

    class Failing(decord.VideoReader):  # type: ignore[misc]
        taken = 0

        def next(self) -> object:
            self.taken += 1
            if self.taken > 20:
                raise decord.DECORDError("Error sending packet")
            return super().next()

    monkeypatch.setattr(decord, "VideoReader", Failing)
    pictures = decode(videos / "b.mp4", read_index(videos / "b.mp4"), range(COUNT))
    assert [(p.frame, read_number(p.rgb())) for p in pictures] == [(n, n) for n in range(COUNT)]


def test_decord_is_not_used_if_it_counts_differently(videos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import decord

    monkeypatch.setattr(decord.VideoReader, "__len__", lambda _: COUNT + 1)
    monkeypatch.setattr(decord.VideoReader, "next", lambda _: pytest.fail("decord was asked for a frame"))
    pictures = decode(videos / "b.mp4", read_index(videos / "b.mp4"), range(COUNT))
    assert [read_number(p.rgb()) for p in pictures] == list(range(COUNT))


def test_reading_stops_at_the_last_wanted_frame(videos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import decord

    taken = 0
    original = decord.VideoReader.next

    def counting(reader: decord.VideoReader) -> object:
        nonlocal taken
        taken += 1
        return original(reader)

    monkeypatch.setattr(decord.VideoReader, "next", counting)
    assert [n for n, _ in read_frames(videos / "b.mp4", [3, 5])] == [3, 5]
    assert taken <= 7
    assert list(read_frames(videos / "b.mp4", [])) == []
    assert [n for n, _ in read_frames(videos / "b.mp4", [58, COUNT, COUNT + 5])] == [58]


def _quarters() -> np.ndarray:
    """Red top left, green top right, blue bottom left, white bottom right."""
    image = np.zeros((64, 128, 3), np.uint8)
    image[:32, :64] = (255, 0, 0)
    image[:32, 64:] = (0, 255, 0)
    image[32:, :64] = (0, 0, 255)
    image[32:, 64:] = (255, 255, 255)
    return image


@pytest.mark.parametrize("by_decord", [True, False], ids=["decord", "PyAV"])
@pytest.mark.parametrize("display_rotation", [0, 90, 180, 270])
def test_frames_are_upright(tmp_path: Path, display_rotation: int, by_decord: bool) -> None:
    write_video(tmp_path / "v.mp4", itertools.repeat(_quarters(), 4))
    turned = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", str(display_rotation), "-i", str(tmp_path / "v.mp4"), "-c", "copy", str(turned))
    upright = np.rot90(_quarters(), display_rotation // 90)  # the display matrix turns counterclockwise
    index = replace(read_index(turned), decord=by_decord)
    (picture,) = decode(turned, index, [2])
    for image in (picture.rgb(), picture.preview()):
        assert image.shape == upright.shape
        assert image.flags.c_contiguous
        for y, x in itertools.product((0.25, 0.75), repeat=2):
            row, column = int(y * image.shape[0]), int(x * image.shape[1])
            assert np.abs(image[row, column].astype(int) - upright[row, column]).max() < 12


@pytest.mark.parametrize("by_decord", [True, False], ids=["decord", "PyAV"])
def test_preview_is_small_and_shows_the_same(tmp_path: Path, by_decord: bool) -> None:
    wide = np.kron(_quarters(), np.ones((6, 6, 1), np.uint8))  # 768 x 384
    path = write_video(tmp_path / "v.mp4", itertools.repeat(wide, 2))
    (picture,) = decode(path, replace(read_index(path), decord=by_decord), [1])
    preview = picture.preview()
    assert preview.shape == (128, PREVIEW_SIDE, 3)
    assert picture.rgb().shape == wide.shape
    assert np.abs(preview[40, 60].astype(int) - (255, 0, 0)).max() < 12
    assert np.abs(preview[100, 60].astype(int) - (0, 0, 255)).max() < 12


@pytest.mark.parametrize(("name", "fewest"), [("v.mp4", 20), ("v.ts", 20), ("v.avi", 20), ("v.mkv", 20)])
def test_a_file_cut_short_gives_what_decodes(tmp_path: Path, name: str, fewest: int) -> None:
    codec = ("-c:v", "mpeg4", "-q:v", "3", *YUV) if name.endswith("avi") else H264
    numbered_video(tmp_path / name, COUNT, encode=(*codec, "-movflags", "+faststart") if name == "v.mp4" else codec)
    path = cut_short(tmp_path / name, tmp_path / f"cut_{name}", 0.75)
    read = [(n, read_number(image)) for n, image in read_frames(path, itertools.count())]
    assert fewest <= len(read) < COUNT
    assert read[:-1] == [(n, n) for n in range(len(read) - 1)]  # the last one may be half a picture


def test_parallel_decoding_loses_no_frame_before_the_break(tmp_path: Path) -> None:
    """With PyAV's frame threads, an undecodable last packet took two good frames with it."""
    numbered_video(tmp_path / "v.mp4", COUNT, encode=(*H264_B_FRAMES, "-movflags", "+faststart"))
    path = cut_short(tmp_path / "v.mp4", tmp_path / "cut.mp4", 0.8)
    index = read_index(path)
    assert not index.decord
    assert len(list(decode(path, index, itertools.count()))) == len(index.pts_s) - 1


@pytest.mark.parametrize("by_decord", [True, False], ids=["decord", "PyAV"])
def test_a_lost_frame_does_not_shift_the_others(tmp_path: Path, by_decord: bool) -> None:
    path = numbered_video(tmp_path / "v.mp4", COUNT, encode=(*H264_B_FRAMES, "-sc_threshold", "0"))
    _blank_one_b_frame(path)
    index = replace(read_index(path), decord=by_decord)
    read = [(p.frame, read_number(p.rgb())) for p in decode(path, index, itertools.count())]
    assert len(read) == COUNT - 1
    assert all(frame == shown for frame, shown in read)


def _blank_one_b_frame(path: Path) -> None:
    """Overwrite the smallest packet of the middle of the file with zeros: nothing refers to it."""
    import av

    def packets() -> Iterator[tuple[int, int]]:
        with av.open(str(path)) as container:
            for packet in container.demux(container.streams.video[0]):
                if packet.size and packet.pos is not None:
                    yield packet.size, packet.pos

    size, position = min(list(packets())[25:45])
    content = bytearray(path.read_bytes())
    content[position : position + size] = bytes(size)
    path.write_bytes(content)
