"""Heat maps against the analytic decomposition of the logits, and the pictures drawn of them, pixel by pixel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from fercli.errors import ConfigError, OutputError
from fercli.models import activation
from fercli.models.activation import evidence, explanation_sheet, heat_maps, overlay
from fercli.models.lstm import ResNet18Lstm
from fercli.models.networks import ARCHITECTURES, Network, build_network
from tests.failing import fails

LINEAR = [name for name in ARCHITECTURES if name != "resnet18-lstm"]


def network_of(name: str) -> Network:
    torch.manual_seed(0)
    return build_network(name, 5).eval()


def clips_for(name: str, n: int = 3, side: int = 40) -> Tensor:
    side = max(side, ARCHITECTURES[name].smallest)
    return torch.randn(n, ARCHITECTURES[name].n_frames, 3, side, side, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", LINEAR)
def test_the_mean_evidence_and_the_bias_are_the_logit(name: str) -> None:
    network, clips, outputs = network_of(name), clips_for(name), [4, 0, 2]
    found = evidence(network, clips, outputs)
    side = 1 if "dlib" in name else 3
    assert found.shape == (3, clips.shape[1], side, side)
    with torch.inference_mode():
        logits = network(clips)[torch.arange(3), outputs]
        torch.testing.assert_close(found.mean(dim=(1, 2, 3)) + network.fc.bias[outputs], logits)


@pytest.mark.parametrize("name", LINEAR)
def test_evidence_is_the_maps_weighed_by_the_last_layer(name: str) -> None:
    network, clips = network_of(name), clips_for(name, n=1)
    with torch.inference_mode():
        expected = (network.maps(clips[0]) * network.fc.weight[3][:, None, None]).sum(dim=1)
    torch.testing.assert_close(evidence(network, clips, [3])[0], expected, rtol=1e-4, atol=1e-4)


def grad_cam(network: ResNet18Lstm, clip: Tensor, output: int) -> Tensor:
    """As in the paper, through the whole network: mean gradient of each map, (T, h, w) before the ReLU."""
    kept: list[Tensor] = []
    last_stage = network.get_submodule("layer4")
    handle = last_stage.register_forward_hook(lambda module, args, result: kept.append(result))
    logit = network(clip[None])[0, output]
    handle.remove()
    (gradient,) = torch.autograd.grad(logit, kept[0])
    return (gradient.mean(dim=(2, 3), keepdim=True) * kept[0]).sum(dim=1).detach()


def test_for_an_lstm_evidence_is_that_of_grad_cam_times_places_and_frames() -> None:
    network, clips = network_of("resnet18-lstm"), clips_for("resnet18-lstm", n=2)
    assert isinstance(network, ResNet18Lstm)
    found = evidence(network, clips, [1, 3])
    for clip, output, maps in zip(clips, (1, 3), found, strict=True):
        torch.testing.assert_close(maps, grad_cam(network, clip, output) * 4 * 3 * 3, rtol=1e-4, atol=1e-6)


def test_explaining_leaves_no_trace_in_the_network() -> None:
    network = network_of("tsm-resnet18")
    evidence(network, clips_for("tsm-resnet18", n=1), [0])
    assert all(p.grad is None and p.requires_grad for p in network.parameters())


class Bright(torch.nn.Module):
    """Has one map, its input's first channel; the first output likes it and the second does not."""

    def maps(self, frames: Tensor) -> Tensor:
        return frames[:, :1]

    def classify(self, features: Tensor, n_clips: int) -> Tensor:
        return torch.cat([features, -features], dim=1).view(n_clips, -1, 2).mean(dim=1)


BRIGHT: Network = Bright()  # type: ignore[assignment]  # only the two methods that are used


def test_heat_is_relative_to_the_hottest_place_of_the_clip() -> None:
    clips = torch.zeros(2, 2, 3, 4, 4)
    clips[0, 0, 0, 1, 2] = 8.0
    clips[0, 1, 0, 3, 3] = 2.0
    clips[0, 1, 0, 0, 0] = -5.0
    clips[1] = 7.0
    heat = heat_maps(BRIGHT, clips, [0, 0])
    expected = np.zeros((2, 4, 4), np.float32)
    expected[0, 1, 2], expected[1, 3, 3] = 1, 0.25
    assert heat.dtype == np.float32
    np.testing.assert_array_equal(heat[0], expected)
    np.testing.assert_array_equal(heat[1], 1)


