from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from fercli.errors import VideoError
from fercli.media.decode import read_frames
from fercli.media.index import read_index
from tests.failing import fails
from tests.media_samples import (
    H264,
    H264_B_FRAMES,
    cut_short,
    ffmpeg,
    filter_times,
    numbered_video,
    put_together,
    read_number,
    several_edits,
)

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
        ("30", LATE, np.arange(COUNT) / 30),
        ("30", VARIABLE, VARIABLE_S),
    ],
    ids=["30 fps", "23.976 fps", "starts late", "variable rate"],
)
def test_times_are_those_the_file_was_made_with(
    tmp_path: Path, name: str, fps: str, extra: tuple[str, ...], expected: np.ndarray
) -> None:
    index = read_index(numbered_video(tmp_path / name, COUNT, fps=fps, encode=(*H264_B_FRAMES, *extra)))
    np.testing.assert_allclose(index.pts_s, expected, atol=1.1e-3)  # Matroska keeps milliseconds, of the start too
    assert index.warnings == ()


@pytest.mark.parametrize(
    ("name", "encode"),
    [("v.ts", H264_B_FRAMES), ("v.ts", MPEG2), ("v.m2ts", H264_B_FRAMES), ("v.mpg", MPEG2), ("v.vob", MPEG2)],
    ids=["h264", "mpeg2", "blu-ray", "mpeg2 ps", "dvd"],
)
def test_mpeg_streams_start_at_0_wherever_their_clock_stood(tmp_path: Path, name: str, encode: tuple[str, ...]) -> None:
    index = read_index(numbered_video(tmp_path / name, COUNT, encode=encode))
    assert index.raw_start > Fraction(4, 10)
    np.testing.assert_allclose(index.pts_s, np.arange(COUNT) / 30, atol=2e-5)
    assert index.warnings == ()


@pytest.mark.parametrize("offset", ["0.3", "95441.9", "95442.5", "50000"])
def test_the_clock_of_a_broadcast_may_stand_anywhere_and_wrap(tmp_path: Path, offset: str) -> None:
    """33 bits at 90 kHz are 95443.7 s; ffmpeg then counts what lies before it below 0."""
    numbered_video(tmp_path / "v.ts", COUNT, encode=H264_B_FRAMES)
    moved = ("-c", "copy", "-muxdelay", "0", "-output_ts_offset", offset)
    ffmpeg("-i", str(tmp_path / "v.ts"), *moved, str(tmp_path / "moved.ts"))
    index = read_index(tmp_path / "moved.ts")
    np.testing.assert_allclose(index.pts_s, np.arange(COUNT) / 30, atol=2e-5)
    assert index.duration_s == pytest.approx(COUNT / 30, abs=1e-4)
    assert index.warnings == ()
    assert index.jumps == ()


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv", "v.ts", "v.mpg"])
def test_pictures_that_begin_after_the_sound_keep_their_distance_from_it(tmp_path: Path, name: str) -> None:
    codec = MPEG2 if name == "v.mpg" else H264
    numbered_video(tmp_path / "silent.mp4", COUNT)
    inputs = ("-f", "lavfi", "-i", "sine=440:d=3", "-itsoffset", "1", "-i", str(tmp_path / "silent.mp4"))
    ffmpeg(*inputs, "-map", "1:v", "-map", "0:a", "-fps_mode", "passthrough", *codec, str(tmp_path / name))
    index = read_index(tmp_path / name)
    assert index.pts_s[0] == pytest.approx(1, abs=0.03)  # AAC begins a little earlier
    np.testing.assert_allclose(np.diff(index.pts_s), 1 / 30, atol=1.1e-3)


