from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercli.config import NATIVE_FPS, FramesParams, Runtime
from fercli.errors import ConfigError, OutputError, VideoError
from fercli.media.decode import read_frames
from fercli.media.images import decode_jpeg
from fercli.media.probe import probe
from fercli.progress import Silent
from fercli.stages import frames as frames_stage
from fercli.stages.base import StageContext
from fercli.stages.frames import TOLERANCE_S, Sampler
from fercli.tables import FRAMES, read_table
from fercli.workspace import Workspace
from fercli.workspace.chunks import Chunks
from tests.failing import fails
from tests.media_samples import H264, H264_B_FRAMES, cut_short, numbered_frame, numbered_video, read_number, write_video

INDEX_ONLY = FramesParams(keep_images=False)


def _context(video: Path, out: Path) -> StageContext:
    out.mkdir(exist_ok=True)
    return StageContext(Workspace(out, probe(video)), out, Chunks(out / "chunks"), Runtime(), Silent())


def _extract(video: Path, out: Path, params: FramesParams = INDEX_ONLY) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    context = _context(video, out)
    counts = frames_stage.run(context, params)
    return read_table(out / "frames.parquet", FRAMES).to_pydict(), counts | {"warnings": context.warnings}


def _taken(fps: float, times: list[float]) -> list[int]:
    sampler = Sampler(fps)
    return [n for n, pts_s in enumerate(times) if sampler.takes(pts_s)]


def test_sampling_by_hand() -> None:
    thirty = [n / 30 for n in range(10)]
    assert _taken(10, thirty) == [0, 3, 6, 9]
    assert _taken(30, thirty) == list(range(10))
    assert _taken(60, thirty) == list(range(10))  # never the same frame twice
    assert _taken(NATIVE_FPS, thirty) == list(range(10))
    assert _taken(10, [0.852 + t for t in thirty]) == [0, 3, 6, 9]  # the grid starts with the first frame
    assert _taken(10, [n / 25 for n in range(11)]) == [0, 3, 5, 8, 10]  # at 0, .12, .2, .32, .4
    assert _taken(10, [0, 0.05, 0.35, 0.36, 0.41]) == [0, 2, 4]  # a gap over .1, .2 and .3 gives one frame
    assert _taken(30, [0, 0.033, 0.067, 0.1]) == [0, 1, 2, 3]  # rounded to milliseconds, as in Matroska


@given(
    st.lists(st.floats(0.002, 0.5), min_size=1, max_size=60),
    st.floats(0.5, 120),
    st.floats(-1, 5),
)
def test_every_grid_point_gets_its_first_frame(steps: list[float], fps: float, start_s: float) -> None:
    times = [start_s, *(start_s + t for t in itertools.accumulate(steps))]
    points = range(int((times[-1] - start_s) * fps) + 2)
    wanted = set()
    for point in points:
        due = start_s + point / fps - TOLERANCE_S
        if any(abs(t - due) < 1e-9 for t in times):
            return  # on the edge, where rounding decides
        wanted |= set([n for n, t in enumerate(times) if t >= due][:1])
    assert _taken(fps, times) == sorted(wanted)


def test_table_has_the_sampled_frames_with_their_true_times(tmp_path: Path) -> None:
    video = numbered_video(tmp_path / "v.mp4", 60, fps="25", encode=(*H264_B_FRAMES, "-vf", "setpts=PTS+20"))
    table, counts = _extract(video, tmp_path / "out")
    assert table["frame"][:5] == [0, 3, 5, 8, 10]
    np.testing.assert_allclose(table["pts_s"], np.array(table["frame"]) / 25, atol=1e-6)
    assert counts["frames_decoded"] == counts["frames_expected"] == 60
    assert counts["frames"] == len(table["frame"]) == 24
    assert counts["warnings"] == []
    assert not (tmp_path / "out" / "images").exists()


@pytest.mark.parametrize("name", ["v.mp4", "v.ts", "v.avi"])
def test_numbers_mean_the_same_frame_to_whoever_reads_the_video_later(tmp_path: Path, name: str) -> None:
    video = numbered_video(tmp_path / name, 50, encode=H264_B_FRAMES)
    table, _ = _extract(video, tmp_path / "out")
    assert [read_number(image) for _, image in read_frames(video, table["frame"])] == table["frame"]


def test_images_are_named_by_frame_and_show_it(tmp_path: Path) -> None:
    video = numbered_video(tmp_path / "v.mp4", 31)
    table, _ = _extract(video, tmp_path / "out", FramesParams(fps=3, keep_images=True))
    images = sorted((tmp_path / "out" / "images").iterdir())
    assert [path.name for path in images] == ["000000.jpg", "000010.jpg", "000020.jpg", "000030.jpg"]
    assert [read_number(decode_jpeg(path.read_bytes())) for path in images] == table["frame"] == [0, 10, 20, 30]


