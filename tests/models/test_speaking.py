"""Mouth and sound together, and LR-ASD's input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fercli.errors import WeightsError
from fercli.models.lr_asd import COEFFICIENTS, FPS, SIDE, load, mfcc
from fercli.models.lr_asd_net import read_network
from fercli.models.registry import find_model, find_weights
from fercli.models.speaking import CHANCE, darkness, follows, loudness, probability
from tests.failing import fails

RNG = np.random.default_rng(1)
SYLLABLES = np.convolve(RNG.standard_normal(150), np.ones(4) / 4, mode="same")
"""Six seconds."""


def test_sound_that_follows_the_mouth_correlates_at_a_delay_and_other_sound_does_not() -> None:
    late = np.roll(SYLLABLES, 3)
    other = np.convolve(RNG.standard_normal(150), np.ones(4) / 4, mode="same")
    assert follows(SYLLABLES, late)[40:-40].min() > 0.9
    assert follows(SYLLABLES, other)[40:-40].mean() < 0.5


def test_where_nothing_changes_nothing_is_known() -> None:
    assert follows(np.zeros(50), SYLLABLES[:50]) == pytest.approx(CHANCE)
    assert follows(np.ones(1), np.ones(1)) == pytest.approx(CHANCE)


def test_an_open_mouth_is_dark_and_a_loud_band_is_loud() -> None:
    views = np.full((2, SIDE, SIDE), 200, np.uint8)
    views[1, 60:80, 40:72] = 10
    closed, opened = darkness(views)
    assert opened - closed > 150
    time = np.arange(16_000) / 16_000
    quiet, low, high = (
        loudness(one.astype(np.float32), 25) for one in (0 * time, np.sin(600 * time), np.sin(12_000 * time))
    )
    assert (high[2:-2] > low[2:-2] + 1).all() and (low >= quiet - 1e-6).all()
    assert len(loudness(np.zeros(100, np.float32), 10)) == 10


def test_the_score_rises_with_both() -> None:
    found = probability(np.array([-3.0, 1.0, 1.0], np.float32), np.array([CHANCE, CHANCE, 0.6]))
    assert found[0] < 0.05 < 0.5 < found[1] < found[2] < 1


def test_coefficients_are_four_a_picture_and_do_not_see_beyond_the_sound() -> None:
    sound = np.asarray(RNG.standard_normal(16_000) * 0.1, np.float32)
    found = mfcc(sound, FPS)
    assert found.shape == (4 * FPS, COEFFICIENTS)
    quiet = mfcc(np.asarray(sound / 10, np.float32), FPS)
    # Ten times quieter is ln(100) less energy, and the same shape of the spectrum.
    assert found[:-3, 0] - quiet[:-3, 0] == pytest.approx(np.log(100), abs=1e-3)
    assert found[:-3, 1:] == pytest.approx(quiet[:-3, 1:], abs=1e-2)
    assert mfcc(sound[:100], FPS)[10, 0] == pytest.approx(np.log(np.finfo(float).eps), abs=1e-3)


def test_a_picture_that_does_not_move_is_not_heard_talking() -> None:
    weights = find_weights(find_model("lr-asd", "speakers"))
    assert weights is not None
    network = load(weights, "cpu")
    still = np.full((FPS, SIDE, SIDE), 120, np.uint8)
    scores = network.talks(network.see(still), network.hear(mfcc(np.zeros(16_000, np.float32), FPS)))
    assert scores.shape == (FPS,) and scores.max() < -1


@pytest.mark.parametrize("pictures", [1, 2, 30])
def test_the_cpu_gets_the_numbers_of_torch(pictures: int) -> None:
    weights = Path(str(find_weights(find_model("lr-asd", "speakers"))))
    network, in_torch = load(weights, "cpu"), read_network(weights, "cpu")
    views = RNG.integers(0, 256, (pictures, SIDE, SIDE), np.uint8)
    sound = mfcc(np.asarray(RNG.standard_normal(640 * pictures) * 0.1, np.float32), pictures)
    seen, heard = network.see(views), network.hear(sound)
    assert seen.shape == heard.shape == (1, pictures, 128)
    np.testing.assert_allclose(seen, in_torch.see(views).numpy(), atol=1e-5)
    np.testing.assert_allclose(heard, in_torch.hear(sound).numpy(), atol=1e-5)
    scores = network.talks(seen, heard)
    np.testing.assert_allclose(scores, in_torch.talks(in_torch.see(views), in_torch.hear(sound)), atol=1e-5)
    half = pictures // 2
    after = in_torch.talks(in_torch.see(views)[:, half:], in_torch.hear(sound)[:, half:])
    np.testing.assert_allclose(network.talks(seen[:, half:], heard[:, half:]), after, atol=1e-5)


def test_another_file_is_not_the_network(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    path = tmp_path / "other.safetensors"
    save_file({"weight": np.zeros(3, np.float32)}, path)
    for read in (load, read_network):
        with fails(WeightsError, "weights-unusable", "other.safetensors"):
            read(path, "cpu")
