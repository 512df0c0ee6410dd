"""Pictures and sound stay in step, whatever the clock of the source."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from fercli.media.index import read_index
from fercli.progress import Silent
from fercli.views.render.video import render
from tests.media_samples import H264, H264_B_FRAMES, cut_short, ffmpeg, numbered_video, read_number, write_video
from tests.views.render.scenes import add_click, click_time, click_times, grey_video, make_scene, pictures, times

VARIABLE = ("-vf", "setpts='(N/30+floor(N/5)*0.1+0.5)/TB+0.5'", "-fps_mode", "passthrough")
"""30 frames a second with a pause of 0.1 s after each fifth, on a clock of 1/30 s that begins at 0.5 s."""
FINE = (
    "-vf",
    "settb=1/90000,setpts='(N*0.04+0.011*mod(N*7,5))/TB'",
    "-fps_mode",
    "passthrough",
    "-enc_time_base",
    "1:90000",
)
"""Every frame lasts differently long, on a clock of 1/90000 s."""
SOURCES = {
    "variable.mp4": (*H264, *VARIABLE),
    "fine.mp4": (*H264_B_FRAMES, *FINE),
    "late.mp4": (*H264_B_FRAMES, "-vf", "setpts=PTS+25"),
    "film.mp4": (*H264_B_FRAMES, "-video_track_timescale", "24000"),
    "late.ts": H264_B_FRAMES,
    "variable.mkv": (*H264, *VARIABLE),
}


def rendered(tmp_path: Path, source: Path, name: str = "out.mp4") -> Path:
    """What becomes of a source in which no face is seen."""
    render(make_scene(tmp_path / "w", source, {}), tmp_path / name, reporter=Silent())
    return tmp_path / name


def flash_and_click(tmp_path: Path, name: str, *sound: str) -> Path:
    """Sixty frames at uneven times, of which the 41st is white, and a click when it is shown."""
    frames = [np.full((64, 128, 3), 255 if number == 40 else 0, np.uint8) for number in range(60)]
    silent = write_video(tmp_path / "silent.mp4", frames, fps="30", encode=(*H264_B_FRAMES, *VARIABLE))
    return add_click(silent, tmp_path / name, times(silent)[40], *sound)


@pytest.mark.parametrize("name", SOURCES)
def test_every_frame_keeps_its_time(tmp_path: Path, name: str) -> None:
    fps = "24000/1001" if name == "film.mp4" else "30"
    source = numbered_video(tmp_path / name, 60, fps=fps, encode=SOURCES[name])
    target = rendered(tmp_path, source)
    before = read_index(source).pts_s
    if "variable" in name or "fine" in name:
        assert len(set(np.diff(before).round(4))) > 1
    assert before[0] == 0
    if name == "late.ts":
        assert times(source)[0] > 0.4
    assert times(target) == pytest.approx(before, abs=1e-9)
    assert [read_number(image) for _, image in pictures(target)] == list(range(60))


def test_matroska_keeps_the_time_to_the_millisecond(tmp_path: Path) -> None:
    source = numbered_video(tmp_path / "v.mp4", 30, fps="24000/1001")
    target = rendered(tmp_path, source, "out.mkv")
    assert times(target) == pytest.approx(read_index(source).pts_s, abs=5.1e-4)


def test_the_last_frame_lasts_as_long_as_the_others_on_average(tmp_path: Path) -> None:
    source = numbered_video(tmp_path / "v.mp4", 20, fps="10")
    with av.open(str(rendered(tmp_path, source))) as container:
        stream = container.streams.video[0]
        assert stream.duration is not None and float(stream.duration * stream.time_base) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("name", "sound", "out", "codec"),
    [
        ("aac.mp4", ("-c:a", "aac"), "out.mp4", "aac"),
        ("pcm.mkv", ("-c:a", "pcm_s16le"), "out.mp4", "aac"),
        ("pcm.mkv", ("-c:a", "pcm_s16le"), "out.mkv", "pcm_s16le"),
        ("vorbis.mkv", ("-c:a", "libvorbis"), "out.mp4", "aac"),
        ("opus.mkv", ("-c:a", "libopus"), "out.mp4", "opus"),
        ("adts.ts", ("-c:a", "aac"), "out.mp4", "aac"),
        ("mp3.mp4", ("-c:a", "libmp3lame"), "out.mov", "mp3"),
    ],
)
def test_a_click_and_a_flash_stay_together(
    tmp_path: Path, name: str, sound: tuple[str, ...], out: str, codec: str
) -> None:
    source = flash_and_click(tmp_path, name, *sound)
    source_offset = click_time(source) - _flash(source)
    assert abs(source_offset) < 0.01
    target = rendered(tmp_path, source, out)
    assert click_time(target) - _flash(target) == pytest.approx(source_offset, abs=0.002)
    assert abs(click_time(target) - _flash(target)) < 0.01
    with av.open(str(target)) as container:
        assert container.streams.audio[0].codec_context.name.startswith(codec)


def test_sound_that_begins_before_the_pictures_begins_as_early(tmp_path: Path) -> None:
    silent = numbered_video(tmp_path / "silent.mp4", 60, encode=(*H264_B_FRAMES, "-vf", "setpts=PTS+25"))
    source = add_click(silent, tmp_path / "v.mp4", 0.2, "-c:a", "aac")
    target = rendered(tmp_path, source)
    assert times(target)[0] == pytest.approx(times(source)[0], abs=1e-9) and times(target)[0] > 0.8
    assert click_time(target) == pytest.approx(click_time(source), abs=0.002)
    assert click_time(target) == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("out", ["out.mp4", "out.mov", "out.mkv"])
def test_what_begins_below_0_is_moved_as_a_whole(tmp_path: Path, out: str) -> None:
    """A broadcast whose clock of 33 bits is about to start anew: ffmpeg counts its first second below 0."""
    whole = flash_and_click(tmp_path, "whole.ts", "-c:a", "aac")
    ffmpeg("-i", str(whole), "-c", "copy", "-muxdelay", "0", "-output_ts_offset", "95442.5", str(tmp_path / "v.ts"))
    before = times(tmp_path / "v.ts")
    assert len(before) == 60 and before[0] < -0.4
    target = rendered(tmp_path, tmp_path / "v.ts", out)
    written = times(target)
    assert 0 <= written[0] < 0.6 and len(written) == 60
    assert np.diff(written) == pytest.approx(np.diff(before), abs=1.1e-3 if out.endswith("mkv") else 1e-9)
    offset = click_time(tmp_path / "v.ts") - _flash(tmp_path / "v.ts")
    assert abs(offset) < 0.01 and click_time(target) - _flash(target) == pytest.approx(offset, abs=0.002)


@pytest.mark.parametrize("out", ["out.mp4", "out.mkv"])
@pytest.mark.parametrize("sound", ["aac", "libmp3lame", "libopus"])
def test_what_an_edit_list_hides_stays_hidden(tmp_path: Path, sound: str, out: str) -> None:
    """The first half second of pictures lies before 0; and decoders of sound need a little that is not to be heard."""
    whole = flash_and_click(tmp_path, "whole.mp4", "-c:a", sound)
    moved = ("-c", "copy", "-output_ts_offset", "-1", "-avoid_negative_ts", "disabled")
    ffmpeg("-i", str(whole), *moved, str(tmp_path / "v.mp4"))
    before = times(tmp_path / "v.mp4")
    assert before[0] == 0 and len(before) < 60
    target = rendered(tmp_path, tmp_path / "v.mp4", out)
    assert times(target) == pytest.approx(before, abs=1e-9 if out.endswith("mp4") else 5.1e-4)
    offset = click_time(tmp_path / "v.mp4") - _flash(tmp_path / "v.mp4")
    assert click_time(target) - _flash(target) == pytest.approx(offset, abs=0.002)
    with av.open(str(target)) as container:
        begin = next(frame.time for frame in container.decode(audio=0))
        assert begin is not None and begin == pytest.approx(0, abs=0.07)


def test_a_clock_of_many_hours_is_taken_off(tmp_path: Path) -> None:
    """50000 s in units of 1/90000 s are more than 32 bits hold."""
    whole = flash_and_click(tmp_path, "whole.ts", "-c:a", "aac")
    ffmpeg("-i", str(whole), "-c", "copy", "-output_ts_offset", "50000", str(tmp_path / "v.ts"))
    target = rendered(tmp_path, tmp_path / "v.ts")
    index = read_index(tmp_path / "v.ts")
    assert index.raw_start > 50000 and times(target) == pytest.approx(index.pts_s, abs=1e-9)
    assert click_time(target) - _flash(target) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(
    ("name", "sound"),
    [
        ("v.ts", ("-c:a", "aac")),
        ("v.ts", ("-c:a", "mp2")),
        ("v.mpg", ("-c:v", "mpeg2video", "-q:v", "3", "-c:a", "mp2")),
        ("v.mkv", ("-c:a", "aac")),
    ],
    ids=["copied", "encoded", "program stream", "matroska"],
)
def test_files_put_together_stay_in_step_in_every_part(tmp_path: Path, name: str, sound: tuple[str, ...]) -> None:
    frames = [np.full((64, 128, 3), 255 if number == 40 else 0, np.uint8) for number in range(60)]
    silent = write_video(tmp_path / "silent.mp4", frames, fps="25")
    part = add_click(silent, tmp_path / f"part-{name}", 1.6, *sound, duration_s=2.4)
    (tmp_path / name).write_bytes(2 * part.read_bytes())
    reporter = Silent()
    render(make_scene(tmp_path / "w", tmp_path / name, {}), tmp_path / "out.mp4", reporter=reporter)
    flashes = [time_s for time_s, image in pictures(tmp_path / "out.mp4") if image.mean() > 128]
    clicks = click_times(tmp_path / "out.mp4")
    assert len(times(tmp_path / "out.mp4")) == 120
    assert np.diff(flashes) == pytest.approx([2.4], abs=0.1)
    # A decoder that goes from one part into the next smears what a codec keeps between its packets.
    assert clicks == pytest.approx(flashes, abs=0.03)
    assert not [warning for warning in reporter.warnings if "out of step" in warning]


def test_a_track_of_sound_that_does_not_jump_with_the_pictures_is_reported(tmp_path: Path) -> None:
    part = add_click(numbered_video(tmp_path / "s.mp4", 60), tmp_path / "1.ts", 1.0, "-c:a", "aac")
    silent = numbered_video(tmp_path / "2.ts", 60)
    (tmp_path / "v.ts").write_bytes(part.read_bytes() + silent.read_bytes())
    reporter = Silent()
    render(make_scene(tmp_path / "w", tmp_path / "v.ts", {}), tmp_path / "out.mp4", reporter=reporter)
    assert len(times(tmp_path / "out.mp4")) == 120
    assert [warning for warning in reporter.warnings if "out of step" in warning]


def test_sound_that_begins_after_the_pictures_begins_as_late(tmp_path: Path) -> None:
    silent = numbered_video(tmp_path / "silent.mp4", 120, encode=H264_B_FRAMES)
    add_click(silent, tmp_path / "w.mp4", 0.2, "-c:a", "aac")
    both = ("-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac")
    for name in ("v.mp4", "v.mkv", "v.ts"):
        inputs = ("-i", str(silent), "-itsoffset", "2", "-i", str(tmp_path / "w.wav"))
        ffmpeg(*inputs, *both, str(tmp_path / name))
        (tmp_path / name[-3:]).mkdir()
        target = rendered(tmp_path / name[-3:], tmp_path / name)
        assert click_time(target) - times(target)[0] == pytest.approx(2.2, abs=0.01), name


def test_all_sound_tracks_are_kept_with_their_languages(tmp_path: Path) -> None:
    one = add_click(grey_video(tmp_path / "silent.mp4"), tmp_path / "one.mkv", 1.0, "-c:a", "aac")
    maps = ("-map", "0:v", "-map", "0:a", "-map", "0:a", "-c", "copy")
    names = ("-metadata:s:a:0", "language=fra", "-metadata:s:a:1", "language=deu")
    ffmpeg("-i", str(one), *maps, *names, str(tmp_path / "two.mkv"))
    with av.open(str(rendered(tmp_path, tmp_path / "two.mkv"))) as container:
        assert [stream.metadata["language"] for stream in container.streams.audio] == ["fra", "deu"]


def test_pictures_and_sound_lie_beside_each_other_in_the_file(tmp_path: Path) -> None:
    silent = grey_video(tmp_path / "silent.mp4", 150)
    source = add_click(silent, tmp_path / "v.mp4", 1.0, "-c:a", "aac", duration_s=15)
    with av.open(str(rendered(tmp_path, source))) as container:
        places = [(packet.pos, packet.stream.type) for packet in container.demux() if packet.size]
    kinds = [kind for _, kind in sorted(places)]
    assert kinds.index("audio") < 20 and max(kinds[::-1].index(kind) for kind in ("audio", "video")) < 80


def test_a_video_without_sound_gets_none(tmp_path: Path) -> None:
    with av.open(str(rendered(tmp_path, grey_video(tmp_path / "v.mp4")))) as container:
        assert not container.streams.audio


def test_a_clock_that_cannot_be_used_is_replaced_by_counting(tmp_path: Path) -> None:
    """Two frames at one time: the index counts, and so does the copy."""
    double = ("-vf", "setpts='(N-eq(N,20))/30/TB+0.5'", "-fps_mode", "passthrough")
    source = numbered_video(tmp_path / "v.mkv", 40, encode=(*H264, *double))
    assert read_index(source).ticks is None
    written = times(rendered(tmp_path, source))
    assert written == pytest.approx(read_index(source).pts_s, abs=1e-3)
    assert all(np.diff(written) > 0)


def test_a_file_that_was_cut_short_is_rendered_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = add_click(numbered_video(tmp_path / "s.mp4", 90), tmp_path / "v.mkv", 1.0, "-c:a", "aac")
    source = cut_short(whole, tmp_path / "short.mkv", 0.6)
    written = times(rendered(tmp_path, source))
    assert 30 < len(written) < 90
    assert written == pytest.approx(read_index(source).pts_s[: len(written)], abs=1e-9)


def _flash(path: Path) -> float:
    """When the first bright picture is shown, seconds."""
    return next(time_s for time_s, image in pictures(path) if image.mean() > 128)