def test_a_stretch_of_the_video(tmp_path: Path) -> None:
    video = numbered_video(tmp_path / "v.mp4", 90, encode=H264_B_FRAMES)
    table, counts = _extract(video, tmp_path / "out", FramesParams(10, start_s=1, end_s=2, keep_images=False))
    assert table["frame"] == list(range(30, 60, 3))
    assert counts["frames_decoded"] == counts["frames_expected"] == 30
    table, _ = _extract(video, tmp_path / "out", FramesParams(NATIVE_FPS, start_s=2.5, keep_images=False))
    assert table["frame"] == list(range(75, 90))


def test_shots_come_from_every_frame(tmp_path: Path) -> None:
    """At one frame a second no two sampled frames are neighbours, and still the cut is found where it is."""
    random = np.random.default_rng(0)
    scenes = [np.kron(random.integers(0, 256, (8, 12, 3)), np.ones((16, 16, 1))).astype(np.uint8) for _ in range(3)]
    lengths = [40, 25, 30]
    frames = [scene for scene, length in zip(scenes, lengths, strict=True) for _ in range(length)]
    video = write_video(tmp_path / "v.mp4", frames, fps="25")
    table, counts = _extract(video, tmp_path / "out", FramesParams(1, keep_images=False))
    assert table["frame"] == [0, 25, 50, 75]
    assert table["shot"] == [0, 0, 1, 2]
    table, _ = _extract(video, tmp_path / "out", FramesParams(NATIVE_FPS, keep_images=False))
    assert table["shot"] == [0] * 40 + [1] * 25 + [2] * 30
    assert counts["shots"] == 3


def test_a_video_cut_short_is_used_and_reported(tmp_path: Path) -> None:
    numbered_video(tmp_path / "v.mp4", 240, encode=(*H264, "-movflags", "+faststart"))
    video = cut_short(tmp_path / "v.mp4", tmp_path / "cut.mp4", 0.7)
    table, counts = _extract(video, tmp_path / "out")
    decoded = counts["frames_decoded"]
    assert 60 < decoded < 240
    assert counts["frames_expected"] == 240
    assert counts["warnings"] == [f"decoded {decoded} of 240 frames of cut.mp4; the file may be cut short or damaged"]
    assert table["frame"][-1] >= decoded - 3


def test_missing_timestamps_are_reported(tmp_path: Path) -> None:
    _, counts = _extract(numbered_video(tmp_path / "v.avi", 20, encode=H264_B_FRAMES), tmp_path / "out")
    assert "no usable presentation timestamps" in counts["warnings"][0]


@pytest.mark.parametrize(
    ("params", "words"),
    [
        (FramesParams(fps=-1), "fps is -1"),
        (FramesParams(fps=float("nan")), "fps is nan"),
        (FramesParams(fps=float("inf")), "fps is inf"),
        (FramesParams(shot_threshold=0), "shot_threshold is 0"),
        (FramesParams(start_s=-1), "from -1 s"),
        (FramesParams(start_s=2, end_s=1), "from 2 s to 1 s is empty"),
        (FramesParams(start_s=1, end_s=1), "from 1 s to 1 s is empty"),
        (FramesParams(start_s=5), "no frame of v.mp4 lies in the stretch from 5 s on"),
        (FramesParams(start_s=0.001, end_s=0.002), "no frame of v.mp4 lies in the stretch from 0.001 s to 0.002 s"),
    ],
)
def test_unusable_parameters(tmp_path: Path, params: FramesParams, words: str) -> None:
    video = numbered_video(tmp_path / "v.mp4", 30)
    with pytest.raises(ConfigError, match=words) as caught:
        _extract(video, tmp_path / "out", params)
    assert caught.value.hint
    if "lies" in words:
        assert "runs from 0.000 s to 1.000 s" in caught.value.hint


def test_a_video_of_which_nothing_decodes(tmp_path: Path) -> None:
    video = numbered_video(tmp_path / "v.mp4", 5, encode=(*H264, "-movflags", "+faststart"))
    context = _context(video, tmp_path / "out")
    content = bytearray(video.read_bytes())
    start = content.index(b"mdat") + 4
    content[start:] = bytes(len(content) - start)
    video.write_bytes(content)
    with fails(VideoError, "video-damaged"):
        frames_stage.run(context, INDEX_ONLY)


def test_a_video_that_is_gone(tmp_path: Path) -> None:
    video = numbered_video(tmp_path / "v.mp4", 5)
    context = _context(video, tmp_path / "out")
    video.unlink()
    with fails(VideoError, "file-missing"):
        frames_stage.run(context, INDEX_ONLY)