@pytest.mark.parametrize(
    ("name", "encode"),
    [
        ("v.ts", (*H264_B_FRAMES, "-c:a", "aac")),
        ("v.m2ts", (*MPEG2, "-c:a", "ac3")),
        ("v.mpg", (*MPEG2, "-c:a", "mp2")),
        ("v.vob", (*MPEG2, "-c:a", "ac3")),
        ("v.mp4", (*H264_B_FRAMES, "-c:a", "aac")),
        ("no-edits.mp4", (*H264_B_FRAMES, "-c:a", "aac", "-use_editlist", "0")),
        ("v.mov", (*H264_B_FRAMES, "-c:a", "aac", "-output_ts_offset", "7")),
        ("v.mkv", (*H264_B_FRAMES, "-c:a", "libopus", "-output_ts_offset", "7")),
        ("v.webm", ("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus")),
        ("v.flv", (*H264_B_FRAMES, "-c:a", "aac")),
        ("v.avi", ("-c:v", "mpeg4", "-c:a", "libmp3lame")),
    ],
)
@pytest.mark.parametrize("late", ["0", "0.6"])
def test_frames_are_shown_when_ffmpeg_burns_subtitles_into_them(
    tmp_path: Path, name: str, encode: tuple[str, ...], late: str
) -> None:
    """Whatever the container and its clock, with the pictures beginning with the sound or after it."""
    numbered_video(tmp_path / "silent.mp4", 30)
    inputs = ("-f", "lavfi", "-i", "sine=440:d=2", "-itsoffset", late, "-i", str(tmp_path / "silent.mp4"))
    ffmpeg(*inputs, "-map", "1:v", "-map", "0:a", "-fps_mode", "passthrough", *encode, str(tmp_path / name))
    index = read_index(tmp_path / name)
    np.testing.assert_allclose(index.pts_s, filter_times(tmp_path / name), atol=1e-3)
    assert index.warnings == ()


def test_raw_timestamps_can_be_had_back(tmp_path: Path) -> None:
    path = numbered_video(tmp_path / "v.ts", COUNT, encode=H264_B_FRAMES)
    index = read_index(path)
    with av.open(str(path)) as container:
        raw = sorted(frame.time for frame in container.decode(video=0))
    np.testing.assert_allclose(index.pts_s + float(index.raw_start), raw, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "encode", "lengths"),
    [
        ("v.ts", H264_B_FRAMES, [COUNT, 20, 35]),
        ("v.ts", MPEG2, [COUNT, 20, 35]),
        ("v.ts", H264, [10, COUNT]),
        ("v.mpg", MPEG2, [COUNT, 20, 35]),
        ("v.mkv", H264_B_FRAMES, [COUNT, 35]),
    ],
)
def test_files_put_together_follow_each_other(
    tmp_path: Path, name: str, encode: tuple[str, ...], lengths: list[int]
) -> None:
    """Parts of different lengths, of which each begins with the same timestamps."""
    index = read_index(put_together(tmp_path / name, lengths, encode=encode))
    # Program streams have few timestamps: libav guesses that of the last frame before a jump two frames too late.
    tolerance = 0.07 if name == "v.mpg" else 2e-3
    np.testing.assert_allclose(index.pts_s, np.arange(sum(lengths)) / 30, atol=tolerance)
    assert index.duration_s == pytest.approx(sum(lengths) / 30, abs=tolerance)
    assert len(index.jumps) == len(lengths) - 1
    assert len(index.warnings) == 1
    numbers = [read_number(image) for _, image in read_frames(tmp_path / name, range(len(index.pts_s)))]
    assert numbers == [number for length in lengths for number in range(length)]


def test_a_clock_that_leaps_ahead_in_a_broadcast_goes_on(tmp_path: Path) -> None:
    """Two recordings of one channel: as with a jump back, players show one after the other."""
    first = numbered_video(tmp_path / "1.ts", COUNT, encode=H264_B_FRAMES)
    second = tmp_path / "2.ts"
    ffmpeg("-i", str(first), "-c", "copy", "-output_ts_offset", "500", str(second))
    (tmp_path / "v.ts").write_bytes(first.read_bytes() + second.read_bytes())
    index = read_index(tmp_path / "v.ts")
    np.testing.assert_allclose(index.pts_s, np.arange(2 * COUNT) / 30, atol=2e-5)
    assert len(index.jumps) == len(index.warnings) == 1


