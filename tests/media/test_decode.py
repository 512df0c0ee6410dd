from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fercli.media import decode as decoding
from fercli.media.decode import decode, read_frames
from fercli.media.index import read_index
from fercli.media.picture import PREVIEW_SIDE
from tests.media_samples import H264, H264_B_FRAMES, cut_short, numbered_video, quarters, read_number, write_video

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


def test_reading_stops_at_the_last_wanted_frame(videos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = 0
    original = decoding._Converter.picture

    def counting(painter: object, number: int, frame: object) -> object:
        nonlocal taken
        taken += 1
        return original(painter, number, frame)  # type: ignore[arg-type]

    monkeypatch.setattr(decoding._Converter, "picture", counting)
    assert [n for n, _ in read_frames(videos / "b.mp4", [3, 5])] == [3, 5]
    assert taken <= 7
    assert list(read_frames(videos / "b.mp4", [])) == []
    assert [n for n, _ in read_frames(videos / "b.mp4", [58, COUNT, COUNT + 5])] == [58]


SOUGHT = {"plain.mp4", "b.mp4", "open.mp4", "variable.mkv", "late.mp4", "hevc.mov", "vp9.webm"}


@pytest.mark.parametrize("name", VIDEOS)
@pytest.mark.parametrize("first", [16, 37, 59])
def test_a_late_start_gives_the_same_pictures_without_those_before(
    videos: Path, name: str, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "WARM_UP_FRAMES", 15)
    file, index = videos / name, read_index(videos / name)
    wanted = range(first, COUNT)
    expected = [one.rgb() for one in decode(file, index, range(COUNT)) if one.frame in wanted]
    if name in SOUGHT:
        monkeypatch.setattr(decoding, "_pyav_pictures", None)
    found = {one.frame: one.rgb() for one in decode(file, index, wanted)}
    assert list(found) == list(wanted)
    assert all((one == other).all() for one, other in zip(found.values(), expected, strict=True))


def test_a_late_start_in_a_damaged_file_gives_the_same_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "WARM_UP_FRAMES", 15)
    video = numbered_video(tmp_path / "b.mp4", COUNT, encode=H264_B_FRAMES)
    _blank_one_b_frame(video)
    index = read_index(video)
    every = {one.frame: one.rgb() for one in decode(video, index, range(COUNT))}
    late = {one.frame: one.rgb() for one in decode(video, index, range(20, COUNT))}
    assert list(late) == [frame for frame in every if frame >= 20]
    assert all((late[frame] == every[frame]).all() for frame in late)


@pytest.mark.parametrize("decoder", ["decord", "pyav"])
def test_preview_is_small_and_shows_the_same(tmp_path: Path, decoder: str) -> None:
    wide = np.kron(quarters(), np.ones((6, 6, 1), np.uint8))  # 768 x 384
    path = write_video(tmp_path / "v.mp4", itertools.repeat(wide, 2))
    (picture,) = decode(path, read_index(path), [1], decoder=decoder)
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
    assert len(list(decode(path, index, itertools.count()))) == len(index.pts_s) - 1


@pytest.mark.parametrize("decoder", ["decord", "pyav"])
def test_a_lost_frame_does_not_shift_the_others(tmp_path: Path, decoder: str) -> None:
    path = numbered_video(tmp_path / "v.mp4", COUNT, encode=(*H264_B_FRAMES, "-sc_threshold", "0"))
    _blank_one_b_frame(path)
    index = read_index(path)
    read = [(p.frame, read_number(p.rgb())) for p in decode(path, index, itertools.count(), decoder=decoder)]
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