def test_images_that_cannot_be_written(tmp_path: Path) -> None:
    video = write_video(tmp_path / "v.mp4", [numbered_frame(0)] * 2)
    context = _context(video, tmp_path / "out")
    (context.out / "images").write_text("in the way")
    with pytest.raises(OutputError, match="images"):
        frames_stage.run(context, FramesParams(keep_images=True))


def test_the_same_video_gives_the_same_bytes(tmp_path: Path) -> None:
    video = numbered_video(tmp_path / "v.mp4", 40, encode=H264_B_FRAMES)
    for out in ("one", "two"):
        _extract(video, tmp_path / out, FramesParams(fps=5, keep_images=True))
    for name in ("frames.parquet", "images/000006.jpg"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_shot_ends_at_the_cut_and_not_at_the_next_sampled_frame(tmp_path: Path) -> None:
    scenes = [np.full((48, 64, 3), colour, np.uint8) for colour in ((200, 30, 30), (20, 60, 200))]
    video = write_video(tmp_path / "v.mp4", [scenes[0]] * 14 + [scenes[1]] * 12, fps="10")
    table, _ = _extract(video, tmp_path / "w", FramesParams(fps=2, keep_images=False))
    assert table["pts_s"] == pytest.approx([0, 0.5, 1.0, 1.5, 2.0, 2.5]) and table["shot"] == [0, 0, 0, 1, 1, 1]
    assert table["end_s"] == pytest.approx([0.5, 1.0, 1.4, 2.0, 2.5, 2.6])


def test_a_dissolve_is_a_cut_and_its_frames_are_marked(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    one, other = (np.kron(random.integers(0, 256, (6, 8, 3)), np.ones((16, 16, 1))) for _ in range(2))
    shares = np.concatenate([np.zeros(25), np.arange(1, 13) / 13, np.ones(25)])
    images = [((1 - share) * one + share * other).astype(np.uint8) for share in shares]
    table, counts = _extract(write_video(tmp_path / "v.mp4", images, fps="25"), tmp_path / "w", FramesParams(fps=25))
    assert counts["shots"] == 2
    assert table["shot"] == [0] * 31 + [1] * 31
    assert table["mixed"][:23] == [False] * 23 and table["mixed"][-23:] == [False] * 23
    assert all(table["mixed"][26:36])


@pytest.mark.parametrize(
    ("params", "ends"),
    [
        (FramesParams(fps=10, start_s=0.4, end_s=0.45, keep_images=False), [0.45]),
        (FramesParams(fps=0.001, end_s=1, keep_images=False), [1.0]),
        (FramesParams(fps=1, end_s=1.5, keep_images=False), [1.0, 1.5]),
        (FramesParams(fps=NATIVE_FPS, start_s=0.4, end_s=0.75, keep_images=False), [0.5, 0.6, 0.7, 0.75]),
        (FramesParams(fps=0.001, keep_images=False), [2.0]),
    ],
)
def test_nothing_reaches_past_the_stretch_that_is_looked_at(
    tmp_path: Path, params: FramesParams, ends: list[float]
) -> None:
    video = numbered_video(tmp_path / "v.mp4", 20, fps="10")
    assert _extract(video, tmp_path / "w", params)[0]["end_s"] == pytest.approx(ends)


def test_a_frame_that_is_held_stands_until_the_next_one(tmp_path: Path) -> None:
    """Slides: two frames at once, then nothing for ten seconds."""
    held = ("-vf", "setpts='(N/25+gte(N,2)*10)/TB+0.5'", "-fps_mode", "passthrough")
    video = write_video(tmp_path / "v.mkv", [numbered_frame(0)] * 4, fps="25", encode=(*H264, *held))
    table, counts = _extract(video, tmp_path / "w")
    assert table["pts_s"] == pytest.approx([0, 10.08, 10.12])
    assert table["end_s"] == pytest.approx([10.08, 10.12, 10.16])
    assert counts["warnings"] == []


def test_frames_that_cannot_be_decoded_are_not_covered_by_those_before_them(tmp_path: Path) -> None:
    video = numbered_video(tmp_path / "v.mp4", 100, fps="25", encode=(*H264, "-g", "25", "-movflags", "+faststart"))
    content = bytearray(video.read_bytes())
    with av.open(str(video)) as container:
        lost = [p for p in container.demux(video=0) if p.pts is not None and 1 <= p.pts * p.time_base < 3]
        for packet in lost:
            content[packet.pos : packet.pos + packet.size] = bytes(packet.size)
    video.write_bytes(content)
    table, counts = _extract(video, tmp_path / "w")
    missing = [n for n in range(len(table["frame"]) - 1) if table["frame"][n + 1] - table["frame"][n] > 25]
    assert len(missing) == 1
    (last,) = missing
    assert table["end_s"][last] - table["pts_s"][last] == pytest.approx(0.12)
    assert len(counts["warnings"]) == 1