def test_a_clip_with_nothing_for_the_class_stays_cold() -> None:
    heat = heat_maps(BRIGHT, torch.ones(1, 1, 3, 4, 4), [1])
    np.testing.assert_array_equal(heat, np.zeros((1, 1, 4, 4)))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_heat_has_the_size_of_the_input(name: str) -> None:
    clips = clips_for(name, n=2, side=33)
    heat = heat_maps(network_of(name), clips, [0, 1])
    assert heat.shape == (2, clips.shape[1], *clips.shape[-2:])
    assert heat.min() >= 0
    assert all(one.max() in (0, 1) for one in heat)


def test_heat_lies_where_the_evidence_is() -> None:
    class Coarse(Bright):
        def maps(self, frames: Tensor) -> Tensor:
            return torch.nn.functional.avg_pool2d(frames[:, :1], 16)

    coarse: Network = Coarse()  # type: ignore[assignment]
    clips = torch.zeros(1, 1, 3, 48, 48)
    clips[0, 0, 0, 20:28, 36:44] = 1  # row 1, column 2 of the 3 x 3 map
    heat = heat_maps(coarse, clips, [0])[0, 0]
    assert heat[23:25, 39:48].min() > 0.95
    # Row 16 is 8.5 of the 16 pixels from the middle of row 0 of the map to that of row 1, the hottest pixels 15.5.
    np.testing.assert_allclose(heat[16, 44], 8.5 / 15.5, rtol=1e-6)
    assert heat[:8].max() == 0 and heat[40:].max() == 0 and heat[:, :24].max() == 0


# matplotlib's viridis at 0 and 1, https://bids.github.io/colormap
COLDEST, HOTTEST = (68, 1, 84), (253, 231, 37)


def test_no_heat_leaves_the_picture_grey_and_full_heat_is_mostly_colour() -> None:
    crop = np.empty((4, 6, 3), np.uint8)
    crop[:] = (200, 100, 50)
    heat = np.zeros((4, 6), np.float32)
    heat[:, 3:] = 1
    seen = overlay(crop, heat).astype(int)
    luma = 0.299 * 200 + 0.587 * 100 + 0.114 * 50
    np.testing.assert_allclose(seen[:, 0], luma, atol=1)
    expected = (1 - activation.OPACITY) * luma + activation.OPACITY * np.array(HOTTEST)
    np.testing.assert_allclose(seen[:, 5], np.tile(expected, (4, 1)), atol=2)


def test_colour_covers_more_as_heat_rises_and_grows_lighter() -> None:
    heat = np.linspace(0, 1, 64, dtype=np.float32)[None].repeat(2, axis=0)
    black, white = (overlay(np.full((2, 64, 3), value, np.uint8), heat).astype(int) for value in (0, 255))
    transparency = (white - black).mean(axis=(0, 2)) / 255
    np.testing.assert_allclose(transparency, 1 - activation.OPACITY * heat[0], atol=0.01)
    luma = (black * [0.299, 0.587, 0.114]).sum(axis=2)[0]
    assert (np.diff(luma) > -0.7).all() and luma[-1] > 100  # rising but for rounding


def test_an_overlay_takes_heat_of_any_resolution_and_leaves_its_input_alone() -> None:
    crop = np.random.default_rng(0).integers(0, 256, (50, 40, 3), dtype=np.uint8)[:, ::-1]
    before = crop.copy()
    seen = overlay(crop, np.array([[0, 1], [0, 1]], np.float32))
    assert seen.shape == (50, 40, 3) and seen.dtype == np.uint8
    np.testing.assert_array_equal(crop, before)
    np.testing.assert_array_equal(seen[:, 0, 0], seen[:, 0, 2])
    assert (seen[:, -1, 0] > seen[:, -1, 2]).all()  # yellow


def faces(count: int) -> tuple[list[NDArray[np.uint8]], list[NDArray[np.float32]], list[str]]:
    crops = [np.full((30 + number, 30 + number, 3), (number * 20, 80, 160), np.uint8) for number in range(count)]
    heats = [np.full((8, 8), number / count, np.float32) for number in range(count)]
    return crops, heats, [f"happiness {number} %" for number in range(count)]


