from __future__ import annotations

import itertools
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fercli.errors import InputError
from fercli.media.images import (
    MAX_PIXELS,
    TURN_FROM,
    contrast,
    decode_jpeg,
    encode_jpeg,
    read_image,
    sharpness,
    square_crop,
    upright,
)
from tests.failing import fails
from tests.media_samples import png_header


def _textured(side: int) -> NDArray[np.uint8]:
    """A smooth random picture, whose detail is several pixels wide at 64 pixels and above."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
    large = cv2.resize(coarse, (512, 512), interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.resize(large, (side, side), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _numbered(height: int, width: int) -> NDArray[np.uint8]:
    """Every pixel says where it is: red is the row, green the column."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = np.arange(height)[:, None]
    image[..., 1] = np.arange(width)
    return image


def _square(x1: float, y1: float, side: float) -> NDArray[np.float32]:
    return np.array([x1, y1, x1 + side, y1 + side], dtype=np.float32)


def test_jpeg_keeps_colours_in_order() -> None:
    image = np.zeros((32, 48, 3), np.uint8)
    image[:, :, 0] = 220
    back = decode_jpeg(encode_jpeg(image))
    assert back.shape == (32, 48, 3)
    assert back.dtype == np.uint8
    np.testing.assert_allclose(back.mean(axis=(0, 1)), [220, 0, 0], atol=2)


def test_jpeg_of_the_same_image_has_the_same_bytes_and_quality_counts() -> None:
    image = np.repeat(_textured(64)[:, :, :1], 3, axis=2)  # grey: JPEG halves the resolution of colour
    assert encode_jpeg(image) == encode_jpeg(image.copy())
    assert len(encode_jpeg(image, 50)) < len(encode_jpeg(image, 95))
    assert np.abs(decode_jpeg(encode_jpeg(image)).astype(int) - image).mean() < 3


@pytest.mark.parametrize("data", [b"", b"no image", b"\xff\xd8\xff\xe0 broken"])
def test_broken_jpeg_is_an_input_error(data: bytes) -> None:
    with fails(InputError, "image-unreadable"):
        decode_jpeg(data)


def test_read_image_gives_rgb_and_turns_it_upright(tmp_path: Path) -> None:
    picture = Image.new("RGB", (40, 20), (10, 200, 30))
    exif = picture.getexif()
    exif[0x0112] = 6  # to be turned clockwise by 90 degrees
    path = tmp_path / "é.jpg"
    picture.save(path, exif=exif, quality=95)
    image = read_image(path)
    assert image.shape == (40, 20, 3)
    np.testing.assert_allclose(image.mean(axis=(0, 1)), [10, 200, 30], atol=3)


def test_read_image_names_the_file(tmp_path: Path) -> None:
    text = tmp_path / "text.jpg"
    text.write_text("hello")
    with fails(InputError, "image-unreadable", "text.jpg"):
        read_image(text)
    with fails(InputError, "file-missing", "absent.jpg"):
        read_image(tmp_path / "absent.jpg")


def test_crop_inside_takes_exactly_these_pixels() -> None:
    crop = square_crop(_numbered(100, 120), _square(30.2, 20.4, 40.0), 192)
    np.testing.assert_array_equal(crop, _numbered(100, 120)[20:60, 30:70])


def test_crop_repeats_the_edge_outside_the_image() -> None:
    crop = square_crop(_numbered(50, 60), _square(-10, 35, 30), 192)
    assert crop.shape == (30, 30, 3)
    assert crop[0, 0].tolist() == [35, 0, 0]  # left of the image: its first column
    assert crop[0, 9].tolist() == [35, 0, 0]
    assert crop[0, 29].tolist() == [35, 19, 0]
    assert crop[29, 29].tolist() == [49, 19, 0]  # below the image: its last row


def test_crop_wholly_outside_and_of_no_size_still_is_one() -> None:
    assert square_crop(_numbered(50, 60), _square(100, 100, 8), 192).tolist() == [[[49, 59, 0]] * 8] * 8
    assert square_crop(_numbered(50, 60), _square(5, 6, 0), 192).tolist() == [[[6, 5, 0]]]


def test_crop_is_scaled_down_by_averaging_and_never_enlarged() -> None:
    checks = np.zeros((64, 64, 3), np.uint8)
    checks[::2, ::2] = checks[1::2, 1::2] = 200
    small = square_crop(checks, _square(0, 0, 64), 32)
    assert small.shape == (32, 32, 3)
    assert np.unique(small).tolist() == [100]
    assert square_crop(checks, _square(0, 0, 20), 32).shape == (20, 20, 3)


