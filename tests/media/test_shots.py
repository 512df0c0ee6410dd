from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from fercli.config import FramesParams
from fercli.media.decode import decode
from fercli.media.index import read_index
from fercli.media.shots import ShotDetector, Shots, shot_numbers

VIDEOS = Path(__file__).parents[2] / ".." / "shared" / "data" / "videos"


def _cuts(images: Iterable[np.ndarray], first: int = 0) -> list[int]:
    return _shots(images, first).cuts


def _shots(images: Iterable[np.ndarray], first: int = 0) -> Shots:
    detector = ShotDetector(FramesParams().shot_threshold)
    for number, image in enumerate(images, first):
        detector.add(number, number / 25, image)
    return detector.finish()


def _scene(seed: int, frames: int, speed: int = 1) -> list[np.ndarray]:
    """A textured picture that slides sideways by `speed` pixels a frame, with a little noise."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (9, 40, 3))
    wide = np.kron(coarse, np.ones((16, 16, 1), int))
    noise = random.integers(-4, 5, (frames, 144, 256, 3))
    return [np.clip(wide[:, speed * n : speed * n + 256] + noise[n], 0, 255).astype(np.uint8) for n in range(frames)]


def test_cuts_lie_at_the_first_frame_of_the_new_shot() -> None:
    assert _cuts(_scene(1, 30) + _scene(2, 8) + _scene(3, 30)) == [30, 38]


def test_numbers_are_those_of_the_video_also_from_the_middle_on() -> None:
    assert _cuts(_scene(1, 30) + _scene(2, 30), first=100) == [130]


def test_camera_and_light_in_motion_are_no_cut() -> None:
    assert _cuts(_scene(1, 60, speed=5)) == []
    assert _cuts([(image * (0.3 + n / 90)).astype(np.uint8) for n, image in enumerate(_scene(1, 60))]) == []


def test_a_flash_is_not_two_cuts() -> None:
    images = _scene(1, 60)
    images[30] = np.full_like(images[30], 255)
    assert len(_cuts(images)) <= 1


def test_a_change_of_resolution_is_no_cut_and_no_crash() -> None:
    images = _scene(1, 40)
    assert _cuts(images[:20] + [image[::2, ::2] for image in images[20:]]) == []


def test_a_transition_is_one_cut_in_its_middle_even_if_it_starts_like_a_hard_one() -> None:
    before, after = _scene(1, 60, speed=0), _scene(2, 60, speed=0)
    shares = np.linspace(0.5, 1, 14)  # at once half of the new picture, then slowly the rest
    mixed = [(a * (1 - p) + b * p).astype(np.uint8) for a, b, p in zip(before[40:54], after[:14], shares, strict=True)]
    shots = _shots(before[:40] + mixed + after[14:])
    assert len(shots.cuts) == 1 and 40 <= shots.cuts[0] <= 46
    ((first, last),) = shots.transitions
    assert abs(first - 40) <= 2 and abs(last - 53) <= 3
    assert shots.mixed(np.array([first - 1, first, last, last + 1], np.int32)).tolist() == [False, True, True, False]


def test_short_shots_between_hard_cuts_are_no_transitions() -> None:
    """A dark shot, or one that moves, is not what lies between the one before and the one after."""
    dark = [(image * 0.3).astype(np.uint8) for image in _scene(2, 30)]
    images = [*_scene(1, 30, speed=0), *dark, *_scene(3, 26, speed=3), *_scene(4, 26), *_scene(5, 40, speed=2)]
    assert _shots(images) == Shots([30, 60, 86, 112], [])


def test_a_shot_that_comes_near_the_next_one_after_a_hard_cut_is_no_transition() -> None:
    before, after = _scene(1, 60, speed=0), _scene(2, 60, speed=0)
    shares = np.concatenate([np.linspace(0.75, 1, 26), np.ones(20)])
    changed = [(a * (1 - p) + b * p).astype(np.uint8) for a, b, p in zip(before, after, shares, strict=False)]
    assert _shots(before[:40] + changed) == Shots([40], [])


def test_skin_in_half_darkness_is_no_change() -> None:
    """Hue is a circle whose ends meet at red; taken for a line, tiny changes of dark skin look like cuts."""
    skin, other = np.array([60, 30, 31], np.uint8), np.array([60, 31, 30], np.uint8)  # hue 179 and 1
    still = [np.tile(skin, (144, 256, 1))] * 20 + [np.tile(other, (144, 256, 1))] * 20
    assert _cuts(still) == []


def test_shot_numbers_by_hand() -> None:
    frames = np.array([0, 9, 10, 11, 24, 25, 99], np.int32)
    assert shot_numbers(frames, [10, 25]).tolist() == [0, 0, 1, 1, 1, 2, 2]
    assert shot_numbers(frames, []).tolist() == [0] * 7


@pytest.mark.skipif(not VIDEOS.exists(), reason=f"{VIDEOS} is not there")
@pytest.mark.parametrize(
    ("name", "cuts"),
    [
        ("hamilton_short.mp4", [20, 82, 211]),
        pytest.param("pyfeat_face_noface.mov", [72], marks=pytest.mark.slow),  # a single black frame, then the sky
        pytest.param("pyfeat_noface_face.mov", [96], marks=pytest.mark.slow),
        ("pyfeat_single_face.mp4", []),
        ("pyfeat_no_face.mp4", []),
    ],
)
def test_cuts_seen_by_eye_in_real_videos(name: str, cuts: list[int]) -> None:
    path = VIDEOS / name
    index = read_index(path)
    pictures = decode(path, index, range(len(index.pts_s)))
    assert _cuts(picture.preview() for picture in pictures) == cuts
