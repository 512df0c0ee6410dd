"""The sound of a video: when it is heard, which channels, and what is wrong with it."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from fercli.errors import ConfigError
from fercli.media.audio import PIECE_S, RATE, Samples, Sound, decode, encode, read_sound
from tests.failing import fails
from tests.media_samples import BURST_S, bursts, ffmpeg, numbered_video, with_sound


def heard(path: Path, track: int = 0, **stretch: float) -> tuple[float, Samples, Sound]:
    """Start, all samples and facts."""
    sound = read_sound(path, track, **stretch)  # type: ignore[arg-type]  # none of them is `native`
    assert sound is not None
    pieces = list(sound.pieces)
    for (start_s, samples), (after_s, _) in itertools.pairwise(pieces):
        assert len(samples) == PIECE_S * RATE and after_s == start_s + PIECE_S
    return pieces[0][0], np.concatenate([samples for _, samples in pieces]), sound


def onsets(start_s: float, samples: Samples) -> list[float]:
    """When each burst begins, seconds."""
    loud = np.flatnonzero(np.abs(samples) > 0.1)
    first = loud[np.diff(loud, prepend=-RATE) > BURST_S * RATE]
    return [start_s + place / RATE for place in first]


@pytest.mark.parametrize(
    ("name", "encode_as"),
    [
        ("a.mp4", ("-c:a", "aac")),
        ("a.mov", ("-c:a", "pcm_s16le")),
        ("a.mkv", ("-c:a", "libopus")),
        ("a.ts", ("-c:a", "mp2")),
        ("a.avi", ("-c:a", "libmp3lame")),
    ],
)
def test_a_sound_is_heard_when_a_player_plays_it(tmp_path: Path, name: str, encode_as: tuple[str, ...]) -> None:
    start_s, samples, _ = heard(with_sound(tmp_path / name, [bursts(0.5, 2.0)], encode=encode_as))
    shift_s = 0.03 if name == "a.avi" else 0.012  # mp3 in AVI: players do not skip its priming either
    assert onsets(start_s, samples) == pytest.approx([0.5, 2.0], abs=shift_s)


def test_sound_that_starts_late_is_heard_late(tmp_path: Path) -> None:
    start_s, samples, _ = heard(with_sound(tmp_path / "a.mkv", [bursts(0.5)], seconds=1.0, late_s=1.2))
    assert start_s == pytest.approx(1.2, abs=0.03)
    assert onsets(start_s, samples) == pytest.approx([1.7], abs=0.012)


def test_the_rate_and_the_channels_of_the_file_can_be_kept(tmp_path: Path) -> None:
    channels = [bursts(0.5), bursts(2.0)]
    path = with_sound(tmp_path / "a.mkv", channels, rate=44_100, late_s=1.2, encode=("-c:a", "flac"))
    sound = read_sound(path, native=True)
    assert sound is not None and (sound.rate, sound.channels) == (44_100, 2)
    ((start_s, samples),) = sound.pieces
    assert start_s == pytest.approx(1.2, abs=0.03) and samples.shape == (3 * 44_100, 2)
    loud = [np.flatnonzero(np.abs(samples[:, number]) > 0.1) / 44_100 for number in range(2)]
    for found, at in zip(loud, (0.5, 2.0), strict=True):
        assert (found.min(), found.max()) == pytest.approx((at, at + BURST_S), abs=0.001)


@pytest.mark.parametrize("dead", [1, 2])
def test_of_two_channels_the_one_with_sound_is_taken(tmp_path: Path, dead: int) -> None:
    channels = [bursts(0.5), bursts()] if dead == 2 else [bursts(), bursts(0.5)]
    _, samples, sound = heard(with_sound(tmp_path / "a.mkv", channels, encode=("-c:a", "flac")))
    assert sound.facts.dead == dead and sound.facts.channels == 2
    assert np.abs(samples).max() == pytest.approx(0.5, abs=0.02)  # not half of it


def test_two_channels_are_averaged(tmp_path: Path) -> None:
    channels = [bursts(0.5), bursts(2.0)]
    start_s, samples, sound = heard(with_sound(tmp_path / "a.mkv", channels, encode=("-c:a", "flac")))
    assert sound.facts.dead == 0
    assert onsets(start_s, samples) == pytest.approx([0.5, 2.0], abs=0.005)
    assert np.abs(samples).max() == pytest.approx(0.25, abs=0.02)


def test_all_of_five_channels_are_heard(tmp_path: Path) -> None:
    channels = [bursts(time, level=0.9) for time in (0.3, 0.8, 1.3)] + [bursts(), bursts(1.8), bursts(2.3)]
    start_s, samples, sound = heard(with_sound(tmp_path / "a.mkv", channels, layout="5.1", encode=("-c:a", "flac")))
    assert sound.facts.channels == 6
    assert len(onsets(start_s, 2 * samples)) == 5
    assert onsets(start_s, 2 * samples)[:3] == pytest.approx([0.3, 0.8, 1.3], abs=0.005)


def test_telephone_sound_keeps_its_length(tmp_path: Path) -> None:
    path = with_sound(tmp_path / "a.mkv", [bursts(2.0)], rate=8000, encode=("-c:a", "pcm_s16le"))
    start_s, samples, sound = heard(path)
    assert sound.facts.sample_rate == 8000 and len(samples) == pytest.approx(3 * RATE, abs=16)
    assert onsets(start_s, samples) == pytest.approx([2.0], abs=0.005)


def test_clipped_sound_is_counted(tmp_path: Path) -> None:
    loud = "max(-1,min(1,3*sin(2*PI*440*t)))"
    _, samples, sound = heard(with_sound(tmp_path / "a.mkv", [loud], encode=("-c:a", "pcm_s16le")))
    assert sound.facts.full_scale > 0.5 * len(samples)


def test_a_sound_track_is_chosen_by_its_number(tmp_path: Path) -> None:
    one = with_sound(tmp_path / "1.mkv", [bursts(0.5)])
    two = with_sound(tmp_path / "2.mkv", [bursts(2.0)])
    both = tmp_path / "both.mkv"
    ffmpeg("-i", str(one), "-i", str(two), "-map", "0", "-map", "1:a", "-c", "copy", str(both))
    for track, time in ((0, 0.5), (1, 0.5), (2, 2.0)):
        start_s, samples, sound = heard(both, track)
        assert onsets(start_s, samples) == pytest.approx([time], abs=0.012)
        assert (sound.facts.track, sound.facts.tracks) == (max(track, 1), 2)
    with fails(ConfigError, "audio-track-unknown", "2 sound tracks"):
        read_sound(both, 3)


def test_a_gap_in_the_timestamps_is_silent(tmp_path: Path) -> None:
    whole = with_sound(tmp_path / "a.mkv", [bursts(0.2, 2.5)], encode=("-c:a", "pcm_s16le"))
    gap = tmp_path / "gap.mkv"
    ffmpeg("-i", str(whole), "-c:v", "copy", "-c:a", "pcm_s16le", "-af", "aselect='not(between(t,1,2))'", str(gap))
    start_s, samples, sound = heard(gap)
    assert onsets(start_s, samples) == pytest.approx([0.2, 2.5], abs=0.005)
    assert sound.facts.corrected == 1 and sound.facts.corrected_s == pytest.approx(1, abs=0.1)


def test_a_clock_that_begins_anew_loses_no_sound(tmp_path: Path) -> None:
    part = with_sound(tmp_path / "part.ts", [bursts(1.0)], encode=("-c:a", "mp2"))
    twice = tmp_path / "twice.ts"
    twice.write_bytes(part.read_bytes() * 2)
    start_s, samples, _ = heard(twice)
    assert onsets(start_s, samples) == pytest.approx([1.0, 4.0], abs=0.06)


def test_only_a_stretch_is_read(tmp_path: Path) -> None:
    path = with_sound(tmp_path / "a.mkv", [bursts(0.5, 1.5, 2.5)])
    start_s, samples, _ = heard(path, start_s=1.0, end_s=2.0)
    assert start_s == 1.0 and len(samples) == RATE
    assert onsets(start_s, samples) == pytest.approx([1.5], abs=0.012)


def test_pieces_follow_each_other(tmp_path: Path) -> None:
    path = with_sound(tmp_path / "a.mkv", [bursts(29.9, 59.9, 61.0)], seconds=62, encode=("-c:a", "flac"))
    start_s, samples, _ = heard(path)
    assert onsets(start_s, samples) == pytest.approx([29.9, 59.9, 61.0], abs=0.005)


def test_a_video_without_sound_has_none(tmp_path: Path) -> None:
    assert read_sound(numbered_video(tmp_path / "a.mp4", 5)) is None


def test_a_truncated_file_is_read_up_to_its_end(tmp_path: Path) -> None:
    whole = with_sound(tmp_path / "a.mkv", [bursts(0.5, 2.5)], encode=("-c:a", "pcm_s16le"))
    content = whole.read_bytes()
    whole.write_bytes(content[: len(content) // 2])
    start_s, samples, _ = heard(whole)
    assert onsets(start_s, samples) == pytest.approx([0.5], abs=0.005) and len(samples) < 2.5 * RATE


def test_flac_keeps_the_samples() -> None:
    samples = np.random.default_rng(0).uniform(-1, 1, 3 * RATE).astype(np.float32)
    assert np.abs(decode(encode(samples)) - samples).max() <= 1 / 32768
    assert len(decode(encode(samples[:1]))) == 1
    assert np.abs(decode(encode(np.array([-2.0, 2.0], np.float32)))).max() <= 1
    with pytest.raises(ValueError, match="16 bits"):
        decode(b"no sound")
