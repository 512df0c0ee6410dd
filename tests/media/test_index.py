from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fercli.errors import VideoError
from fercli.media import index as index_module
from fercli.media.index import read_index
from tests.media_samples import H264, H264_B_FRAMES, cut_short, ffmpeg, numbered_video

COUNT = 48
VARIABLE = ("-vf", "setpts='(N/30+floor(N/5)*0.1)/TB+0.5'", "-fps_mode", "passthrough")
VARIABLE_S = np.arange(COUNT) / 30 + np.arange(COUNT) // 5 * 0.1
LATE = ("-vf", "setpts=PTS+25")  # frames
MPEG2 = ("-c:v", "mpeg2video", "-bf", "2", "-q:v", "3", "-pix_fmt", "yuv420p")


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv", "v.mov"])
@pytest.mark.parametrize(
    ("fps", "extra", "expected"),
    [
        ("30", (), np.arange(COUNT) / 30),
        ("24000/1001", (), np.arange(COUNT) * 1001 / 24000),
        ("30", LATE, (np.arange(COUNT) + 25) / 30),
        ("30", VARIABLE, VARIABLE_S),
    ],
    ids=["30 fps", "23.976 fps", "starts late", "variable rate"],
)
def test_times_are_those_the_file_was_made_with(
    tmp_path: Path, name: str, fps: str, extra: tuple[str, ...], expected: np.ndarray
) -> None:
    index = read_index(numbered_video(tmp_path / name, COUNT, fps=fps, encode=(*H264_B_FRAMES, *extra)))
    np.testing.assert_allclose(index.pts_s, expected, atol=6e-4)  # Matroska keeps milliseconds
    assert index.warnings == ()


@pytest.mark.parametrize(
    ("name", "encode"), [("v.ts", H264_B_FRAMES), ("v.ts", MPEG2), ("v.mpg", MPEG2)], ids=["h264", "mpeg2", "mpeg2 ps"]
)
def test_mpeg_streams_keep_their_own_start(tmp_path: Path, name: str, encode: tuple[str, ...]) -> None:
    index = read_index(numbered_video(tmp_path / name, COUNT, encode=encode))
    assert index.pts_s[0] > 0.4
    np.testing.assert_allclose(np.diff(index.pts_s), 1 / 30, atol=1e-5)
    assert len(index.pts_s) == COUNT
    assert not index.decord  # it loses the first group of pictures of a transport stream


def test_duration_goes_to_the_end_of_the_last_frame(tmp_path: Path) -> None:
    index = read_index(numbered_video(tmp_path / "v.mp4", COUNT, fps="25", encode=(*H264_B_FRAMES, *LATE)))
    assert index.duration_s == pytest.approx(COUNT / 25)


def test_frames_hidden_by_an_edit_list_do_not_count(tmp_path: Path) -> None:
    numbered_video(tmp_path / "v.mp4", COUNT, encode=(*H264_B_FRAMES, "-g", "48"))
    ffmpeg("-ss", "0.5", "-i", str(tmp_path / "v.mp4"), "-c", "copy", str(tmp_path / "edit.mp4"))
    index = read_index(tmp_path / "edit.mp4")
    np.testing.assert_allclose(index.pts_s, np.arange(COUNT - 15) / 30, atol=1e-6)
    assert index.promised == COUNT - 15
    assert not index.decord


def test_avi_with_b_frames_falls_back_with_a_warning(tmp_path: Path) -> None:
    index = read_index(numbered_video(tmp_path / "v.avi", COUNT, encode=H264_B_FRAMES))
    np.testing.assert_allclose(index.pts_s, np.arange(COUNT) / 30, atol=1e-6)
    assert index.ticks is None
    assert "no usable presentation timestamps" in index.warnings[0]


def test_raw_stream_falls_back_to_counting_with_a_warning(tmp_path: Path) -> None:
    index = read_index(numbered_video(tmp_path / "v.h264", COUNT, encode=H264_B_FRAMES))
    np.testing.assert_allclose(index.pts_s, np.arange(COUNT) / 25)
    assert "lacks timestamps" in index.warnings[0]


def test_counting_starts_at_the_first_timestamp_there_is(tmp_path: Path) -> None:
    """H.264 in an MPEG program stream: only every other frame has a timestamp."""
    index = read_index(numbered_video(tmp_path / "v.mpg", COUNT, encode=H264_B_FRAMES))
    assert "lacks timestamps" in index.warnings[0]
    np.testing.assert_allclose(index.pts_s, index.pts_s[0] + np.arange(COUNT) / 30, atol=1e-6)
    assert 0.4 < index.pts_s[0] < 0.7


def test_two_frames_at_one_time_keep_the_real_times(tmp_path: Path) -> None:
    double = ("-vf", "setpts='(N-eq(N,20))/30/TB+0.5'", "-fps_mode", "passthrough")
    index = read_index(numbered_video(tmp_path / "v.mkv", COUNT, encode=(*H264, *double)))
    expected = np.arange(COUNT) / 30
    expected[20] = expected[19]
    np.testing.assert_allclose(index.pts_s, expected, atol=6e-4)
    assert index.ticks is None
    assert index.warnings == ()


def test_a_header_that_promises_more_is_noticed(tmp_path: Path) -> None:
    numbered_video(tmp_path / "v.mkv", 120)
    index = read_index(cut_short(tmp_path / "v.mkv", tmp_path / "cut.mkv", 0.4))
    assert "promises 4.0 s" in index.warnings[0]
    assert "cut short" in index.warnings[0]
    assert read_index(tmp_path / "v.mkv").warnings == ()

    numbered_video(tmp_path / "v.mp4", 120, encode=(*H264, "-movflags", "+faststart"))
    index = read_index(cut_short(tmp_path / "v.mp4", tmp_path / "cut.mp4", 0.6))
    assert len(index.pts_s) < 100
    assert index.promised == 120


def test_a_header_and_no_frame(tmp_path: Path) -> None:
    path = numbered_video(tmp_path / "v.mp4", 5, encode=(*H264, "-movflags", "+faststart"))
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"mdat") + 4])
    with pytest.raises(VideoError, match="no frame of"):
        read_index(path)


def test_a_single_frame_lasts_as_long_as_the_rate_says(tmp_path: Path) -> None:
    assert read_index(numbered_video(tmp_path / "v.mp4", 1, fps="25")).duration_s == pytest.approx(0.04)


def test_decord_only_reads_what_fits_into_memory_and_is_known_to_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = numbered_video(tmp_path / "v.mp4", 10)
    assert read_index(path).decord
    monkeypatch.setattr(index_module, "DECORD_BYTES", 10 * 128 * 64 * 3 - 1)
    assert not read_index(path).decord
