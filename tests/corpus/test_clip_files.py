from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.corpus.clip_files import FACE_SIDE, face_at, remove_clip, upright_face, write_clips
from fercli.corpus.clip_sound import sound_of
from fercli.corpus.manifest import Face
from fercli.hashing import digest, sha256_file
from fercli.media.audio import RATE
from fercli.media.images import read_image
from fercli.media.index import read_index
from fercli.progress import Silent
from tests.corpus.corpora import FPS, clip, film, noise, numbers, samples_of
from tests.media_samples import ffmpeg


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("film") / "film.mkv")


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def test_clips_that_overlap_have_exactly_their_frames_and_samples(video: Path, tmp_path: Path) -> None:
    clips = [clip(video, 13, 12), clip(video, 3, 30, "other"), clip(video, 44, 6, "last")]
    write_clips(video, read_index(video), clips, tmp_path, Silent())
    whole = noise(50)
    for one in clips:
        file = tmp_path / f"clips/{one.id}.mp4"
        assert numbers(file) == list(range(one.first_frame, one.first_frame + one.frames))
        times = read_index(file)
        assert np.allclose(times.pts_s - times.pts_s[0], np.arange(one.frames) / FPS, atol=1e-4)
        expected = whole[one.first_sample : one.first_sample + one.samples]
        assert one.samples == one.frames * 48_000 // FPS == len(expected)
        assert np.array_equal(samples_of(tmp_path / f"sound/{one.id}.wav"), expected)
        with av.open(str(file)) as container:
            assert [stream.type for stream in container.streams] == ["video", "audio"]
            (heard,) = container.streams.audio
            assert (heard.rate, heard.channels) == (48_000, 2)
        assert len(read_index(tmp_path / f"faces/{one.id}.mp4").pts_s) == one.frames
        crops = sorted((tmp_path / f"frames/{one.id}").iterdir())
        assert [int(crop.stem) for crop in crops] == [face.frame for face in one.faces]
        assert read_image(crops[0]).shape == (FACE_SIDE, FACE_SIDE, 3)


def test_frames_of_uneven_length_are_cut_on_the_frame_and_the_sample(video: Path, tmp_path: Path) -> None:
    uneven = tmp_path / "uneven.mkv"
    few = ("-vf", "select='mod(n,3)'", "-fps_mode", "vfr")  # 1, 2, 4, 5, 7, 8 ...
    ffmpeg("-i", str(video), *few, "-c:v", "libx264", "-crf", "18", "-c:a", "copy", str(uneven))
    index = read_index(uneven)
    start_s, end_s = float(index.pts_s[5]), float(index.ends_s[12])
    assert (start_s, end_s) == pytest.approx((8 / FPS, 20 / FPS), abs=1e-3)
    times = {"start_s": start_s, "end_s": end_s, "first_sample": round(48_000 * start_s)}
    faces = (Face(7, 40.0, 10.0, 80.0, 50.0, 0.0),)
    one = clip(uneven, 5, 8, "uneven", **times, samples=round(48_000 * end_s) - times["first_sample"], faces=faces)
    write_clips(uneven, index, [one], tmp_path, Silent())
    assert numbers(tmp_path / f"clips/{one.id}.mp4") == [8, 10, 11, 13, 14, 16, 17, 19]
    found = read_index(tmp_path / f"clips/{one.id}.mp4").pts_s
    np.testing.assert_allclose(found - found[0], np.array([0, 2, 3, 5, 6, 8, 9, 11]) / FPS, atol=1e-3)
    heard = samples_of(tmp_path / f"sound/{one.id}.wav")
    assert np.array_equal(heard, noise(50)[one.first_sample : one.first_sample + one.samples])
    assert [path.name for path in (tmp_path / f"frames/{one.id}").iterdir()] == ["000007.jpg"]


def test_packets_are_copied_from_a_key_frame_to_the_next_and_encoded_otherwise(video: Path, tmp_path: Path) -> None:
    copied, last, encoded = clip(video, 10, 20), clip(video, 40, 10), clip(video, 11, 19)
    write_clips(video, read_index(video), [copied, last, encoded], tmp_path, Silent())
    source = packets(video)
    assert packets(tmp_path / f"clips/{copied.id}.mp4") == source[10:30]
    assert packets(tmp_path / f"clips/{last.id}.mp4") == source[40:]
    assert not set(packets(tmp_path / f"clips/{encoded.id}.mp4")) & set(source)
    for one in (copied, last, encoded):
        file = tmp_path / f"clips/{one.id}.mp4"
        assert numbers(file) == list(range(one.first_frame, one.first_frame + one.frames))


