"""Augmentation, measured on pictures whose grey level is their own coordinate."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from fercli.learn.training import augment
from fercli.learn.training.augment import VIEW, plain_views, random_views

SIDE = 48


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(n: int) -> Tensor:
    """(n, 1, SIDE, SIDE) stills."""
    return torch.randint(0, 256, (n, 1, SIDE, SIDE), generator=generator(9), dtype=torch.uint8)


def ramp(axis: int, n: int = 1) -> Tensor:
    """(n, 1, SIDE, SIDE) stills whose value at a pixel's centre is 5 times its x (axis 1) or y (axis 0)."""
    line = 5 * torch.arange(SIDE, dtype=torch.uint8)
    image = line.expand(SIDE, SIDE) if axis == 1 else line[:, None].expand(SIDE, SIDE)
    return image.expand(n, 1, -1, -1)


def counting(length: int, n: int = 1) -> Tensor:
    """(n, length, SIDE, SIDE) clips whose frames are all of their number times 10."""
    return (10 * torch.arange(length, dtype=torch.uint8)).view(1, length, 1, 1).expand(n, -1, SIDE, SIDE)


def frame_numbers(views: Tensor) -> Tensor:
    """(n, n_frames) frames of `counting` clips that are shown."""
    return (views.mean(dim=(2, 3, 4)) * 255 / 10).round().long()


def coordinates(views: Tensor) -> Tensor:
    """What a view of a ramp shows, as source coordinates from -1 to 1 across the image."""
    return (views * 255 / 5 + 0.5) / SIDE * 2 - 1


@pytest.fixture
def geometry_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONTRAST", "BRIGHTNESS", "BLUR_PROBABILITY", "ERASE_PROBABILITY"):
        monkeypatch.setattr(augment, name, 0.0)


@pytest.fixture
def light_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ROTATION", "SCALE", "SHIFT", "BLUR_PROBABILITY", "ERASE_PROBABILITY"):
        monkeypatch.setattr(augment, name, 0.0)


@pytest.mark.parametrize(("n", "n_frames", "size"), [(1, 1, 16), (5, 4, 40), (3, 2, 28)])
def test_shape_type_and_range(n: int, n_frames: int, size: int) -> None:
    for views in (random_views(noise(n), n_frames, size, generator()), plain_views(noise(n), n_frames, size)):
        assert views.shape == (n, n_frames, 1, size, size)
        assert views.dtype == torch.float32
        assert views.min() >= 0 and views.max() <= 1
        assert views.std() > 0.02


