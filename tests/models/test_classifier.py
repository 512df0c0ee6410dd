"""The view a network gets of a face, and a small real network behind it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from fercli.errors import WeightsError
from fercli.labels import EMOTIONS
from fercli.models import classifier
from fercli.models.classifier import EmotionClassifier, FaceView
from fercli.models.networks import ARCHITECTURES, build_network
from fercli.models.tsm import TsmResNet18
from fercli.models.weights import Head, load_state, read_header, save_classifier
from tests.failing import fails
from tests.models.tiny import HEADER, write_tiny_classifier


def ramp(side: int, axis: int) -> NDArray[np.uint8]:
    """A crop whose value is its own coordinate, from 0 to 250 across the picture (pixel centres)."""
    line = ((np.arange(side) + 0.5) * 250 / side).round().astype(np.uint8)
    picture = np.tile(line, (side, 1))
    return np.repeat((picture if axis == 1 else picture.T)[..., None], 3, axis=2)


def seen(
    size: int, crop_side: int, crop_scale: float, view_scale: float, view_shift: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where the rows and columns of the view lie in the crop, as a share of its side, measured from ramps."""
    view = FaceView(replace(HEADER, input_size=size, view_scale=view_scale, view_shift=view_shift), crop_scale)
    x = view(ramp(crop_side, axis=1)).astype(float).mean(axis=0) / 250
    y = view(ramp(crop_side, axis=0)).astype(float).mean(axis=1) / 250
    return x, y


GEOMETRY = [  # size, crop side, crop scale, view scale, view shift
    (16, 96, 1.7, 1.0, 0.0),
    (40, 192, 1.7, 1.2, 0.1),
    (40, 131, 1.7, 1.1, -0.15),
    (48, 40, 1.7, 1.0, 0.05),  # enlarged
    (48, 192, 2.0, 0.5, 0.2),
    (20, 100, 1.0, 0.9, 0.0),
]


@pytest.mark.parametrize(("size", "crop_side", "crop_scale", "view_scale", "view_shift"), GEOMETRY)
def test_a_view_is_the_square_its_header_describes(
    size: int, crop_side: int, crop_scale: float, view_scale: float, view_shift: float
) -> None:
    x, y = seen(size, crop_side, crop_scale, view_scale, view_shift)
    steps = (np.arange(size) + 0.5) / size - 0.5
    face = 1 / crop_scale  # longer side of the box as a share of the crop
    # Half a source pixel, and one grey level for rounding.
    tolerance = 0.5 / crop_side + 1 / 250
    np.testing.assert_allclose(x, 0.5 + steps * view_scale * face, atol=tolerance)
    np.testing.assert_allclose(y, 0.5 + (view_shift + steps * view_scale) * face, atol=tolerance)


def test_a_view_that_reaches_outside_repeats_the_edge() -> None:
    x, y = seen(20, 100, 1.0, 2.0, 0.0)
    np.testing.assert_allclose(x[:4], x[0])
    np.testing.assert_allclose(y[-4:], y[-1])
    assert x[0] < 0.06 and y[-1] > 0.94  # the mean of the outermost tenth


def test_a_view_of_the_whole_crop_at_its_own_size_is_its_luma() -> None:
    crop = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    view = FaceView(replace(HEADER, input_size=32, view_scale=1.0, view_shift=0.0), 1.0)(crop)
    np.testing.assert_array_equal(view, cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY))
    red = np.zeros((32, 32, 3), np.uint8)
    red[..., 0] = 255
    assert FaceView(replace(HEADER, input_size=32, view_scale=1.0, view_shift=0.0), 1.0)(red)[0, 0] == 76


def test_detail_too_fine_for_the_view_turns_grey_and_not_into_noise() -> None:
    board = np.indices((192, 192)).sum(axis=0) % 2 * 255
    crop = np.repeat(board[..., None], 3, axis=2).astype(np.uint8)
    view = FaceView(replace(HEADER, input_size=16, view_scale=1.0, view_shift=0.0), 1.0)(crop)
    assert np.abs(view.astype(int) - 127).max() <= 3


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    write_tiny_classifier(path)
    return path


