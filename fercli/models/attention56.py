"""Residual Attention Network, layout Attention-56 (Wang et al. 2017, arXiv 1704.06904, table 2; p = 1, t = 2, r = 1).

Three stages of pre-activation residual units (He et al. 2016, arXiv 1603.05027), in each of them one attention module:
what its trunk computes, T, is multiplied by 1 + M, where M in (0, 1) comes from a mask branch that sees more of the
picture at a lower resolution. So a mask can strengthen features, and cannot take them away.
"""

from __future__ import annotations

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

STEM, SMALL_STEM = 64, 32
"""Channels of the first convolution; those of the stages are 4, 8, 16 and 32 times as many."""
NARROWER = 4
"""A residual unit has a quarter of the channels inside."""


class ResidualUnit(nn.Module):
    """Batch norm, ReLU and convolution three times, 1x1, 3x3 and 1x1, and a shortcut around them.

    Args:
        before, after: channels of the input and of the output.
        stride: of the 3x3 convolution.
    """

    def __init__(self, before: int, after: int, stride: int = 1) -> None:
        super().__init__()
        inner = after // NARROWER
        self.bn1, self.bn2, self.bn3 = (nn.BatchNorm2d(width) for width in (before, inner, inner))
        self.conv1 = nn.Conv2d(before, inner, 1, bias=False)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, padding=1, bias=False)
        self.conv3 = nn.Conv2d(inner, after, 1, bias=False)
        changes = stride != 1 or before != after
        self.shortcut = nn.Conv2d(before, after, 1, stride, bias=False) if changes else None

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', H', W')."""
        active = self.bn1(x).relu()
        shortcut = x if self.shortcut is None else self.shortcut(active)
        inner = self.conv2(self.bn2(self.conv1(active)).relu())
        out: Tensor = self.conv3(self.bn3(inner).relu()) + shortcut
        return out


class SoftMask(nn.Module):
    """The mask branch: halves the resolution `halvings` times, and returns to it, as an hourglass does.

    Behind each halving is a residual unit, and behind the last one another; on the way back, what was seen at the same
    resolution is added, through a unit of its own.

    Args:
        channels: of input and output.
        halvings: 0 or more.
    """

    def __init__(self, channels: int, halvings: int) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)

        def units(count: int) -> nn.ModuleList:
            return nn.ModuleList(ResidualUnit(channels, channels) for _ in range(count))

        between = max(halvings - 1, 0)
        self.down, self.skip, self.up = units(between), units(between), units(between)
        self.lowest = nn.Sequential(*units(2))
        self.halvings = halvings
        self.weigh = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> the same shape, in (0, 1)."""
        seen, sizes = [], []
        inner = x
        for place in range(self.halvings):
            sizes.append(inner.shape[-2:])
            inner = self.pool(inner)
            if place < len(self.down):
                inner = self.down[place](inner)
                seen.append(self.skip[place](inner))
        inner = self.lowest(inner)
        for place in reversed(range(self.halvings)):
            inner = F.interpolate(inner, size=sizes[place], mode="bilinear", align_corners=False)
            if place:
                inner = self.up[place - 1](inner + seen[place - 1])
        mask: Tensor = self.weigh(inner).sigmoid()
        return mask


class AttentionModule(nn.Module):
    """(1 + M) T between a residual unit before and one behind; T are two units.

    Args:
        channels: of input and output.
        halvings: of the mask branch.
    """

    def __init__(self, channels: int, halvings: int) -> None:
        super().__init__()
        self.before, self.after = ResidualUnit(channels, channels), ResidualUnit(channels, channels)
        self.trunk = nn.Sequential(ResidualUnit(channels, channels), ResidualUnit(channels, channels))
        self.mask = SoftMask(channels, halvings)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> the same shape."""
        entered = self.before(x)
        out: Tensor = self.after((1 + self.mask(entered)) * self.trunk(entered))
        return out


class Attention56(nn.Module):
    """The network for single pictures of any size; a clip gets the mean of its frames.

    With `stem_pool` it is that of the paper for 224 pixels, whose masks are 7 pixels wide at their lowest. Faces of
    about 48 pixels need the resolution more: without it the last stage but one has 6 pixels, and with `small` the masks
    have so many, too. The small one has half of the channels, so a quarter of the parameters; the paper does not print
    the layout it has for 32 pixels.

    Args:
        n_classes: length of the output.
        stem_pool: keep the max-pool behind the first convolution.
        dropout: probability in front of the last layer, while training.
        small: see above.
    """

    def __init__(self, n_classes: int, stem_pool: bool = False, dropout: float = 0.0, *, small: bool = False) -> None:
        super().__init__()
        stem = SMALL_STEM if small else STEM
        widths = (stem, 4 * stem, 8 * stem, 16 * stem, 32 * stem)
        self.n_features = widths[-1]
        self.conv1 = nn.Conv2d(3, stem, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(stem)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1) if stem_pool else nn.Identity()
        stages: list[nn.Module] = []
        for number, (before, after) in enumerate(pairwise(widths[:-1])):
            stages += [ResidualUnit(before, after, 2 if number else 1), AttentionModule(after, 3 - number - small)]
        last = [ResidualUnit(widths[-1], widths[-1]) for _ in range(2)]
        self.stages = nn.Sequential(*stages, ResidualUnit(widths[-2], widths[-1], 2), *last)
        self.bn2 = nn.BatchNorm2d(widths[-1])
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(widths[-1], n_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def maps(self, frames: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, n_features, h, w), not negative, as they are before pooling."""
        x = self.maxpool(self.bn1(self.conv1(frames)).relu())
        maps: Tensor = self.bn2(self.stages(x)).relu()
        return maps

    def features(self, frames: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, n_features), the mean of each map."""
        return self.maps(frames).mean(dim=(2, 3))

    def forward(self, clips: Tensor) -> Tensor:
        """(N, T, 3, H, W) float, normalised -> (N, n_classes) logits, the mean over the clip's frames."""
        return self.classify(self.features(clips.flatten(0, 1)), len(clips))

    def classify(self, features: Tensor, n_clips: int) -> Tensor:
        """(n_clips * T, n_features), as `features` gives them -> (n_clips, n_classes) logits."""
        logits: Tensor = self.fc(self.dropout(features))
        return logits.view(n_clips, -1, logits.shape[1]).mean(dim=1)

    def by_frame(self, clips: Tensor) -> Tensor:
        """As `forward` -> (N, T, n_classes), before the mean over the clip's frames."""
        logits: Tensor = self.fc(self.features(clips.flatten(0, 1)))
        return logits.view(*clips.shape[:2], -1)
