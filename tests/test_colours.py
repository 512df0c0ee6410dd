from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.colours import COLOURS, RGB, as_hex, ink_on
from fercli.labels import EMOTIONS_8, NOT_ASSESSABLE

WHITE = (255, 255, 255)
VISION = {
    "normal": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
"""Of linear RGB, as seen at full severity: Machado et al. 2009, doi:10.1109/TVCG.2009.113."""
CLEARLY_APART = 14.0
"""In CIELAB; a difference of 2 can just be seen."""


def seen_as(colour: RGB, vision: str) -> NDArray[np.float32]:
    """L*, a*, b* of a colour."""
    value = np.array(colour) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(VISION[vision]) @ linear, 0, 1)
    encoded = np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055)
    lab: NDArray[np.float32] = cv2.cvtColor(encoded.astype(np.float32)[None, None], cv2.COLOR_RGB2LAB)[0, 0]
    return lab


def test_every_class_has_a_colour() -> None:
    assert set(COLOURS) == {*EMOTIONS_8, NOT_ASSESSABLE}


@pytest.mark.parametrize("vision", VISION)
def test_colour_blind_people_can_tell_the_colours_apart_from_each_other_and_from_paper(vision: str) -> None:
    for one, other in itertools.combinations([*COLOURS.values(), WHITE], 2):
        assert np.linalg.norm(seen_as(one, vision) - seen_as(other, vision)) > CLEARLY_APART, (one, other)


def test_writing_on_each_colour_has_the_contrast_wcag_asks_for() -> None:
    def luminance(colour: RGB) -> float:
        return float((seen_as(colour, "normal")[0] + 16) / 116) ** 3

    for colour in COLOURS.values():
        light, dark = sorted((luminance(colour), luminance(ink_on(colour))), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, colour


def test_hex_has_two_digits_a_channel() -> None:
    assert as_hex((0, 10, 255)) == "#000aff"