def clips(count: int, header_frames: int = 4) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (count, header_frames, 16, 16), dtype=np.uint8)


def test_probabilities_are_a_distribution_over_the_labels_of_the_file(weights: Path) -> None:
    network = EmotionClassifier(weights, "cpu")
    result = network.classify(clips(3))
    assert network.head.labels == EMOTIONS
    assert result.shape == (3, 7) and result.dtype == np.float32
    np.testing.assert_allclose(result.sum(axis=1), 1, rtol=1e-5)
    assert np.ptp(result, axis=0).max() > 0.01


def by_hand(path: Path, pixels: NDArray[np.uint8], temperature: float) -> NDArray[np.float64]:
    network = TsmResNet18(7, 4).eval()
    network.load_state_dict(load_state(path))
    total = np.zeros((len(pixels), 7))
    for view in (pixels, pixels[..., ::-1]):
        scaled = (view.astype(np.float32) / 255 - 0.5) / 0.25
        with torch.inference_mode():
            logits = network(torch.from_numpy(np.repeat(scaled[:, :, None], 3, axis=2))).double().numpy() / temperature
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        total += powers / powers.sum(axis=1, keepdims=True) / 2
    return total


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_probabilities_are_the_mean_over_a_clip_and_its_mirror_image(tmp_path: Path, temperature: float) -> None:
    path = tmp_path / "tiny.safetensors"
    write_tiny_classifier(path, heads=(Head("fer2013", EMOTIONS, temperature),))
    found = EmotionClassifier(path, "cpu").classify(clips(2))
    np.testing.assert_allclose(found, by_hand(path, clips(2), temperature), atol=1e-4)


def test_mirrored_clips_and_single_clips_get_the_same_answer(weights: Path) -> None:
    network = EmotionClassifier(weights, "cpu")
    both = network.classify(clips(2))
    np.testing.assert_allclose(network.classify(clips(2)[..., ::-1].copy()), both, atol=1e-5)
    np.testing.assert_allclose(network.classify(clips(2)[1:]), both[1:], atol=1e-5)


def test_the_logits_of_a_clip_are_the_mean_over_its_frames(weights: Path) -> None:
    network, pixels = EmotionClassifier(weights, "cpu"), clips(2)
    frames = [network.frame_logits(pixels, mirrored=mirrored) for mirrored in (False, True)]
    assert frames[0].shape == (2, 4, 7) and np.ptp(frames[0], axis=1).max() > 1e-3
    np.testing.assert_allclose(np.mean(frames, axis=2), network.logits(pixels), atol=1e-5)


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_every_network_answers_frame_by_frame(architecture: str) -> None:
    made, size = ARCHITECTURES[architecture], max(32, ARCHITECTURES[architecture].smallest)
    network = build_network(architecture, 3).eval()
    pixels = torch.rand(2, made.n_frames, 3, size, size)
    with torch.inference_mode():
        frames, answers = network.by_frame(pixels), network(pixels)
    assert frames.shape == (2, made.n_frames, 3)
    torch.testing.assert_close(frames.mean(dim=1), answers, atol=1e-4, rtol=1e-4)


def test_a_network_of_one_frame_and_other_labels(tmp_path: Path) -> None:
    path = tmp_path / "static.safetensors"
    write_tiny_classifier(
        path, architecture="resnet18", n_frames=1, heads=(Head("x", ("happiness", "contempt")),), stem_pool=True
    )
    assert EmotionClassifier(path, "cpu").classify(clips(1, 1)).shape == (1, 2)