@pytest.mark.parametrize(("name", "pause_s"), [("v.mp4", 60), ("v.mkv", 60), ("v.ts", 8)])
def test_a_pause_is_no_jump_even_where_b_frames_lie_around_it(tmp_path: Path, name: str, pause_s: int) -> None:
    held = ("-vf", f"setpts='(N/30+gte(N,25)*{pause_s})/TB+0.5'", "-fps_mode", "passthrough")
    index = read_index(numbered_video(tmp_path / name, COUNT, encode=(*H264_B_FRAMES, *held)))
    np.testing.assert_allclose(index.pts_s, np.arange(COUNT) / 30 + (np.arange(COUNT) >= 25) * pause_s, atol=2e-3)
    assert index.jumps == ()
    assert index.warnings == ()


def test_a_broadcast_with_few_pictures_is_not_compressed(tmp_path: Path) -> None:
    """A security camera: a picture every fifteen seconds."""
    rare = ("-vf", "setpts=N*15/TB", "-fps_mode", "passthrough")
    index = read_index(numbered_video(tmp_path / "v.ts", 8, encode=(*H264, *rare)))
    np.testing.assert_allclose(index.pts_s, np.arange(8) * 15, atol=2e-3)
    assert index.jumps == ()


@pytest.mark.parametrize(
    ("name", "extra"),
    [
        ("v.gif", ("-final_delay", "300")),
        ("v.mp4", ("-c", "copy", "-bsf:v", r"setts=duration=if(eq(N\,4)\,3/TB\,DURATION)")),
        ("v.mov", ("-c", "copy", "-bsf:v", r"setts=duration=if(eq(N\,4)\,3/TB\,DURATION)")),
    ],
)
def test_the_last_frame_lasts_as_long_as_its_packet_says(tmp_path: Path, name: str, extra: tuple[str, ...]) -> None:
    numbered_video(tmp_path / "even.mp4", 5, fps="10")
    ffmpeg("-i", str(tmp_path / "even.mp4"), *extra, str(tmp_path / name))
    index = read_index(tmp_path / name)
    np.testing.assert_allclose(index.ends_s, [0.1, 0.2, 0.3, 0.4, 3.4], atol=1e-6)
    assert index.duration_s == pytest.approx(3.4)


def test_a_single_picture_of_a_gif_has_a_duration(tmp_path: Path) -> None:
    assert read_index(numbered_video(tmp_path / "v.gif", 1, fps="25", encode=())).duration_s > 0


def test_duration_goes_to_the_end_of_the_last_frame(tmp_path: Path) -> None:
    index = read_index(numbered_video(tmp_path / "v.mp4", COUNT, fps="25", encode=(*H264_B_FRAMES, *LATE)))
    assert index.duration_s == pytest.approx(COUNT / 25)


def test_frames_hidden_by_an_edit_list_do_not_count(tmp_path: Path) -> None:
    numbered_video(tmp_path / "v.mp4", COUNT, encode=(*H264_B_FRAMES, "-g", "48"))
    ffmpeg("-ss", "0.5", "-i", str(tmp_path / "v.mp4"), "-c", "copy", str(tmp_path / "edit.mp4"))
    index = read_index(tmp_path / "edit.mp4")
    np.testing.assert_allclose(index.pts_s, np.arange(COUNT - 15) / 30, atol=1e-6)
    assert index.promised == COUNT - 15


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
    assert 0 <= index.pts_s[0] < 0.2
    assert index.raw_start > Fraction(4, 10)


def test_two_frames_at_one_time_keep_the_real_times(tmp_path: Path) -> None:
    double = ("-vf", "setpts='(N-eq(N,20))/30/TB+0.5'", "-fps_mode", "passthrough")
    index = read_index(numbered_video(tmp_path / "v.mkv", COUNT, encode=(*H264, *double)))
    expected = np.arange(COUNT) / 30
    expected[20] = expected[19]
    np.testing.assert_allclose(index.pts_s, expected, atol=6e-4)
    assert index.ticks is None
    assert index.warnings == ()