def test_the_generator_is_the_only_source_of_chance() -> None:
    images = noise(6)
    torch.manual_seed(1)
    first = random_views(images, 4, 24, generator(3))
    torch.manual_seed(2)
    again = random_views(images, 4, 24, generator(3))
    other = random_views(images, 4, 24, generator(4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(images, noise(6))


def test_plain_views_are_the_middle_of_the_image_standing_still() -> None:
    size = 24
    expected = ((torch.arange(size) + 0.5) / size * 2 - 1) * VIEW
    for axis, dim in ((1, -1), (0, -2)):
        views = plain_views(ramp(axis), 3, size)
        shown = coordinates(views).mean(dim=-2 if dim == -1 else -1)[0, :, 0]
        torch.testing.assert_close(shown, expected.expand(3, -1), rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("length", "n_frames", "numbers"),
    [
        (16, 4, [2, 6, 10, 14]),
        (4, 4, [0, 1, 2, 3]),
        (6, 4, [0, 2, 3, 5]),  # 0.75, 2.25, 3.75 and 5.25, rounded down
        (2, 4, [0, 0, 1, 1]),
        (9, 1, [4]),
        (2, 1, [1]),
    ],
)
def test_plain_views_of_a_clip_are_the_middles_of_equal_parts(length: int, n_frames: int, numbers: list[int]) -> None:
    assert frame_numbers(plain_views(counting(length), n_frames, 24)).tolist() == [numbers]


@pytest.mark.usefixtures("geometry_only")
@pytest.mark.parametrize(("length", "n_frames"), [(20, 4), (4, 4), (7, 4), (2, 4), (9, 1)])
def test_random_views_of_a_clip_are_evenly_spaced_and_start_anywhere(length: int, n_frames: int) -> None:
    shown = frame_numbers(random_views(counting(length, 300), n_frames, 24, generator()))
    step = length / n_frames
    between = shown.diff(dim=1)
    assert ((between >= math.floor(step)) & (between <= math.ceil(step))).all()
    assert set(shown[:, 0].tolist()) == set(range(math.ceil(step)))
    assert shown.max() == length - 1


@pytest.mark.usefixtures("geometry_only")
def test_the_latest_start_is_still_inside_the_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    def latest(shape: int | tuple[int, ...], generator: torch.Generator) -> Tensor:
        return torch.full((shape,) if isinstance(shape, int) else shape, 1 - 2**-24)  # 3 + this is 4 in float32

    monkeypatch.setattr(torch, "rand", latest)
    assert frame_numbers(random_views(counting(20), 4, 24, generator()))[0, -1] == 19


def test_frames_of_a_clip_go_through_one_transform_of_place_and_light() -> None:
    still = noise(60)
    views = random_views(still.expand(-1, 6, -1, -1), 4, 24, generator())
    assert torch.equal(views, views[:, :1].expand_as(views))
    assert views[:, 0].diff(dim=0).abs().amax(dim=(1, 2, 3)).min() > 0.1  # but no two clips look alike


def test_light_is_measured_over_the_whole_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BLUR_PROBABILITY", "ERASE_PROBABILITY", "BRIGHTNESS"):
        monkeypatch.setattr(augment, name, 0.0)
    clips = 80 + counting(20, 100) // 5  # levels far from black and white, 2 from frame to frame
    gaps = random_views(clips, 4, 24, generator()).mean(dim=(2, 3, 4)).diff(dim=1) * 255 / (5 * 2)
    torch.testing.assert_close(gaps[:, 0], gaps[:, 2], rtol=0, atol=1e-3)
    assert gaps.min() == pytest.approx(1 - augment.CONTRAST, abs=0.05)  # measured by itself, no frame would change
    assert gaps.max() == pytest.approx(1 + augment.CONTRAST, abs=0.05)


def inner(positions: Tensor, axis: int) -> Tensor:
    """(N, T) change along x (axis 1) across the view's middle, where no border is in the way; its sign is the flip."""
    middle = positions.shape[-1] // 2
    if axis == 1:
        return positions[:, :, 0, middle, middle + 4] - positions[:, :, 0, middle, middle - 4]
    return positions[:, :, 0, middle + 4, middle] - positions[:, :, 0, middle - 4, middle]


@pytest.mark.usefixtures("geometry_only")
def test_about_half_the_clips_are_mirrored_all_frames_alike_and_none_stands_on_its_head() -> None:
    n = 400
    change = inner(coordinates(random_views(ramp(1, n), 4, 24, generator())), 1)
    mirrored = change < 0
    assert torch.equal(mirrored.all(dim=1), mirrored.any(dim=1))
    assert 0.42 * n < mirrored[:, 0].sum() < 0.58 * n
    assert (inner(coordinates(random_views(ramp(0, n), 4, 24, generator())), 0) > 0).all()


@pytest.mark.usefixtures("geometry_only")
def test_rotation_scale_and_shift_stay_in_their_ranges_and_use_them() -> None:
    n, size = 400, 25
    # With one generator state x and y go through the same transform; the middle pixel of 25 is the view's centre.
    x = coordinates(random_views(ramp(1, n), 1, size, generator()))
    y = coordinates(random_views(ramp(0, n), 1, size, generator()))
    middle = size // 2
    shift = torch.stack([x[:, 0, 0, middle, middle], y[:, 0, 0, middle, middle]])
    assert shift.abs().max() <= 2 * augment.SHIFT + 1e-3
    assert shift.max() > augment.SHIFT and shift.min() < -augment.SHIFT
    down_x = x[:, 0, 0, middle + 4, middle] - x[:, 0, 0, middle - 4, middle]
    down_y = y[:, 0, 0, middle + 4, middle] - y[:, 0, 0, middle - 4, middle]
    angle = torch.atan2(-down_x, down_y)
    assert angle.abs().max() <= augment.ROTATION + 1e-3
    assert angle.max() > augment.ROTATION / 2 and angle.min() < -augment.ROTATION / 2
    scale = torch.hypot(down_x, down_y) / (8 * 2 / size)
    assert scale.min() >= VIEW * (1 - augment.SCALE) - 1e-3
    assert scale.max() <= VIEW * (1 + augment.SCALE) + 1e-3
    assert scale.max() - scale.min() > VIEW * augment.SCALE


@pytest.mark.usefixtures("geometry_only")
def test_a_clip_drifts_steadily_and_little() -> None:
    n, size = 200, 25
    x = coordinates(random_views(ramp(1, n), 4, size, generator()))
    centre = x[:, :, 0, size // 2, size // 2]
    steps = centre.diff(dim=1)
    torch.testing.assert_close(steps[:, 0], steps[:, 1], rtol=0, atol=1e-3)
    torch.testing.assert_close(steps[:, 1], steps[:, 2], rtol=0, atol=1e-3)
    drift = (centre[:, -1] - centre[:, 0]).abs()
    assert drift.max() <= 2 * augment.SHIFT * augment.DRIFT + 1e-3
    assert drift.max() > 0.01  # it does move


@pytest.mark.usefixtures("light_only")
def test_light_changes_are_shared_by_all_frames_of_a_clip() -> None:
    images = noise(40)
    views = random_views(images, 4, 24, generator())
    assert torch.equal(views, views[:, :1].expand_as(views))  # nothing moves here, so frames may differ in light only
    plain = plain_views(images, 1, 24)
    mirrored = plain.flip(-1)
    contrast = views[:, 0].std(dim=(1, 2, 3)) / plain[:, 0].std(dim=(1, 2, 3))
    assert contrast.min() < 0.85 and contrast.max() > 1.15
    brightness = views.mean(dim=(1, 2, 3, 4)) - plain.mean(dim=(1, 2, 3, 4))
    assert brightness.abs().max() <= augment.BRIGHTNESS + 0.02
    assert brightness.max() > 0.05 and brightness.min() < -0.05
    correlations = torch.stack(
        [
            torch.stack([torch.corrcoef(torch.stack([view.flatten(), p.flatten()]))[0, 1] for p in pair]).max()
            for view, pair in zip(views[:, 0], zip(plain[:, 0], mirrored[:, 0], strict=True), strict=True)
        ]
    )
    assert correlations.min() > 0.95


def test_erasing_covers_one_rectangle_at_the_same_place_in_all_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ROTATION", "SCALE", "SHIFT", "BLUR_PROBABILITY", "CONTRAST", "BRIGHTNESS"):
        monkeypatch.setattr(augment, name, 0.0)
    monkeypatch.setattr(augment, "ERASE_PROBABILITY", 1.0)
    n, size = 300, 24
    black_left = torch.zeros(n, 1, SIDE, SIDE, dtype=torch.uint8)
    black_left[..., SIDE // 2 :] = 255
    views = random_views(black_left, 4, size, generator())
    erased = ((views - 0.5).abs() < 0.1) & ((torch.arange(size) - 11.5).abs() > 1)  # the mean; the middle edge aside
    assert torch.equal(erased, erased[:, :1].expand_as(erased))
    rows = erased[:, 0, 0].any(dim=2)
    heights = rows.sum(dim=1)
    assert heights.min() >= size // 8 and heights.max() <= size // 3
    for clip in erased[:, 0, 0]:
        ys, xs = torch.nonzero(clip, as_tuple=True)
        whole_rows = clip[ys.min() : ys.max() + 1]
        assert (whole_rows == whole_rows[0]).all() and len(xs) > 0
    assert rows.any(dim=0).all()  # every row is reached, the first and the last too


def test_erasing_happens_as_often_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ROTATION", "SCALE", "SHIFT", "BLUR_PROBABILITY", "CONTRAST", "BRIGHTNESS"):
        monkeypatch.setattr(augment, name, 0.0)
    n = 500
    image = noise(1).expand(n, -1, -1, -1)
    views = random_views(image, 1, 24, generator())[:, 0, 0]
    plain = plain_views(image[:1], 1, 24)[0, 0, 0]
    untouched = torch.stack([(views - p).abs().amax(dim=(1, 2)) < 1e-4 for p in (plain, plain.flip(-1))]).any(dim=0)
    assert 0.7 * augment.ERASE_PROBABILITY * n < (~untouched).sum() < 1.3 * augment.ERASE_PROBABILITY * n


def test_blur_takes_fine_detail_from_some_images_and_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ROTATION", "SCALE", "SHIFT", "ERASE_PROBABILITY", "CONTRAST", "BRIGHTNESS"):
        monkeypatch.setattr(augment, name, 0.0)
    n = 300
    image = noise(1).expand(n, -1, -1, -1)
    views = random_views(image, 2, SIDE, generator())
    detail = views.diff(dim=-1).abs().mean(dim=(1, 2, 3, 4))
    sharp = plain_views(image[:1], 2, SIDE).diff(dim=-1).abs().mean()
    blurred = detail < 0.95 * sharp
    assert 0.6 * augment.BLUR_PROBABILITY * n < blurred.sum() < 1.4 * augment.BLUR_PROBABILITY * n
    assert torch.allclose(detail[~blurred], sharp, rtol=1e-3)


def test_angles_are_radians() -> None:
    assert math.isclose(augment.ROTATION, math.radians(8))
