"""The losses against values worked out by hand, and against torch's own where it has them."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from fercli.errors import ConfigError, DatasetError
from fercli.learn.training import losses
from fercli.learn.training.losses import (
    EFFECTIVE_BETA,
    UncertaintyBranch,
    class_attention_maps,
    class_balance,
    flip_attention_consistency,
    mix_by_uncertainty,
    smooth,
    soft_cross_entropy,
    word_cosine_loss,
)
from fercli.models.tsm import TsmResNet18


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def votes(n: int, classes: int) -> Tensor:
    return noise(n, classes, seed=7).softmax(1)


def gradient(loss: Tensor, of: Tensor) -> Tensor:
    (result,) = torch.autograd.grad(loss, of)
    return result


# Cross entropy


def test_cross_entropy_of_a_vote_by_hand() -> None:
    logits = torch.tensor([[math.log(3.0), 0.0]])  # probabilities 3/4 and 1/4
    loss = soft_cross_entropy(logits, torch.tensor([[0.5, 0.5]]))
    assert loss.item() == pytest.approx(-0.5 * math.log(3 / 4) - 0.5 * math.log(1 / 4))


def test_certain_labels_give_torchs_cross_entropy() -> None:
    logits, labels = noise(6, 5), torch.tensor([0, 4, 2, 2, 1, 3])
    torch.testing.assert_close(
        soft_cross_entropy(logits, F.one_hot(labels, 5).float()), F.cross_entropy(logits, labels)
    )


def test_weights_count_as_in_torchs_cross_entropy_of_distributions() -> None:
    logits, targets, weights = noise(6, 4), votes(6, 4), torch.tensor([0.5, 2.0, 1.0, 0.0])
    torch.testing.assert_close(
        soft_cross_entropy(logits, targets, weights), F.cross_entropy(logits, targets, weight=weights)
    )


def test_it_is_label_distribution_learning_up_to_the_entropy_of_the_targets() -> None:
    logits, targets = noise(6, 4).requires_grad_(), votes(6, 4)
    cross_entropy = soft_cross_entropy(logits, targets)
    divergence = F.kl_div(logits.log_softmax(1), targets, reduction="batchmean")
    entropy = -(targets * targets.log()).sum(1).mean()
    torch.testing.assert_close(cross_entropy, divergence + entropy)
    torch.testing.assert_close(gradient(cross_entropy, logits), gradient(divergence, logits))


def test_rows_without_a_target_do_not_count() -> None:
    logits, targets = noise(5, 3).requires_grad_(), votes(5, 3)
    targets[[1, 4]] = 0
    loss = soft_cross_entropy(logits, targets)
    rest = [0, 2, 3]
    torch.testing.assert_close(loss, F.cross_entropy(logits[rest], targets[rest]))
    change = gradient(loss, logits)
    assert not change[[1, 4]].any() and change[rest].any(dim=1).all()


@pytest.mark.parametrize("loss_of", [soft_cross_entropy, lambda x, t: word_cosine_loss(x, torch.eye(3), t)])
def test_a_batch_without_any_target_has_no_loss_and_can_still_go_backwards(loss_of) -> None:  # type: ignore[no-untyped-def]
    outputs = noise(4, 3).requires_grad_()
    loss = loss_of(outputs, torch.zeros(4, 3))
    assert loss.item() == 0
    assert not gradient(loss, outputs).any()


def test_extreme_logits_stay_finite() -> None:
    logits = torch.tensor([[1e4, -1e4, 0.0]], requires_grad=True)
    loss = soft_cross_entropy(logits, torch.tensor([[0.0, 1.0, 0.0]]))
    assert loss.item() == pytest.approx(2e4)
    assert gradient(loss, logits).isfinite().all()


# Label smoothing


def test_smoothing_by_hand_leaves_rows_of_zeros_alone() -> None:
    targets = torch.tensor([[1.0, 0, 0, 0], [0.5, 0.5, 0, 0], [0, 0, 0, 0]])
    expected = torch.tensor([[0.925, 0.025, 0.025, 0.025], [0.475, 0.475, 0.025, 0.025], [0, 0, 0, 0]])
    torch.testing.assert_close(smooth(targets, 0.1), expected)
    torch.testing.assert_close(smooth(targets, 0), targets)


def test_smoothing_is_torchs_label_smoothing() -> None:
    logits, labels = noise(5, 7), torch.tensor([0, 6, 3, 3, 1])
    smoothed = soft_cross_entropy(logits, smooth(F.one_hot(labels, 7).float(), 0.2))
    torch.testing.assert_close(smoothed, F.cross_entropy(logits, labels, label_smoothing=0.2))


@pytest.mark.parametrize("epsilon", [-0.1, 1.0, math.nan])
def test_smoothing_out_of_range_is_refused(epsilon: float) -> None:
    with pytest.raises(ConfigError, match=rf"must lie in \[0, 1\), not {epsilon}"):
        smooth(torch.eye(2), epsilon)


# Class balance


def one_hot(*counts: int) -> Tensor:
    return torch.eye(len(counts)).repeat_interleave(torch.tensor(counts), dim=0)


def test_class_weights_are_inverse_effective_numbers_of_mean_1() -> None:
    weights = class_balance(one_hot(4000, 100))
    inverse = [(1 - EFFECTIVE_BETA) / (1 - EFFECTIVE_BETA**count) for count in (4000, 100)]
    mean = sum(inverse) / 2
    assert weights.tolist() == pytest.approx([value / mean for value in inverse], rel=1e-4)
    assert weights.dtype == torch.float32


def test_small_classes_weigh_by_their_inverse_frequency_and_large_ones_level_off() -> None:
    rare, rarer = class_balance(one_hot(20, 10)).tolist()
    assert rarer / rare == pytest.approx(2, rel=1e-3)
    large, larger = class_balance(one_hot(10_000, 20_000)).tolist()
    assert large / larger == pytest.approx((1 - EFFECTIVE_BETA**20_000) / (1 - EFFECTIVE_BETA**10_000), rel=1e-4)
    assert large / larger < 1.5


def test_votes_and_rows_without_target_count_as_samples_do() -> None:
    halves = torch.full((40, 2), 0.5)
    torch.testing.assert_close(class_balance(halves), torch.ones(2))
    torch.testing.assert_close(class_balance(F.pad(one_hot(30, 10), (0, 0, 0, 25))), class_balance(one_hot(30, 10)))


def test_a_class_that_never_occurs_weighs_nothing_and_the_others_keep_mean_1() -> None:
    weights = class_balance(one_hot(30, 0, 10))
    assert weights[1] == 0
    assert weights[[0, 2]].mean().item() == pytest.approx(1)


def test_a_trace_of_votes_weighs_no_more_than_one_sample() -> None:
    targets = torch.tensor([[0.99, 0.01], *[[1.0, 0.0]] * 99])
    torch.testing.assert_close(class_balance(targets), class_balance(one_hot(100, 1)), rtol=1e-3, atol=0)


def test_class_weights_without_any_label_are_refused() -> None:
    with pytest.raises(DatasetError, match="no sample has one"):
        class_balance(torch.zeros(3, 2))


# Word vectors

CORNER = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
"""Words of two classes at a right angle, of different lengths."""


def test_the_word_loss_is_1_minus_the_cosine_and_expects_over_votes() -> None:
    projected = torch.tensor([[3.0, 4.0]])
    for target, expected in (([1.0, 0.0], 0.4), ([0.0, 1.0], 0.2), ([0.25, 0.75], 0.25)):
        assert word_cosine_loss(projected, CORNER, torch.tensor([target])).item() == pytest.approx(expected)


def test_the_word_loss_is_torchs_cosine_embedding_loss_for_certain_labels() -> None:
    projected, vectors, labels = noise(6, 12), noise(4, 12, seed=1), torch.tensor([0, 3, 1, 1, 2, 0])
    loss = word_cosine_loss(projected, vectors, F.one_hot(labels, 4).float())
    torch.testing.assert_close(loss, F.cosine_embedding_loss(projected, vectors[labels], torch.ones(6)))


def test_rows_without_a_target_have_no_word_either() -> None:
    projected, vectors, targets = noise(4, 12), noise(3, 12, seed=1), votes(4, 3)
    targets[2] = 0
    rest = [0, 1, 3]
    torch.testing.assert_close(
        word_cosine_loss(projected, vectors, targets), word_cosine_loss(projected[rest], vectors, targets[rest])
    )


def test_a_projection_of_zero_has_a_finite_gradient() -> None:
    projected = torch.zeros(1, 2, requires_grad=True)
    loss = word_cosine_loss(projected, CORNER, torch.tensor([[1.0, 0.0]]))
    assert gradient(loss, projected).isfinite().all()


def test_following_the_word_loss_turns_the_projection_to_the_word() -> None:
    projected = noise(1, 12).requires_grad_()
    vectors, target = noise(5, 12, seed=1), F.one_hot(torch.tensor([3]), 5).float()
    for _ in range(200):
        step = gradient(word_cosine_loss(projected, vectors, target), projected)
        projected = (projected - step).detach().requires_grad_()
    assert F.cosine_similarity(projected, vectors).argmax().item() == 3
    assert F.cosine_similarity(projected[0], vectors[3], dim=0).item() > 0.999


# Relative uncertainty


def test_the_less_certain_face_takes_the_larger_share_by_hand() -> None:
    features, partners = torch.tensor([[4.0, 0.0], [0.0, 8.0], [1.0, 1.0]]), torch.tensor([1, 0, 2])
    mixed = mix_by_uncertainty(features, torch.tensor([[3.0], [1.0], [5.0]]), partners)
    torch.testing.assert_close(mixed, torch.tensor([[3.0, 2.0], [3.0, 2.0], [1.0, 1.0]]))


def test_uncertainty_is_the_mean_of_the_branchs_exponentials() -> None:
    branch = UncertaintyBranch(16).eval()
    features = noise(5, 16)
    uncertainty = branch(features)
    linear = branch.layers[2]
    assert isinstance(linear, torch.nn.Linear)
    scale = 1 / math.sqrt(1 + 2e-5)  # what fresh running statistics make of batch norm, on both its sides
    torch.testing.assert_close(uncertainty, (linear(features * scale) * scale).exp().mean(1, keepdim=True))
    assert uncertainty.shape == (5, 1) and (uncertainty > 0).all()


def test_a_batch_of_one_can_be_trained_on() -> None:
    branch = UncertaintyBranch(16)
    features = noise(1, 16)
    mixed = mix_by_uncertainty(features, branch(features), torch.tensor([0]))
    torch.testing.assert_close(mixed, features)


def test_uncertainty_is_learnt_without_labels_of_its_own() -> None:
    """Half the faces hardly show in the logits: only a larger share makes both labels readable in the mix."""
    torch.manual_seed(0)
    branch = UncertaintyBranch(8)
    last_layer = torch.nn.Linear(8, 2, bias=False)
    last_layer.weight.data = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]) @ torch.eye(2, 8)
    easy = torch.eye(2, 8)[0].repeat(64, 1) * 4
    hard = torch.eye(2, 8)[1].repeat(64, 1)
    hard[:, 7] = 1  # what the branch can tell them by
    features, targets = torch.cat([easy, hard]), torch.eye(2).repeat_interleave(64, dim=0)
    optimizer = torch.optim.Adam(branch.parameters(), lr=0.01)
    for _ in range(60):
        partners = torch.randperm(128)
        optimizer.zero_grad()
        mixed = mix_by_uncertainty(features, branch(features), partners)
        logits = last_layer(mixed)
        loss = soft_cross_entropy(logits, targets) + soft_cross_entropy(logits, targets[partners])
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    uncertainty = branch.eval()(features)
    assert uncertainty[64:].min() > 1.5 * uncertainty[:64].max()


# Flip attention consistency


def test_attention_maps_by_hand() -> None:
    feature_map = torch.tensor([[[[1.0, 2.0]], [[3.0, 5.0]]]])  # two channels of one row
    weight = torch.tensor([[1.0, 0.0], [2.0, -1.0], [0.0, 1.0]])
    expected = torch.tensor([[[[1.0, 2.0]], [[-1.0, -1.0]], [[3.0, 5.0]]]])
    torch.testing.assert_close(class_attention_maps(feature_map, weight), expected)


def test_attention_maps_average_to_the_networks_logits() -> None:
    network = TsmResNet18(5, n_frames=1).eval()
    maps: list[Tensor] = []
    network.get_submodule("layer4").register_forward_hook(lambda _module, _inputs, output: maps.append(output))
    with torch.inference_mode():
        logits = network(noise(2, 1, 3, 32, 32))
        attention = class_attention_maps(maps[0], network.fc.weight)
    torch.testing.assert_close(attention.mean(dim=(2, 3)) + network.fc.bias, logits, rtol=1e-4, atol=1e-4)


def test_a_network_that_sees_the_mirror_image_mirrored_is_consistent() -> None:
    feature_map, weight = noise(2, 6, 3, 4), noise(5, 6, seed=1)
    assert flip_attention_consistency(feature_map, feature_map.flip(-1), weight).item() < 1e-12
    assert flip_attention_consistency(feature_map, feature_map, weight).item() > 0.1
    assert flip_attention_consistency(feature_map, feature_map.flip(-2), weight).item() > 0.1  # not upside down


def test_consistency_by_hand() -> None:
    image, mirrored = torch.tensor([[[[1.0, 2.0]]]]), torch.tensor([[[[5.0, 1.0]]]])
    # Maps of the two classes (weights 1 and 2): 1 2 and 2 4, against 1 5 and 2 10 turned back.
    expected = (0 + 3**2 + 0 + 6**2) / 4
    assert flip_attention_consistency(image, mirrored, torch.tensor([[1.0], [2.0]])).item() == pytest.approx(expected)


def test_consistency_moves_the_features_of_both_images_and_not_the_last_layer() -> None:
    image, mirrored = noise(2, 6, 3, 3).requires_grad_(), noise(2, 6, 3, 3, seed=1).requires_grad_()
    weight = noise(5, 6, seed=2).requires_grad_()
    loss = flip_attention_consistency(image, mirrored, weight)
    for change in torch.autograd.grad(loss, (image, mirrored), retain_graph=True):
        assert change.isfinite().all() and change.any()
    assert torch.autograd.grad(loss, weight, allow_unused=True)[0] is None


def test_neutral_and_all_others_together_count_alike() -> None:
    targets = torch.eye(3)[torch.tensor([2] * 90 + [0] * 8 + [1] * 2)]
    weights = losses.neutral_balance(targets, ("anger", "fear", "neutral"))
    assert weights[0] == weights[1]  # rare ones are not weighed among themselves
    torch.testing.assert_close(weights, torch.tensor([5.0, 5.0, 100 / 180]))
    counted = (targets * weights).sum(dim=0)
    assert float(counted[2]) == pytest.approx(float(counted[:2].sum()))


@pytest.mark.parametrize("classes", [("anger", "fear"), ("neutral", "fear")])
def test_neutral_balance_needs_both_sides(classes: tuple[str, ...]) -> None:
    with pytest.raises(DatasetError):
        losses.neutral_balance(torch.tensor([[1.0, 0.0]]), classes)


def test_concordance_is_one_for_agreement_and_falls_with_offset_and_scale() -> None:
    truth = torch.tensor([[-1.0, 0.5], [0.0, -0.5], [1.0, 0.0]])
    torch.testing.assert_close(losses.concordance(truth, truth), torch.ones(2))
    torch.testing.assert_close(losses.concordance(-truth + 2 * truth.mean(dim=0), truth), -torch.ones(2))
    # Lin 1989: variance 2/3, covariance 2/3, means 1 apart
    torch.testing.assert_close(losses.concordance(truth + 1, truth)[0], torch.tensor(2 * (2 / 3) / (4 / 3 + 1)))
    assert losses.concordance(torch.zeros(3, 2), truth).abs().max() == 0


def test_ratings_cost_one_minus_their_concordance_and_the_square_of_the_error() -> None:
    targets = torch.tensor([[-1.0, 0.5, 1], [0.0, -0.5, 1], [1.0, 0.0, 1], [0.0, 0.0, 0]])
    outputs = targets[:, :2].clone()
    outputs[3] = 9.0  # a face without ratings
    assert losses.rating_loss(outputs, targets).item() == pytest.approx(0, abs=1e-6)
    outputs[:3, 0] += 1
    expected = 0.5 + (1 - 2 * (2 / 3) / (4 / 3 + 1)) / 2
    assert losses.rating_loss(outputs, targets).item() == pytest.approx(expected, abs=1e-5)


def test_without_a_rating_there_is_no_loss_but_a_gradient() -> None:
    outputs = torch.ones(3, 2, requires_grad=True)
    losses.rating_loss(outputs, torch.zeros(3, 3)).backward()  # type: ignore[no-untyped-call]
    assert outputs.grad is not None and outputs.grad.abs().max() == 0