def test_a_picture_that_an_avi_repeats_is_held_and_nothing_is_missing(tmp_path: Path) -> None:
    """Capture programs write an empty packet for a picture that did not change."""
    dropped = ("-vf", "select='not(between(n,10,30))'", "-c:v", "mpeg4")
    index = read_index(numbered_video(tmp_path / "v.avi", COUNT, encode=dropped))
    np.testing.assert_allclose(index.pts_s, np.array([*range(10), *range(31, COUNT)]) / 30, atol=1e-6)
    assert index.promised == len(index.pts_s)
    assert index.duration_s == pytest.approx(COUNT / 30)
    cut = read_index(cut_short(tmp_path / "v.avi", tmp_path / "cut.avi", 0.8))
    assert len(cut.pts_s) < cut.promised == len(index.pts_s)


def test_several_edits_hide_frames_and_nothing_is_missing(tmp_path: Path) -> None:
    whole = numbered_video(tmp_path / "v.mp4", COUNT, fps="25", encode=(*H264, "-g", "12"))
    path = several_edits(whole, [(0, 10), (20, 8), (35, 5)], fps=25)
    index = read_index(path)
    np.testing.assert_allclose(index.pts_s, np.arange(23) / 25, atol=1e-6)
    assert index.promised == len(index.pts_s) == 23
    assert index.warnings == ()
    numbers = [read_number(image) for _, image in read_frames(path, range(23))]
    assert numbers == [*range(10), *range(20, 28), *range(35, 40)]


@pytest.mark.parametrize("name", ["v.mkv", "v.ts", "v.flv"])
def test_sound_that_lasts_longer_than_the_pictures_is_no_damage(tmp_path: Path, name: str) -> None:
    numbered_video(tmp_path / "silent.mp4", COUNT)
    inputs = ("-i", str(tmp_path / "silent.mp4"), "-f", "lavfi", "-i", "sine=440:d=9")
    ffmpeg(*inputs, "-c:v", "copy", "-c:a", "aac", str(tmp_path / name))
    assert read_index(tmp_path / name).warnings == ()


@pytest.mark.parametrize("name", ["v.mkv", "v.ts", "v.mp4"])
def test_a_late_start_is_not_taken_for_a_missing_end(tmp_path: Path, name: str) -> None:
    late = ("-output_ts_offset", "20")
    assert read_index(numbered_video(tmp_path / name, COUNT, encode=(*H264, *late))).warnings == ()


def test_a_header_that_declares_more_is_noticed(tmp_path: Path) -> None:
    numbered_video(tmp_path / "v.mkv", 120)
    index = read_index(cut_short(tmp_path / "v.mkv", tmp_path / "cut.mkv", 0.4))
    assert "declares 4.0 s" in index.warnings[0]
    assert "truncated" in index.warnings[0]
    assert read_index(tmp_path / "v.mkv").warnings == ()

    numbered_video(tmp_path / "v.mp4", 120, encode=(*H264, "-movflags", "+faststart"))
    index = read_index(cut_short(tmp_path / "v.mp4", tmp_path / "cut.mp4", 0.6))
    assert len(index.pts_s) < 100
    assert index.promised == 120


def test_a_header_and_no_frame(tmp_path: Path) -> None:
    path = numbered_video(tmp_path / "v.mp4", 5, encode=(*H264, "-movflags", "+faststart"))
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"mdat") + 4])
    with fails(VideoError, "video-damaged"):
        read_index(path)


def test_a_single_frame_lasts_as_long_as_the_rate_says(tmp_path: Path) -> None:
    assert read_index(numbered_video(tmp_path / "v.mp4", 1, fps="25")).duration_s == pytest.approx(0.04)