def drawn(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        assert image.format == "PNG" and image.mode == "RGB"
        return np.asarray(image)


def test_a_sheet_has_every_face_beside_its_overlay_and_above_its_caption(tmp_path: Path) -> None:
    crops, heats, captions = faces(5)
    explanation_sheet(crops, heats, captions, tmp_path / "sheet.png")
    sheet = drawn(tmp_path / "sheet.png").astype(int)
    side, gap, margin, line = activation.FACE_SIDE, activation.GAP, activation.MARGIN, activation.LINE_HEIGHT
    assert sheet.shape[:2] == (3 * (side + line + margin) + 2 * margin + line, 2 * (2 * side + gap + margin) + margin)
    for number, (crop, heat) in enumerate(zip(crops, heats, strict=True)):
        top = margin + number // 2 * (side + line + margin)
        left = margin + number % 2 * (2 * side + gap + margin)
        np.testing.assert_array_equal(sheet[top : top + side, left : left + side], np.full((side, side, 3), crop[0, 0]))
        over = sheet[top : top + side, left + side + gap : left + 2 * side + gap]
        np.testing.assert_array_equal(over, np.full((side, side, 3), overlay(crop, heat)[0, 0]))
        caption = sheet[top + side : top + side + line, left : left + 2 * side + gap]
        assert caption.min() < 100 and caption.max() == 255
        assert (sheet[top - margin : top, left : left + side] == 255).all()
    empty = sheet[margin + 2 * (side + line + margin) :, margin + 2 * side + gap + margin :][: side + line]
    assert (empty == 255).all()


def test_captions_are_written_and_cut_where_they_are_too_long(tmp_path: Path) -> None:
    crops, heats, _ = faces(1)
    pictures = {}
    for name, caption in {"short": "fear", "none": "", "long": "fear " * 40, "longer": "fear " * 41}.items():
        explanation_sheet(crops, heats, [caption], tmp_path / f"{name}.png")
        pictures[name] = drawn(tmp_path / f"{name}.png")
    assert not np.array_equal(pictures["short"], pictures["none"])
    np.testing.assert_array_equal(pictures["long"], pictures["longer"])
    assert (pictures["long"][:, -activation.MARGIN :] == 255).all()


@pytest.mark.parametrize(("count", "columns", "rows"), [(1, 1, 1), (2, 2, 1), (4, 2, 2), (12, 3, 4), (40, 5, 8)])
def test_sheets_are_about_as_wide_as_high(tmp_path: Path, count: int, columns: int, rows: int) -> None:
    explanation_sheet(*faces(count), tmp_path / "sheet.png")
    height, width = drawn(tmp_path / "sheet.png").shape[:2]
    assert (width - 16) // 340 == columns
    assert (height - 56) // 200 == rows


def test_the_same_explanation_makes_the_same_file_and_replaces_an_old_one(tmp_path: Path) -> None:
    path = tmp_path / "sheet.PNG"
    path.write_bytes(b"old")
    explanation_sheet(*faces(2), path)
    first = path.read_bytes()
    explanation_sheet(*faces(2), path)
    assert path.read_bytes() == first
    assert [p.name for p in tmp_path.iterdir()] == ["sheet.PNG"]


@pytest.mark.parametrize("name", ["sheet.jpg", "sheet"])
def test_a_sheet_of_another_format(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=name) as caught:
        explanation_sheet(*faces(1), tmp_path / name)
    assert ".png" in caught.value.hint
    assert not (tmp_path / name).exists()


def test_a_sheet_of_no_person(tmp_path: Path) -> None:
    with fails(ConfigError, "face-missing", "sheet.png"):
        explanation_sheet([], [], [], tmp_path / "sheet.png")


def test_a_sheet_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"sheet\.png"):
        explanation_sheet(*faces(1), tmp_path / "missing" / "sheet.png")


def test_faces_without_a_caption_are_a_mistake(tmp_path: Path) -> None:
    crops, heats, captions = faces(2)
    with pytest.raises(ValueError, match="argument"):
        explanation_sheet(crops, heats, captions[:1], tmp_path / "sheet.png")
