"""Changed copies of utterances: what is changed, and by how much."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fercli.learn.voice.changes import Change, changed, drawn

RATE = 16_000


def tone(hertz: float, seconds: float = 2.0, level: float = 0.3) -> np.ndarray:
    return np.asarray(level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE), np.float32)


def copy(samples: np.ndarray, seed: int = 0, **change: float) -> np.ndarray:
    return changed(samples, replace(Change(), **change), np.random.default_rng(seed))


def loudest_hertz(samples: np.ndarray) -> float:
    return float(np.abs(np.fft.rfft(samples)).argmax() * RATE / len(samples))


def rms(samples: np.ndarray) -> float:
    return float(np.sqrt((samples.astype(float) ** 2).mean()))


def test_no_change_is_the_same() -> None:
    assert copy(tone(200)) == pytest.approx(tone(200), abs=1e-6)


@pytest.mark.parametrize(("semitones", "tempo"), [(2.0, 1.25), (-2.0, 0.8), (0.0, 1.25), (3.0, 1.0)])
def test_pitch_and_tempo_are_changed_apart(semitones: float, tempo: float) -> None:
    found = copy(tone(200), semitones=semitones, tempo=tempo)
    assert loudest_hertz(found) == pytest.approx(200 * 2 ** (semitones / 12), abs=1)
    assert len(found) == pytest.approx(2 * RATE / tempo, rel=0.02)


def test_a_part_is_kept() -> None:
    samples = np.linspace(0, 1, RATE, dtype=np.float32)
    found = copy(samples, start=0.25, share=0.5)
    assert len(found) == RATE // 2 and found[0] == pytest.approx(0.25, abs=0.01)


def test_noise_is_as_far_below_the_voice_as_said() -> None:
    noise = copy(tone(200), noise_db=20.0) - tone(200)
    assert rms(noise) == pytest.approx(rms(tone(200)) / 10, rel=0.01)
    assert not np.array_equal(copy(tone(200), 1, noise_db=20.0), copy(tone(200), 2, noise_db=20.0))


def test_an_echo_lasts_as_long_as_said() -> None:
    click = np.zeros(RATE, np.float32)
    click[0] = 1.0
    found = copy(click, echo_s=0.5, echo_share=0.5)
    assert (found[1:] ** 2).sum() == pytest.approx(1.0, rel=0.15)
    early, late = rms(found[800:1600]), rms(found[6400:7200])  # 0.35 s apart, which is 42 dB of 60 in 0.5 s
    assert 20 * np.log10(early / late) == pytest.approx(42, abs=2)


def test_bands_and_tilt_of_a_microphone() -> None:
    assert rms(copy(tone(200), low_hz=400.0)) < 0.03 * rms(tone(200))
    assert rms(copy(tone(4000), high_hz=2000.0)) < 0.03 * rms(tone(4000))
    assert rms(copy(tone(1000), low_hz=200.0, high_hz=4000.0)) == pytest.approx(rms(tone(1000)), rel=0.01)
    assert rms(copy(tone(4000), tilt_db=3.0)) == pytest.approx(rms(tone(4000)) * 10 ** (6 / 20), rel=0.01)


def test_levelling_brings_loud_and_quiet_together() -> None:
    both = np.concatenate((tone(200, level=0.4), tone(200, level=0.1)))
    found = copy(both, levelling=0.5)
    assert rms(found[: 2 * RATE]) / rms(found[2 * RATE :]) == pytest.approx(2, rel=0.03)


def test_drawn_changes_are_the_same_with_the_same_seed_and_usable() -> None:
    for seed in range(20):
        change = drawn(np.random.default_rng(seed))
        assert change == drawn(np.random.default_rng(seed))
        found = changed(tone(200, 0.5), change, np.random.default_rng(seed))
        assert found.dtype == np.float32 and np.isfinite(found).all() and len(found) > 0.15 * RATE
    assert drawn(np.random.default_rng(0)) != drawn(np.random.default_rng(1))
