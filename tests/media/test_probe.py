from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from fercli.errors import VideoError
from fercli.media.probe import probe
from tests.failing import fails
from tests.media_samples import H264_B_FRAMES, ffmpeg, numbered_video

VIDEOS = Path(__file__).parents[2] / ".." / "shared" / "data" / "videos"


def test_facts_of_a_23_976_video_that_starts_late(tmp_path: Path) -> None:
    encode = (*H264_B_FRAMES, "-vf", "setpts=PTS+20")  # in frames: 20 * 1001 / 24000 s
    path = numbered_video(tmp_path / "v.mp4", 48, fps="24000/1001", encode=encode)
    facts = probe(path)
    assert (facts.width, facts.height, facts.rotation, facts.codec) == (128, 64, 0, "h264")
    assert facts.fps == pytest.approx(24000 / 1001)
    assert facts.duration_s == pytest.approx(48 * 1001 / 24000)
    assert facts.start_s == 0
    assert facts.raw_start_s == pytest.approx(20 * 1001 / 24000, abs=5e-4)
    assert facts.path == str(path)
    assert facts.size == path.stat().st_size
    assert facts.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_rate_is_the_average_where_it_varies(tmp_path: Path) -> None:
    times = "setpts='(N/30+floor(N/5)*0.1)/TB+0.5'"  # half a tick against rounding down
    encode = (*H264_B_FRAMES, "-vf", times, "-fps_mode", "passthrough")
    facts = probe(numbered_video(tmp_path / "v.mp4", 60, encode=encode))
    assert facts.duration_s == pytest.approx(60 / 30 + 11 * 0.1)
    assert facts.fps == pytest.approx(60 / (60 / 30 + 11 * 0.1))


@pytest.mark.parametrize(
    ("display_rotation", "clockwise", "size"), [(90, 270, (64, 128)), (180, 180, (128, 64)), (270, 90, (64, 128))]
)
def test_size_is_upright(tmp_path: Path, display_rotation: int, clockwise: int, size: tuple[int, int]) -> None:
    numbered_video(tmp_path / "v.mp4", 3)
    turned = str(tmp_path / "turned.mp4")
    ffmpeg("-display_rotation", str(display_rotation), "-i", str(tmp_path / "v.mp4"), "-c", "copy", turned)
    facts = probe(Path(turned))
    assert (facts.rotation, (facts.width, facts.height)) == (clockwise, size)


def test_codec_goes_by_its_own_name_not_its_decoders(tmp_path: Path) -> None:
    encode = ("-c:v", "libsvtav1", "-preset", "12", "-pix_fmt", "yuv420p")
    assert probe(numbered_video(tmp_path / "v.mp4", 3, encode=encode)).codec == "av1"


def test_a_video_of_which_nothing_decodes(tmp_path: Path) -> None:
    path = numbered_video(tmp_path / "v.mp4", 5, encode=(*H264_B_FRAMES, "-movflags", "+faststart"))
    content = bytearray(path.read_bytes())
    start = content.index(b"mdat") + 4
    content[start:] = bytes(len(content) - start)
    path.write_bytes(content)
    with fails(VideoError, "video-damaged"):
        probe(path)


@pytest.mark.skipif(not VIDEOS.exists(), reason=f"{VIDEOS} is not there")
def test_real_videos() -> None:
    hamilton = probe(VIDEOS / "hamilton_short.mp4")
    assert hamilton.start_s == pytest.approx(0.844, abs=5e-4)  # 0.852 in the file, whose sound begins at 0.008
    assert hamilton.raw_start_s == pytest.approx(0.008, abs=5e-4)
    assert hamilton.fps == pytest.approx(29.97, abs=1e-3)
    assert hamilton.duration_s == pytest.approx(9.176, abs=1e-3)
    phone = probe(VIDEOS / "pyfeat_noface_face.mov")  # nominally 120 frames a second
    assert phone.fps == pytest.approx(26.5, abs=0.05)
    assert probe(VIDEOS / "pyfeat_no_face.mp4").duration_s == pytest.approx(4.015, abs=2e-3)  # the last frame is held
