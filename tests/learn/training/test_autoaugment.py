"""AutoAugment: the operations that RandAugment lacks against Pillow, then the policy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps

from fercli.learn.training import autoaugment as under_test
from fercli.learn.training.autoaugment import POLICY, STEPS, USED, autoaugment

SIDE = 24


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def picture(seed: int = 0) -> NDArray[np.uint8]:
    """(SIDE, SIDE, 3) RGB."""
    return np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)


def done(name: str, image: NDArray[np.uint8], strength: float) -> NDArray[np.float32]:
    """(SIDE, SIDE, 3) in [0, 255]."""
    clip = torch.from_numpy(image).permute(2, 0, 1)[None, None].float() / 255
    result = USED[name](clip, torch.tensor([strength]))
    return result[0, 0].permute(1, 2, 0).numpy() * 255


@pytest.mark.parametrize("magnitude", [3, 4, 5, 7, 8])
def test_solarize_is_pillows(magnitude: int) -> None:
    image = picture()
    threshold = int(np.ceil(255 * (1 - magnitude / STEPS) - 1e-9))  # Pillow inverts from a whole level on
    expected = np.asarray(ImageOps.solarize(Image.fromarray(image), threshold))
    np.testing.assert_allclose(done("solarize", image, -magnitude / STEPS), expected, atol=1e-3)


def test_invert_colour_and_contrast_are_pillows() -> None:
    image = picture()
    np.testing.assert_allclose(done("invert", image, 0.0), 255 - image.astype(int), atol=1e-3)
    for name, enhance in (("colour", ImageEnhance.Color), ("contrast", ImageEnhance.Contrast)):
        for strength in (-8 / STEPS, 4 / STEPS):
            if name == "contrast":
                image = np.repeat(image[..., :1], 3, axis=2)  # the mean of a coloured picture is not that of its luma
            expected = np.asarray(enhance(Image.fromarray(image)).enhance(1 + 0.9 * strength))
            np.testing.assert_allclose(done(name, image, strength), expected, atol=1.6)


def test_grey_clips_have_no_colour_to_change() -> None:
    grey = torch.rand((2, 1, 1, SIDE, SIDE), generator=generator())
    assert torch.equal(USED["colour"](grey, torch.tensor([0.9, -0.9])), grey)


def test_the_policy_is_the_authors() -> None:
    assert len(POLICY) == 25
    counts = {name: sum(step[0] == name for pair in POLICY for step in pair) for name in USED}
    assert counts["equalize"] == 17 and counts["solarize"] == 7 and counts["colour"] == 6 and counts["invert"] == 3
    assert sum(counts.values()) == 50
    assert all(0 <= step[1] <= 1 and 0 <= step[2] <= STEPS for pair in POLICY for step in pair)


def test_each_step_has_its_probability_and_its_magnitude(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []

    def note(clips: torch.Tensor, strength: torch.Tensor) -> torch.Tensor:
        seen.extend(strength.tolist())
        return 1 - clips

    monkeypatch.setattr(under_test, "USED", {"note": note, "never": lambda *_: pytest.fail("probability 0")})
    monkeypatch.setattr(under_test, "POLICY", [(("note", 0.6, 3), ("never", 0.0, 9))])
    views = torch.zeros((2000, 1, 1, 2, 2))
    found = autoaugment(views, generator())
    assert views.max() == 0
    assert float(found[:, 0, 0, 0, 0].mean()) == pytest.approx(0.6, abs=0.04)
    assert {round(value, 3) for value in seen} == {-0.333, 0.333}


def test_pairs_are_drawn_evenly_and_by_the_generator_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    views = torch.rand((64, 2, 3, SIDE, SIDE), generator=generator())
    first, again, other = (autoaugment(views, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert first.min() >= 0 and first.max() <= 1
    monkeypatch.setattr(under_test, "POLICY", [(("invert", 1.0, 0), ("invert", 0.0, 0)), (("invert", 0.0, 0),) * 2])
    inverted = autoaugment(torch.zeros((2000, 1, 1, 2, 2)), generator())[:, 0, 0, 0, 0]
    assert float(inverted.mean()) == pytest.approx(0.5, abs=0.05)
