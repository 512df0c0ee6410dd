"""Pictures of data sets: the same pixels as elsewhere, and damage that is found without a word on stderr."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from fercli.errors import InputError
from fercli.learn.datasets.pictures import read_picture
from fercli.media.images import read_image
from tests.failing import fails
from tests.media_samples import png_header


def photograph(path: Path, mode: str = "RGB", **options: Any) -> Path:
    """A picture with detail in all of it."""
    noise = np.random.default_rng(0).integers(0, 255, (30, 40, 3), dtype=np.uint8)
    smooth = cv2.resize(noise, (200, 150), interpolation=cv2.INTER_CUBIC)
    Image.fromarray(smooth).convert(mode).save(path, **options)
    return path


@pytest.mark.parametrize(
    ("name", "mode"),
    [(f"a{suffix}", mode) for suffix in (".jpg", ".png", ".bmp", ".tif", ".webp") for mode in ("RGB", "L")]
    + [("a.png", "RGBA"), ("a.png", "P"), ("a.png", "1"), ("a.jpg", "CMYK")],
)
def test_pixels_are_those_of_all_other_pictures(tmp_path: Path, name: str, mode: str) -> None:
    path = photograph(tmp_path / name, mode)
    np.testing.assert_array_equal(read_picture(path), read_image(path))


def test_a_progressive_jpeg_and_one_that_lies_on_its_side(tmp_path: Path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    path = photograph(tmp_path / "a.jpg", exif=turned, progressive=True)
    assert read_picture(path).shape == (200, 150, 3)
    np.testing.assert_array_equal(read_picture(path), read_image(path))


def test_sixteen_bits(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.arange(48 * 48, dtype=np.uint16).reshape(48, 48) * 28)
    np.testing.assert_array_equal(read_picture(path), read_image(path))


def damaged(folder: Path) -> dict[str, Path]:
    """Broken pictures, by what was done to them."""
    jpeg = photograph(folder / "a.jpg", quality=90).read_bytes()
    png = photograph(folder / "a.png").read_bytes()
    content = {
        "cut.jpg": jpeg[: len(jpeg) // 2],
        "ends.jpg": jpeg[: len(jpeg) // 2] + b"\xff\xd9",
        "hole.jpg": jpeg[: len(jpeg) // 3] + jpeg[len(jpeg) // 2 :],
        "head.jpg": b"\xff\xd8 no image",
        "cut.png": png[: len(png) // 2],
        "flipped.png": png[: len(png) // 2] + bytes([png[len(png) // 2] ^ 255]) + png[len(png) // 2 + 1 :],
        "head.png": png[:8],
        "empty.jpg": b"",
        "text.png": b"no picture at all",
    }
    for name, data in content.items():
        (folder / name).write_bytes(data)
    return {name: folder / name for name in content}


def test_damage_is_an_error_that_names_the_file_and_nothing_else_is_said(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for path in damaged(tmp_path).values():
        with pytest.raises(InputError) as caught:
            read_picture(path)
        assert str(path) in caught.value.message and caught.value.hint and caught.value.exit_code == 3
    assert capfd.readouterr() == ("", "")


def test_a_picture_that_is_not_there(tmp_path: Path) -> None:
    with fails(InputError, "file-missing", "gone.jpg"):
        read_picture(tmp_path / "gone.jpg")


def test_a_picture_of_too_many_pixels_a_pipe_and_a_device_are_refused(tmp_path: Path) -> None:
    (tmp_path / "large.png").write_bytes(png_header(12_000, 12_000))
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    for name in ("large.png", "pipe.png", "zero.png"):
        with pytest.raises(InputError, match=name):
            read_picture(tmp_path / name)
