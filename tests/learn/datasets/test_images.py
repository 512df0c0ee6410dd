"""Packed pictures: their size, their colour, and several sets as one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.learn.datasets import images, read_dataset
from fercli.learn.datasets.images import Framed, JoinedImages, Packing, has_colour, space
from fercli.learn.datasets.pack import pack
from fercli.learn.datasets.samples import Listing, Sample
from tests.learn.official import face, write_affectnet, write_raf


@pytest.mark.parametrize(
    ("packing", "sides", "coloured", "expected"),
    [
        (Packing(), [48.0], [False], (64, False)),
        (Packing(), [300.0], [False], (64, False)),
        (Packing(wanted=125), [300.0], [False], (128, False)),  # grey pictures, as large as the network has use for
        (Packing(), [100.0, 100.0, 900.0], [True], (96, True)),
        (Packing(), [300.0], [False, True], (112, True)),
        (Packing(wanted=249), [300.0], [True], (256, True)),
        (Packing(wanted=249), [130.0], [True], (128, True)),  # never enlarged
        (Packing(224), [48.0], [True], (224, True)),  # but on demand
        (Packing(colour=False), [300.0], [True], (64, False)),
        (Packing(), [], [], (64, False)),
    ],
)
def test_size_and_colour_are_chosen_by_the_pictures(
    packing: Packing, sides: list[float], coloured: list[bool], expected: tuple[int, bool]
) -> None:
    assert packing.of(sides, coloured) == expected


def test_what_has_colour() -> None:
    assert has_colour(face(3)) and not has_colour(face(3, colour=False))


def test_faces_in_colour_keep_it_and_by_default_all_are_grey(tmp_path: Path) -> None:
    write_raf(tmp_path, ["anger"] * 4)
    data = read_dataset("raf", tmp_path, packing=Packing())
    assert data.train.images.shape[1:] == (1, 96, 96, 3) and data.train.colour
    red, green, _ = data.train.images[0, 0].reshape(-1, 3).mean(axis=0)
    assert red - green == pytest.approx(40, abs=3)
    assert read_dataset("raf", tmp_path).train.images.shape[1:] == (1, 64, 64)


def test_ratings_of_affectnet_reach_the_faces(tmp_path: Path) -> None:
    rows = [("happiness", 0.75, 0.25), ("sadness", -2, -2), ("fear", -0.5, 1.0)]
    data = read_dataset("affectnet", write_affectnet(tmp_path, rows, tests=3))
    assert data.test.ratings is not None
    np.testing.assert_allclose(data.test.ratings, [[0.75, 0.25], [np.nan, np.nan], [-0.5, 1.0]])
    taken = data.test.take(np.array([2])).ratings
    assert taken is not None and taken.tolist() == [[-0.5, 1.0]]


def test_large_sets_are_in_a_file_without_a_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(images, "IN_MEMORY", 1000)
    large = space((2, 1, 40, 40))
    assert isinstance(large, np.memmap) and not large.any()
    monkeypatch.setattr(images, "IN_MEMORY", 10**9)
    assert not isinstance(space((2, 1, 40, 40)), np.memmap)


def test_a_set_in_a_file_is_packed_as_in_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def draw(path: Path) -> NDArray[np.uint8]:
        return face(int(path.stem))

    samples = tuple(Sample((Path(f"{n}.png"),), "anger", ("train", "test")[n % 2]) for n in range(6))
    listing = Listing("mine", "", ("anger",), samples, read_picture=draw)
    before = pack(listing, face_scale=1.0)
    monkeypatch.setattr(images, "IN_MEMORY", 1000)
    after = pack(listing, face_scale=1.0)
    for split in ("train", "valid", "test"):
        np.testing.assert_array_equal(before.part(split).images, after.part(split).images)


def grey(n: int, side: int, frames: int = 1) -> NDArray[np.uint8]:
    return (np.arange(n, dtype=np.uint8)[:, None, None, None] + np.zeros((1, frames, side, side))).astype(np.uint8)


def test_several_sets_have_the_size_and_colour_of_the_largest() -> None:
    colour = np.zeros((2, 4, 32, 32, 3), np.uint8)
    colour[..., 0] = 90
    joined = JoinedImages([Framed(grey(3, 16)), Framed(colour)])
    assert joined.shape == (5, 4, 32, 32, 3) and joined.ndim == 5 and len(joined) == 5
    rows = joined[np.array([4, 2])]
    assert rows[0, 0, 0, 0].tolist() == [90, 0, 0] and (rows[1] == 2).all()
    assert (joined[1:3][:, 3] == np.array([1, 2])[:, None, None, None]).all()  # a still stands for the whole clip
    assert joined.take(np.array([3, 0]))[np.array([1])].max() == 0
    assert joined[5:].shape == (0, 4, 32, 32, 3)


def test_validation_faces_are_fitted_to_the_training_faces() -> None:
    colour = np.full((1, 1, 64, 64, 3), (255, 0, 0), np.uint8)
    joined = JoinedImages([Framed(colour)], like=[Framed(grey(1, 48))])
    assert joined.shape == (1, 1, 48, 48) and (joined[:] == 76).all()  # the luma of red


def test_a_wider_framing_is_cut_to_the_tightest() -> None:
    image = np.zeros((1, 1, 100, 100), np.uint8)
    image[..., 25:75, 25:75] = 200
    joined = JoinedImages([Framed(image, 0.5)])
    assert joined[:].min() == 200