def test_sharpness_falls_with_blur() -> None:
    face = _textured(160)
    values = [sharpness(face)] + [
        sharpness(np.asarray(cv2.GaussianBlur(face, (0, 0), sigma), np.uint8)) for sigma in (4, 8, 16)
    ]
    assert all(before > 2 * after for before, after in itertools.pairwise(values))


@pytest.mark.parametrize("side", [128, 256, 500])
def test_sharpness_does_not_depend_on_the_size_of_the_face(side: int) -> None:
    assert sharpness(_textured(side)) == pytest.approx(sharpness(_textured(64)), rel=0.15)


def test_sharpness_of_a_face_too_small_for_its_detail_is_lower() -> None:
    fine = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    small = np.asarray(cv2.resize(fine, (16, 16), interpolation=cv2.INTER_AREA), np.uint8)
    assert sharpness(small) < 0.1 * sharpness(fine)


def test_sharpness_over_contrast_does_not_depend_on_the_light() -> None:
    face = _textured(64)
    dim = np.asarray(face // 2, np.uint8)
    assert sharpness(dim) < sharpness(face) / 3
    assert sharpness(dim) / contrast(dim) == pytest.approx(sharpness(face) / contrast(face), rel=0.15)


def test_contrast_is_the_variance_of_the_luma() -> None:
    face = np.zeros((64, 64, 3), np.uint8)
    face[:, ::2] = 20
    assert contrast(face) == 100.0
    assert contrast(face[:0]) == 0.0


def test_sharpness_of_nothing_to_see_is_zero() -> None:
    assert sharpness(np.full((50, 40, 3), 90, np.uint8)) == 0
    assert sharpness(np.zeros((0, 5, 3), np.uint8)) == 0


@pytest.mark.parametrize(("roll", "quarter_turns"), [(90, 1), (-90, -1), (180, 2)])
def test_upright_turns_a_crop_back_by_the_roll(roll: float, quarter_turns: int) -> None:
    crop = np.ascontiguousarray(_textured(64))
    lying = np.ascontiguousarray(np.rot90(crop, -quarter_turns))  # clockwise
    np.testing.assert_allclose(upright(lying, roll).astype(int), crop, atol=1)


@pytest.mark.parametrize("roll", [None, 0.0, TURN_FROM, -TURN_FROM])
def test_upright_leaves_what_is_hardly_turned_or_unknown(roll: float | None) -> None:
    crop = _textured(32)
    assert upright(crop, roll) is crop


@pytest.mark.parametrize("side", [12_000, 30_000, 40_000])
def test_a_picture_of_too_many_pixels_is_refused_by_its_header_with_the_limit(tmp_path: Path, side: int) -> None:
    (tmp_path / "large.png").write_bytes(png_header(side, side))
    with pytest.raises(InputError) as found:
        read_image(tmp_path / "large.png")
    assert str(MAX_PIXELS) in found.value.message
    with pytest.raises(InputError, match=str(MAX_PIXELS)):
        decode_jpeg(png_header(side, side))


@pytest.mark.slow
def test_a_real_picture_of_too_many_pixels_takes_neither_time_nor_memory(tmp_path: Path) -> None:
    """In a process of its own: how much memory it ever took is asked of the system."""
    rows = zlib.compress(bytes(30_000 * 3 + 1) * 30_000, 1)
    content = png_header(30_000, 30_000)
    empty = struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    whole = struct.pack(">I", len(rows)) + b"IDAT" + rows + struct.pack(">I", zlib.crc32(b"IDAT" + rows))
    (tmp_path / "large.png").write_bytes(content.replace(empty, whole))
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from resource import RUSAGE_SELF, getrusage\n"
        "from fercli.errors import InputError\n"
        "from fercli.media.images import read_image\n"
        "before, begun = getrusage(RUSAGE_SELF).ru_maxrss, time.process_time()\n"
        "try:\n    read_image(Path(sys.argv[1]))\nexcept InputError:\n"
        "    print((getrusage(RUSAGE_SELF).ru_maxrss - before) // 1024, time.process_time() - begun)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "large.png")], capture_output=True, text=True, check=True
    )
    megabytes, seconds = map(float, run.stdout.split())
    assert megabytes < 200
    assert seconds < 5


def test_a_device_or_a_pipe_is_no_picture(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "zero.jpg").symlink_to("/dev/zero")
    for name in ("pipe.jpg", "zero.jpg"):
        with pytest.raises(InputError, match=name):
            read_image(tmp_path / name)
