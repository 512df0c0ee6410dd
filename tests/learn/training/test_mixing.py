"""CutMix and Mixup on clips whose pixels say which clip they are from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from fercli.learn.training.mixing import cutmix, mix_targets, mixup

Mixing = Callable[[Tensor, float, torch.Generator], tuple[Tensor, Tensor, Tensor]]
both = pytest.mark.parametrize("mixing", [mixup, cutmix])


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def plain_clips(n: int, n_frames: int = 1, size: int = 20) -> Tensor:
    """(n, n_frames, 1, size, size): all of clip i is i / n."""
    return (torch.arange(n) / n).view(n, 1, 1, 1, 1).expand(-1, n_frames, -1, size, size).contiguous()


def taken(views: Tensor, mixed: Tensor, permutation: Tensor) -> Tensor:
    """(N, T, 1, S, S) bool: where CutMix of plain clips put another clip's pixels."""
    moved = (permutation != torch.arange(len(views))).view(-1, 1, 1, 1, 1)
    return (mixed == views[permutation]) & moved


@both
def test_shapes_types_and_the_generator_as_the_only_source_of_chance(mixing: Mixing) -> None:
    views = torch.rand((6, 4, 1, 20, 20), generator=generator(5))
    before = views.clone()
    torch.manual_seed(1)
    np.random.seed(1)
    first = mixing(views, 0.7, generator(3))
    torch.manual_seed(2)
    np.random.seed(2)
    again = mixing(views, 0.7, generator(3))
    other = mixing(views, 0.7, generator(4))
    mixed, permutation, share = first
    assert mixed.shape == views.shape and mixed.dtype == share.dtype == torch.float32
    assert sorted(permutation.tolist()) == list(range(6)) and permutation.dtype == torch.int64
    assert share.shape == (6,) and share.min() >= 0 and share.max() <= 1
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(mixed, other[0])
    assert torch.equal(views, before)


@both
def test_the_share_is_that_of_the_clips_own_light(mixing: Mixing) -> None:
    views = plain_clips(40, n_frames=2)
    mixed, permutation, share = mixing(views, 1.0, generator())
    expected = share * torch.arange(40) / 40 + (1 - share) * permutation / 40
    torch.testing.assert_close(mixed.mean(dim=(2, 3, 4)), expected[:, None].expand(-1, 2))


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_shares_of_mixup_have_mean_and_variance_of_the_beta_distribution(alpha: float) -> None:
    n = 20_000
    share = mixup(torch.zeros(n, 1, 1, 1, 1), alpha, generator())[2]
    variance = 1 / (4 * (2 * alpha + 1))
    assert abs(share.mean() - 0.5) < 5 * (variance / n) ** 0.5
    assert share.var() == pytest.approx(variance, rel=0.05)


def test_successive_batches_get_other_shares() -> None:
    source, views = generator(), plain_clips(8)
    assert not torch.equal(mixup(views, 1.0, source)[2], mixup(views, 1.0, source)[2])


def test_cutmix_takes_one_box_at_the_same_place_in_all_frames() -> None:
    views = plain_clips(60, n_frames=4)
    mixed, permutation, _ = cutmix(views, 1.0, generator())
    box = taken(views, mixed, permutation)
    assert ((mixed == views) | box).all()
    assert torch.equal(box, box[:, :1].expand_as(box))
    rows, columns = box[:, 0, 0].any(dim=2), box[:, 0, 0].any(dim=1)
    assert torch.equal(box[:, 0, 0], rows[:, :, None] & columns[:, None, :])
    for line in (rows, columns):
        edges = line.float().diff(dim=1, prepend=torch.zeros(60, 1)).clamp(min=0).sum(dim=1)
        assert edges.max() == 1  # what is taken hangs together
    assert (rows.sum(1) != columns.sum(1)).any()  # cut off by a border
    assert rows.any(dim=0).all() and columns.any(dim=0).all()


def test_boxes_of_cutmix_have_the_size_that_the_share_asks_for() -> None:
    # With so large an alpha every l is a half, and the box is 100 / sqrt(2) = 70.7 pixels wide before it is cut off.
    size = 100
    views = plain_clips(200, size=size)
    mixed, permutation, share = cutmix(views, 1e9, generator())
    box = taken(views, mixed, permutation)[:, 0, 0]
    widths = box.any(dim=1).sum(dim=1)
    assert widths.max() == 70
    assert share.min() == pytest.approx(1 - 0.7**2, abs=0.02)
    # A centre at the border leaves half: 35 pixels; uniform centres give 0.35 * (1 - 0.35 / 2) * 2 of the side.
    whole = widths[widths > 0].float().mean() / size
    assert whole == pytest.approx(2 * 0.35 * (1 - 0.35 / 2), abs=0.02)
    assert widths[widths > 0].min() >= 35


def test_targets_are_mixed_as_the_views_are_in_every_labelling() -> None:
    targets = {
        "label": torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]]),
        "votes": torch.tensor([[0.5, 0.5], [0.2, 0.8], [1, 0]]),
    }
    mixed = mix_targets(targets, torch.tensor([1, 2, 0]), torch.tensor([0.75, 0.5, 0.1]))
    torch.testing.assert_close(mixed["label"], torch.tensor([[0.75, 0.25, 0], [0, 0.5, 0.5], [0.9, 0, 0.1]]))
    torch.testing.assert_close(mixed["votes"], torch.tensor([[0.425, 0.575], [0.6, 0.4], [0.55, 0.45]]))
    assert targets["label"].sum() == 3


def test_a_mixture_with_a_face_that_has_no_label_has_none_in_that_labelling() -> None:
    label = torch.tensor([[1.0, 0], [0, 0], [0, 1], [0, 0]])
    votes = torch.tensor([[0.0, 1], [1, 0], [1, 0], [0.5, 0.5]])
    mixed = mix_targets({"label": label, "votes": votes}, torch.tensor([1, 2, 0, 3]), torch.full((4,), 0.5))
    torch.testing.assert_close(mixed["label"], torch.tensor([[0.0, 0], [0, 0], [0.5, 0.5], [0, 0]]))
    torch.testing.assert_close(mixed["votes"].sum(dim=1), torch.ones(4))


def test_a_face_that_took_nothing_or_gave_way_altogether_keeps_the_label_that_is_seen() -> None:
    label = torch.tensor([[1.0, 0], [0, 0]])
    swap = torch.tensor([1, 0])
    kept = mix_targets({"label": label}, swap, torch.tensor([1.0, 1.0]))["label"]
    torch.testing.assert_close(kept, label)
    given = mix_targets({"label": label}, swap, torch.tensor([0.0, 0.0]))["label"]
    torch.testing.assert_close(given, label[swap])