@pytest.mark.parametrize(
    "sound", [{"rate": 44_100, "channels": 1}, {"rate": 96_000, "channels": 6}, {"rate": 11_000, "channels": 1}]
)
def test_sound_keeps_the_rate_and_the_channels_of_its_source(sound: dict[str, int], tmp_path: Path) -> None:
    video = film(tmp_path / "film.mkv", 30, sound=sound)
    assert sound_of(video) == tuple(sound.values())
    one = clip(video, 11, 7, "film", **sound)
    write_clips(video, read_index(video), [one], tmp_path, Silent())
    whole = noise(30, sound)
    assert np.array_equal(
        samples_of(tmp_path / f"sound/{one.id}.wav", sound),
        whole[11 * sound["rate"] // FPS : 18 * sound["rate"] // FPS],
    )
    with av.open(str(tmp_path / f"clips/{one.id}.mp4")) as container:
        (heard,) = container.streams.audio
        assert heard.channels == min(2, sound["channels"])
        assert heard.rate == (48_000 if sound["rate"] == 11_000 else sound["rate"])
        assert sum(part.samples for part in container.decode(audio=0)) >= one.samples * heard.rate / sound["rate"]


def test_a_clip_of_a_manifest_before_has_its_sound_as_it_had_it(video: Path, tmp_path: Path) -> None:
    one = clip(video, 13, 12, rate=RATE, channels=1)
    write_clips(video, read_index(video), [one], tmp_path, Silent())
    found = samples_of(tmp_path / f"sound/{one.id}.wav", {"rate": RATE, "channels": 1})
    assert len(found) == 12 * RATE // FPS and found.std() > 500


def test_the_same_clips_are_the_same_files(video: Path, tmp_path: Path) -> None:
    clips = [clip(video, 13, 12, text="we were on a break"), clip(video, 10, 20)]
    for name in ("a", "b"):
        write_clips(video, read_index(video), clips, tmp_path / name, Silent())
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    assert (tmp_path / f"a/text/{clips[0].id}.txt").read_text() == "we were on a break\n"
    assert not (tmp_path / f"a/text/{clips[1].id}.txt").exists()


def test_finished_clips_are_kept_and_missing_ones_are_written(video: Path, tmp_path: Path) -> None:
    clips = [clip(video, 13, 12), clip(video, 3, 8)]
    write_clips(video, read_index(video), clips, tmp_path, Silent())
    kept, lost = (tmp_path / f"clips/{one.id}.mp4" for one in clips)
    before, content = kept.stat().st_mtime_ns, sha256_file(lost)
    lost.unlink()
    write_clips(video, read_index(video), clips, tmp_path, Silent())
    assert kept.stat().st_mtime_ns == before and sha256_file(lost) == content
    remove_clip(tmp_path, clips[0])
    left = {path.relative_to(tmp_path).parts[1].split(".")[0] for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {clips[1].id}


def test_a_killed_run_leaves_no_clip_that_looks_finished(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = clip(video, 13, 12)
    calls = []

    def fail(*arguments: object) -> NDArray[np.uint8]:
        calls.append(arguments)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return np.zeros((FACE_SIDE, FACE_SIDE, 3), np.uint8)

    monkeypatch.setattr("fercli.corpus.clip_files.upright_face", fail)
    with pytest.raises(KeyboardInterrupt):
        write_clips(video, read_index(video), [one], tmp_path, Silent())
    assert list((tmp_path / "clips").iterdir()) == []


def test_a_face_between_two_lies_on_the_line_and_turns_the_short_way() -> None:
    faces = [Face(10, 0, 0, 10, 10, 170), Face(20, 10, 20, 30, 40, -170)]
    middle = face_at(faces, 15)
    assert (middle.x1, middle.y1, middle.x2, middle.y2) == (5, 10, 20, 25)
    assert middle.roll == pytest.approx(180)
    assert face_at(faces, 3).x2 == 10 and face_at(faces, 99).x2 == 30


def test_a_turned_face_is_turned_upright() -> None:
    image = np.zeros((200, 200, 3), np.uint8)
    image[60:100, 99:101] = 255  # a line up from the middle
    turned = np.ascontiguousarray(np.rot90(image, -1))  # a quarter clockwise: it points to the right
    face = Face(0, 60, 60, 140, 140, 90.0)
    upright = upright_face(turned, face)
    middle = FACE_SIDE // 2
    assert upright[middle - 20, middle - 1 : middle + 2].max() > 200
    assert upright[middle + 20].max() < 50 and upright[middle, middle + 20].max() < 50