def test_each_head_answers_from_its_own_outputs_at_its_own_temperature(tmp_path: Path) -> None:
    path = tmp_path / "two.safetensors"
    heads = (Head("first", ("anger", "fear"), 0.5), Head("second", ("anger", "neutral", "contempt"), 2.0))
    write_tiny_classifier(path, heads=heads)
    both = EmotionClassifier(path, "cpu").outputs(clips(2))
    assert both.shape == (2, 2, 5)
    for name, columns, temperature in (("", slice(0, 2), 0.5), ("first", slice(0, 2), 0.5), ("second", slice(2, 5), 2)):
        network = EmotionClassifier(path, "cpu", name)
        np.testing.assert_allclose(network.logits(clips(2)), both[..., columns], atol=1e-6)
        powers = np.exp(both[..., columns] / temperature)
        expected = (powers / powers.sum(axis=-1, keepdims=True)).mean(axis=0)
        np.testing.assert_allclose(network.classify(clips(2)), expected, rtol=1e-4)
    with fails(WeightsError, "weights-do-not-fit", "raf") as caught:
        EmotionClassifier(path, "cpu", "raf")
    assert "first, second" in caught.value.hint


def test_the_prior_of_the_head_is_divided_out_to_the_power_of_the_file_or_the_wanted_one(tmp_path: Path) -> None:
    path = tmp_path / "prior.safetensors"
    shares = (0.7, 0.3)
    heads = (Head("first", ("anger", "fear"), 0.5, shares, 0.5), Head("second", ("anger", "neutral", "contempt")))
    write_tiny_classifier(path, heads=heads)
    network = EmotionClassifier(path, "cpu")
    with_it = network.classify(clips(2), 0.0)
    for wanted, power in ((None, 0.5), (0.5, 0.5), (1.0, 1.0)):
        divided = with_it / np.array(shares) ** power
        np.testing.assert_allclose(
            network.classify(clips(2), wanted), divided / divided.sum(axis=1, keepdims=True), rtol=1e-5
        )
    second = EmotionClassifier(path, "cpu", "second")
    np.testing.assert_array_equal(second.classify(clips(2)), second.classify(clips(2), 0.0))
    with fails(WeightsError, "weights-do-not-fit", "prior.safetensors"):
        second.classify(clips(2), 0.3)


def test_a_file_of_an_architecture_of_the_future(tmp_path: Path) -> None:
    write_tiny_classifier(tmp_path / "w.safetensors", architecture="vit-huge")
    with pytest.raises(WeightsError, match=r"w\.safetensors holds a vit-huge"):
        EmotionClassifier(tmp_path / "w.safetensors", "cpu")


def test_a_header_of_another_number_of_frames(tmp_path: Path) -> None:
    write_tiny_classifier(tmp_path / "w.safetensors", n_frames=8)
    with pytest.raises(WeightsError, match=r"w\.safetensors holds a tsm-resnet18 of 8 frames"):
        EmotionClassifier(tmp_path / "w.safetensors", "cpu")


