"""What a player makes of stored pictures: turned, mirrored, stretched, and all of one size."""

from __future__ import annotations

import math
import subprocess
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from fercli.media.decode import decode, read_frames, read_view
from fercli.media.index import read_index
from fercli.media.picture import PREVIEW_SIDE
from fercli.media.upright import Orientation, Screen, orientation_of
from tests.media_samples import (
    H264,
    ffmpeg,
    ffmpeg_path,
    quarters,
    shape_change,
    with_display_matrix,
    write_video,
)

MIRRORED = [(), ("-display_hflip",), ("-display_vflip",)]


def shown_by_ffmpeg(path: Path) -> bytes:
    """RGB of the first frame as ffmpeg turns it."""
    arguments = ["-v", "error", "-i", str(path), "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    return subprocess.run([ffmpeg_path(), *arguments], capture_output=True, check=True).stdout


@pytest.mark.parametrize("decoder", ["decord", "pyav"])
@pytest.mark.parametrize("mirrored", MIRRORED, ids=["", "hflip", "vflip"])
@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_all_eight_orientations_are_those_of_ffmpeg(
    tmp_path: Path, turned: int, mirrored: tuple[str, ...], decoder: str
) -> None:
    write_video(tmp_path / "v.mp4", [quarters()] * 3)
    path = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", str(turned), *mirrored, "-i", str(tmp_path / "v.mp4"), "-c", "copy", str(path))
    (picture,) = decode(path, read_index(path), [0], decoder=decoder)
    image = picture.rgb()
    assert image.shape == ((128, 64, 3) if turned in (90, 270) else (64, 128, 3))
    assert image.flags.c_contiguous
    np.testing.assert_array_equal(image, np.frombuffer(shown_by_ffmpeg(path), np.uint8).reshape(image.shape))
    assert np.abs(picture.preview().astype(int) - image).max() < 12
    assert not picture.fitted
    view = read_view(path)
    assert (view.screen.height, view.screen.width) == image.shape[:2]
    assert view.orientation.mirrored == bool(mirrored)
    assert view.warnings == ()


def test_an_orientation_is_a_turn_and_then_a_swap_of_left_and_right() -> None:
    image = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
    assert Orientation(90).upright(image)[..., 0].tolist() == [[3, 0], [4, 1], [5, 2]]
    assert Orientation(90, mirrored=True).upright(image)[..., 0].tolist() == [[0, 3], [1, 4], [2, 5]]


def matrix(degrees: float, *, across: float = 1.0, mirrored: bool = False) -> tuple[float, ...]:
    """A clockwise turn of a picture that is stretched first, and perhaps mirrored last."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    side = -1 if mirrored else 1
    return (side * across * cos, across * sin, 0, -side * sin, cos, 0, 0, 0, 1)


@pytest.mark.parametrize("decoder", ["decord", "pyav"])
@pytest.mark.parametrize(
    ("degrees", "mirrored", "expected"), [(10, False, 0), (100, False, 90), (-30, False, 0), (170, True, 180)]
)
def test_other_angles_are_the_nearest_of_the_eight_with_a_warning(
    tmp_path: Path, degrees: float, mirrored: bool, expected: int, decoder: str
) -> None:
    plain = write_video(tmp_path / "v.mp4", [quarters()] * 3)
    path = with_display_matrix(plain, tmp_path / "odd.mp4", matrix(degrees, mirrored=mirrored))
    view = read_view(path)
    assert view.orientation == Orientation(expected, mirrored)
    assert len(view.warnings) == 1 and "90 degrees" in view.warnings[0]
    image = dict(read_frames(path, [0], decoder=decoder))[0]
    np.testing.assert_array_equal(image, view.orientation.upright(dict(read_frames(plain, [0]))[0]))


def test_a_matrix_that_stretches_turns_nothing() -> None:
    numbers = np.round(np.array(matrix(90, across=1.5)) * 65536).astype(np.int32)
    orientation, off = orientation_of(numbers.tobytes())
    assert orientation == Orientation(90) and off < 0.01


def test_a_matrix_that_shows_nothing_is_passed_over_with_a_warning() -> None:
    assert orientation_of(bytes(36)) == (Orientation(), math.inf)


@pytest.mark.parametrize(
    ("said", "turned", "expected"),
    [("4/3", 0, Fraction(4, 3)), ("8/9", 0, Fraction(8, 9)), ("4/3", 90, Fraction(3, 4)), ("1/1", 0, Fraction(1))],
)
def test_pixels_have_the_shape_they_have_upright(tmp_path: Path, said: str, turned: int, expected: Fraction) -> None:
    write_video(tmp_path / "v.mp4", [quarters()] * 3, encode=(*H264, "-vf", f"setsar={said}"))
    path = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", str(turned), "-i", str(tmp_path / "v.mp4"), "-c", "copy", str(path))
    view = read_view(path)
    assert view.screen.pixel_aspect == expected and view.warnings == ()


@pytest.mark.parametrize("said", ["20/1", "1/50"])
def test_pixels_of_an_absurd_shape_are_taken_as_square_with_a_warning(tmp_path: Path, said: str) -> None:
    encode = (*H264, "-vf", f"setsar={said}:max=100")
    view = read_view(write_video(tmp_path / "v.mp4", [quarters()] * 3, encode=encode))
    assert view.screen.pixel_aspect == 1
    assert len(view.warnings) == 1 and "square" in view.warnings[0]


@pytest.mark.parametrize("name", ["v.ts", "v.mp4", "v.mkv"])
@pytest.mark.parametrize("decoder", ["decord", "pyav"])
def test_a_size_that_changes_stays_that_of_the_start(tmp_path: Path, name: str, decoder: str) -> None:
    double = np.kron(quarters(), np.ones((2, 2, 1), np.uint8))
    path = shape_change(tmp_path / name, quarters(), double)
    pictures = [(p.fitted, p.rgb(), p.preview()) for p in decode(path, read_index(path), range(20), decoder=decoder)]
    assert [fitted for fitted, _, _ in pictures] == [False] * 10 + [True] * 10
    for _, image, preview in pictures:
        assert np.abs(image.astype(int) - quarters())[8:24, 8:56].max() < 12
        assert image.shape == preview.shape == (64, 128, 3)


def test_a_picture_of_other_proportions_keeps_them_between_black_bars(tmp_path: Path) -> None:
    upright = np.full((128, 64, 3), 200, np.uint8)
    path = shape_change(tmp_path / "v.ts", quarters(), upright)
    image = dict(read_frames(path, [15]))[15]
    assert image.shape == (64, 128, 3)
    assert image[:, :46].max() < 20 and image[:, 82:].max() < 20
    assert np.abs(image[:, 50:78].astype(int) - 200).max() < 12


def test_previews_are_fitted_as_the_pictures_are(tmp_path: Path) -> None:
    large = np.full((512, 1024, 3), 200, np.uint8)
    path = shape_change(tmp_path / "v.ts", large, np.full((1024, 512, 3), 200, np.uint8))
    *_, last = decode(path, read_index(path), range(20))
    preview = last.preview()
    assert preview.shape == (128, PREVIEW_SIDE, 3)
    shrunk = cv2.resize(last.rgb(), (256, 128), interpolation=cv2.INTER_AREA)
    assert (np.abs(shrunk.astype(int) - preview).max(axis=2) > 16).mean() < 0.02


def test_pixels_that_change_their_shape_only_are_fitted_too(tmp_path: Path) -> None:
    """A broadcast that goes from 4:3 to 16:9 keeps its size."""
    parts = [tmp_path / f"{number}.ts" for number in (1, 2)]
    for number, (part, aspect) in enumerate(zip(parts, ("1/1", "2/1"), strict=True)):
        encode = (*H264, "-vf", f"setsar={aspect}", "-output_ts_offset", str(number / 3))
        write_video(part, [np.full((64, 128, 3), 200, np.uint8)] * 10, encode=encode)
    path = tmp_path / "v.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    pictures = list(decode(path, read_index(path), range(20)))
    assert not pictures[5].fitted and pictures[-1].fitted
    *_, last = decode(path, read_index(path), range(20))
    image = last.rgb()
    assert image[:14].max() < 20 and image[-14:].max() < 20 and image[18:46].min() > 180


def test_a_screen_is_filled_if_only_a_few_rows_are_missing() -> None:
    screen = Screen(1920, 1080, Fraction(1))
    assert screen.place(Screen(1920, 1088, Fraction(1))) == (0, 0, 1920, 1080)
    assert screen.place(Screen(960, 540, Fraction(1))) == (0, 0, 1920, 1080)
    assert screen.place(Screen(1440, 1080, Fraction(4, 3))) == (0, 0, 1920, 1080)
    assert screen.place(Screen(1440, 1080, Fraction(1))) == (240, 0, 1440, 1080)
    assert Screen(1440, 1080, Fraction(4, 3)).place(Screen(640, 480, Fraction(1))) == (180, 0, 1080, 1080)
