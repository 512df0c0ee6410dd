"""Heat maps of a network's evidence for a class, drawn over the faces, on one sheet."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from fercli.errors import ConfigError
from fercli.models.networks import Network
from fercli.writing import write_atomically

COLOURS = cv2.COLORMAP_VIRIDIS
"""Perceptually uniform, and in the same order for colour-blind people."""
OPACITY = 0.6
"""Opacity at the maximum of an overlay."""

FACE_SIDE, GAP, MARGIN = 160, 4, 16
FONT_SIZE, LINE_HEIGHT = 15, 24
"""Margin and line height of a sheet, pixels."""
PAPER, INK = "white", "black"
LEGEND = "evidence: none", "most"


def evidence(network: Network, clips: Tensor, outputs: Sequence[int]) -> Tensor:
    """Location of the evidence for an output in each frame: class activation maps, sum over k of w_k A_k.

    A_k is map k before pooling, and w_k the derivative of the output with respect to the mean of A_k over places and
    frames. Where the output is linear in these means, that is the weight of the last layer and the maps are exact:
    their mean over places and frames, plus the bias, is the logit (CAM, Zhou et al. 2016, arXiv 1512.04150). For an
    LSTM, w_k differs between frames, and the maps are, up to a constant and without the ReLU, those of Grad-CAM
    (Selvaraju et al. 2017, arXiv 1610.02391).

    Args:
        network: in evaluation mode.
        clips: (N, T, 3, H, W) float, normalised, on the network's device.
        outputs: N numbers, for each clip the one of the network's outputs to explain.

    Returns:
        (N, T, h, w) float32, in the units of the logit, negative where a place is evidence against the class.
    """
    n, t = clips.shape[:2]
    with torch.no_grad():
        maps = network.maps(clips.flatten(0, 1)).float()
    pooled = maps.mean(dim=(2, 3)).requires_grad_()
    # cuDNN cannot differentiate an LSTM in evaluation mode.
    with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
        chosen = network.classify(pooled, n)[torch.arange(n), list(outputs)]
        (slopes,) = torch.autograd.grad(chosen.sum(), pooled)
    return torch.einsum("fk,fkhw->fhw", slopes * t, maps).view(n, t, *maps.shape[-2:])


def heat_maps(network: Network, clips: Tensor, outputs: Sequence[int]) -> NDArray[np.float32]:
    """`evidence` for display: without evidence against the class, scaled to the size of the input.

    It shows regions, not outlines: one value stands for 16 pixels of input (32 with `stem_pool`), and its receptive
    field is much larger. Args as `evidence`.

    Returns:
        (N, T, H, W) float32; 1 is the place with most evidence in a clip, all is 0 in a clip without any.
    """
    favourable = evidence(network, clips, outputs).clamp(min=0)
    heat = F.interpolate(favourable, size=clips.shape[-2:], mode="bilinear", align_corners=False)
    most = heat.amax(dim=(1, 2, 3), keepdim=True)
    return np.asarray((heat / most.where(most > 0, 1)).cpu().numpy(), dtype=np.float32)


def overlay(crop: NDArray[np.uint8], heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Draw a heat map over the picture it explains.

    The picture becomes grey, so that every colour means evidence; more evidence makes the colour more opaque.

    Args:
        crop: (H, W, 3) RGB, the part of the picture in the network's input.
        heat: (h, w) in [0, 1], of the same part at any resolution.

    Returns:
        (H, W, 3) RGB.
    """
    height, width = crop.shape[:2]
    heat = np.asarray(cv2.resize(heat, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)
    grey = cv2.cvtColor(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    alpha = OPACITY * heat[..., None]
    return np.asarray((grey * (1 - alpha) + _coloured(heat) * alpha).round(), dtype=np.uint8)


def explanation_sheet(
    crops: Sequence[NDArray[np.uint8]], heats: Sequence[NDArray[np.float32]], captions: Sequence[str], path: Path
) -> None:
    """Draw faces, each beside its overlay and above its caption, in rows on a sheet about as wide as high.

    Args:
        crops, heats: as in `overlay`; equally many of both.
        captions: one line each, class and probability for example; truncated to the width of the two pictures.
        path: a `.png`, replaced in one step.

    Raises:
        ConfigError: another suffix, or no face.
        OutputError: it cannot be written.
    """
    if path.suffix.lower() != ".png":
        raise ConfigError(
            f"cannot draw {path}: a sheet of explanations is a PNG", hint="end its name in .png", code="suffix-unknown"
        )
    if not crops:
        raise ConfigError(
            f"cannot draw {path}: there is no face to explain", hint="choose a picture with a face", code="face-missing"
        )
    cells = [_cell(*parts) for parts in zip(crops, heats, captions, strict=True)]
    write_atomically(path, _png(_sheet(cells)), private=True)


def _coloured(heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(H, W) in [0, 1] -> (H, W, 3) RGB."""
    levels = (heat * 255).round().astype(np.uint8)
    return np.asarray(cv2.applyColorMap(levels, COLOURS)[..., ::-1], dtype=np.uint8)


def _cell(crop: NDArray[np.uint8], heat: NDArray[np.float32], caption: str) -> Image.Image:
    face = cv2.resize(crop, (FACE_SIDE, FACE_SIDE), interpolation=cv2.INTER_CUBIC)
    cell = Image.new("RGB", (2 * FACE_SIDE + GAP, FACE_SIDE + LINE_HEIGHT), PAPER)
    cell.paste(Image.fromarray(face), (0, 0))
    cell.paste(Image.fromarray(overlay(np.asarray(face, dtype=np.uint8), heat)), (FACE_SIDE + GAP, 0))
    _write(cell, (0, FACE_SIDE + LINE_HEIGHT // 2), caption, width=cell.width)
    return cell


def _sheet(cells: Sequence[Image.Image]) -> Image.Image:
    cell_width, cell_height = cells[0].width + MARGIN, cells[0].height + MARGIN
    columns = min(len(cells), max(2, round((len(cells) * cell_height / cell_width) ** 0.5)))
    rows = -(-len(cells) // columns)
    size = columns * cell_width + MARGIN, rows * cell_height + MARGIN + LINE_HEIGHT + MARGIN
    sheet = Image.new("RGB", size, PAPER)
    for number, cell in enumerate(cells):
        row, column = divmod(number, columns)
        sheet.paste(cell, (MARGIN + column * cell_width, MARGIN + row * cell_height))
    _draw_legend(sheet, MARGIN, size[1] - MARGIN - LINE_HEIGHT // 2)
    return sheet


def _draw_legend(sheet: Image.Image, left: int, middle: int) -> None:
    """A colour bar over medium grey, as it appears over a face."""
    none, most = LEGEND
    left += _write(sheet, (left, middle), none, width=sheet.width) + 2 * GAP
    bar = np.full((LINE_HEIGHT // 2, FACE_SIDE // 2, 3), 128, dtype=np.uint8)
    heat = np.linspace(0, 1, bar.shape[1], dtype=np.float32)[None].repeat(len(bar), axis=0)
    sheet.paste(Image.fromarray(overlay(bar, heat)), (left, middle - len(bar) // 2))
    _write(sheet, (left + bar.shape[1] + 2 * GAP, middle), most, width=sheet.width)


def _write(image: Image.Image, place: tuple[int, int], text: str, *, width: int) -> int:
    """Write a line from its left end and vertical middle, truncated to `width`; returns its length in pixels."""
    font = ImageFont.load_default(FONT_SIZE)
    if font.getlength(text) > width:
        while font.getlength(text + "...") > width:
            text = text[:-1]
        text += "..."
    ImageDraw.Draw(image).text(place, text, INK, font, anchor="lm")
    return round(font.getlength(text))


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