def test_a_header_that_does_not_fit_its_tensors(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_classifier(path, TsmResNet18(8, 4).state_dict(), HEADER)
    with fails(WeightsError, "weights-do-not-fit", "w.safetensors"):
        EmotionClassifier(path, "cpu")


def test_the_loader_of_the_registry(weights: Path) -> None:
    assert classifier.load(weights, "cpu").header == HEADER
    with pytest.raises(WeightsError) as caught:
        classifier.load(None, "cpu")
    assert "fercli models" in caught.value.hint


def test_numbers_that_are_not_finite_are_refused_in_weights_and_in_what_they_give(tmp_path: Path) -> None:
    header = write_tiny_classifier(tmp_path / "w.safetensors")
    state = load_state(tmp_path / "w.safetensors")
    save_classifier(tmp_path / "nan.safetensors", state | {"fc.bias": torch.full((7,), torch.nan)}, header)
    with fails(WeightsError, "weights-not-finite", "nan.safetensors", "fc.bias") as found:
        EmotionClassifier(tmp_path / "nan.safetensors", "cpu")
    assert found.value.exit_code == 5
    large = {name: tensor * 1e30 if name == "fc.weight" else tensor for name, tensor in state.items()}
    large["layer4.1.bn2.weight"] = large["layer4.1.bn2.weight"] * 0 + 1e30
    save_classifier(tmp_path / "large.safetensors", large, header, half=False)
    clips = np.random.default_rng(0).integers(0, 256, (1, 4, 16, 16), dtype=np.uint8)
    with fails(WeightsError, "weights-not-finite", "large.safetensors"):
        EmotionClassifier(tmp_path / "large.safetensors", "cpu").classify(clips)


@pytest.mark.parametrize(
    "header",
    [
        {"input_size": 10**6},
        {"input_size": 0},
        {"std": 0.0},
        {"fold_div": 0},
        {"view_scale": -1.0},
        {"heads": ()},
        {"heads": (Head("x", ("anger", "no emotion")),)},
        {"heads": (Head("x", EMOTIONS, 0.0),)},
        {"n_frames": "4"},
        {"mean": True},
    ],
)
def test_a_header_that_no_network_can_be_read_with_is_refused(tmp_path: Path, header: dict[str, object]) -> None:
    save_classifier(tmp_path / "w.safetensors", {"a": torch.zeros(1)}, replace(HEADER, **header))  # type: ignore[arg-type]
    with pytest.raises(WeightsError, match=r"w\.safetensors"):
        EmotionClassifier(tmp_path / "w.safetensors", "cpu")


def test_a_network_trained_in_colour_is_fed_colour_and_one_in_grey_is_not(tmp_path: Path) -> None:
    red = np.zeros((40, 40, 3), np.uint8)
    red[..., 0] = 200
    rgb = FaceView(replace(HEADER, input_size=16, view_scale=1.0, view_shift=0.0, colour="rgb"), 1.0)
    assert rgb(red).shape == (16, 16, 3) and rgb(red)[8, 8].tolist() == [200, 0, 0]
    assert rgb(red[..., 0])[8, 8].tolist() == [200, 200, 200]  # a grey crop

    answers = {}
    for colour in ("grey", "rgb"):
        path = tmp_path / f"{colour}.safetensors"
        write_tiny_classifier(path, architecture="resnet18", n_frames=1)
        save_classifier(path, load_state(path), replace(read_header(path), colour=colour))
        classifier = EmotionClassifier(path, "cpu")
        view = FaceView(classifier.header, classifier.header.view_scale)
        clips = [np.stack([view(picture)])[None] for picture in (red, red[..., ::-1].copy(), red[..., 0] // 3)]
        answers[colour] = [classifier.logits(clip) for clip in clips]
    assert not np.allclose(answers["rgb"][0], answers["rgb"][1])  # red is not blue
    assert not np.allclose(answers["grey"][0], answers["grey"][1])  # nor is its luma


def test_three_equal_channels_are_as_grey(tmp_path: Path) -> None:
    path = tmp_path / "grey.safetensors"
    write_tiny_classifier(path, architecture="resnet18", n_frames=1)
    before = EmotionClassifier(path, "cpu")
    side = before.header.input_size
    grey = np.random.default_rng(0).integers(0, 256, (2, before.header.n_frames, side, side)).astype(np.uint8)
    expected = before.logits(grey)
    save_classifier(path, load_state(path), replace(before.header, colour="rgb"))
    found = EmotionClassifier(path, "cpu").logits(grey[..., None].repeat(3, axis=-1))
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("n_frames", [1, 4])
def test_features_are_what_the_last_layer_sees(tmp_path: Path, n_frames: int) -> None:
    architecture = "resnet18" if n_frames == 1 else "tsm-resnet18"
    path = tmp_path / "tiny.safetensors"
    write_tiny_classifier(path, architecture=architecture, n_frames=n_frames)
    found, state = EmotionClassifier(path, "cpu"), load_state(path)
    clips = np.random.default_rng(0).integers(0, 256, (3, n_frames, 16, 16), dtype=np.uint8)
    features = found.features(clips)
    logits = features @ state["fc.weight"].numpy().T + state["fc.bias"].numpy()
    np.testing.assert_allclose(logits, found.logits(clips)[0], atol=1e-4)
