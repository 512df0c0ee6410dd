"""ResNet-18 with the Temporal Shift Module, written plainly.

Parameter names and shapes are torchvision's, so public ImageNet weights load strictly; the shift has no parameters
and is called in the block's forward. He et al. 2016 (arXiv 1512.03385); Lin, Gan, Han 2019 (arXiv 1811.08383).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn

N_FEATURES = 512
"""Maps of the last stage, and so features of a frame."""


def temporal_shift(x: Tensor, n_frames: int, fold_div: int = 8, *, causal: bool = False) -> Tensor:
    """Mix neighbouring frames by moving a share of the channels along time (arXiv 1811.08383, section 3).

    The first C // fold_div channels of frame t come from frame t + 1, the next as many from frame t - 1, the rest stay.
    A causal shift, the paper's for online video, takes the first C // fold_div channels from frame t - 1 and nothing
    from the future. What would come from outside the clip is zero.

    Args:
        x: (N * n_frames, C, H, W), frames of a clip adjacent.
        n_frames: frames a clip; with 1 there is nothing to mix and `x` is returned.
        fold_div: 8 moves one eighth of the channels each way, as in the paper.
        causal: whether a frame may see only itself and the one before it.

    Returns:
        A tensor of the same shape and dtype.
    """
    if n_frames == 1:
        return x
    total, channels, height, width = x.shape
    fold = channels // fold_div
    clips = x.view(total // n_frames, n_frames, channels, height, width)
    out = torch.zeros_like(clips)
    from_future, from_past = (0, fold) if causal else (fold, 2 * fold)  # where either share of the channels ends
    out[:, :-1, :from_future] = clips[:, 1:, :from_future]
    out[:, 1:, from_future:from_past] = clips[:, :-1, from_future:from_past]
    out[:, :, from_past:] = clips[:, :, from_past:]
    return out.view(total, channels, height, width)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut.

    Inside the residual branch the shift acts before the first of them, the attention after the last.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int,
        n_frames: int,
        fold_div: int,
        *,
        causal: bool = False,
        attention: Callable[[int], nn.Module] = nn.Identity,
    ) -> None:
        super().__init__()
        self.n_frames = n_frames
        self.fold_div = fold_div
        self.causal = causal
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample: nn.Module | None = None
        if stride != 1 or in_channels != channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )
        self.attention = attention(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N * T, C, H, W) -> (N * T, C', H', W')."""
        shortcut = x if self.downsample is None else self.downsample(x)
        out: Tensor = temporal_shift(x, self.n_frames, self.fold_div, causal=self.causal)
        out = self.relu(self.bn1(self.conv1(out)))
        out = self.attention(self.bn2(self.conv2(out)))
        out = self.relu(out + shortcut)
        return out


class ResNet18Trunk(nn.Module):
    """ResNet-18 without its last layer: frames in, feature maps or pooled features out.

    Args:
        n_frames: frames a clip; with 1 nothing is shifted.
        fold_div, causal: see `temporal_shift`.
        stem_pool: keep torchvision's max-pool after the first convolution. Faces of about 48 pixels need the
            resolution more than they need the speed, so it is off by default; it has no parameters.
        attention: makes the last module of each residual branch, given its number of channels.
    """

    n_features = N_FEATURES

    def __init__(
        self,
        n_frames: int,
        fold_div: int = 8,
        stem_pool: bool = False,
        *,
        causal: bool = False,
        attention: Callable[[int], nn.Module] = nn.Identity,
    ) -> None:
        super().__init__()
        self.n_frames = n_frames
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1) if stem_pool else nn.Identity()

        def block(before: int, after: int, stride: int) -> BasicBlock:
            return BasicBlock(before, after, stride, n_frames, fold_div, causal=causal, attention=attention)

        widths = (64, 64, 128, 256, N_FEATURES)
        for number, (before, after) in enumerate(pairwise(widths), start=1):
            stage = nn.Sequential(block(before, after, 1 if number == 1 else 2), block(after, after, 1))
            self.add_module(f"layer{number}", stage)
        self.avgpool = nn.AdaptiveAvgPool2d(1)

    def maps(self, frames: Tensor) -> Tensor:
        """(N * n_frames, 3, H, W) -> (N * n_frames, N_FEATURES, h, w), not negative, as they are before pooling."""
        images = frames.contiguous(memory_format=torch.channels_last)
        x: Tensor = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        for number in range(1, 5):
            x = self.get_submodule(f"layer{number}")(x)
        return x

    def features(self, frames: Tensor) -> Tensor:
        """(N * n_frames, 3, H, W) -> (N * n_frames, N_FEATURES), the mean of each map."""
        return torch.flatten(self.avgpool(self.maps(frames)), 1)

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


class TsmResNet18(ResNet18Trunk):
    """ResNet-18 over clips of `n_frames` frames; with one frame it is the ordinary ResNet-18.

    Args:
        n_classes: length of the output.
        dropout: probability in front of the last layer, while training.
        n_frames, fold_div, stem_pool, causal, attention: see `ResNet18Trunk`.
    """

    def __init__(
        self,
        n_classes: int,
        n_frames: int = 4,
        fold_div: int = 8,
        stem_pool: bool = False,
        dropout: float = 0.0,
        *,
        causal: bool = False,
        attention: Callable[[int], nn.Module] = nn.Identity,
    ) -> None:
        super().__init__(n_frames, fold_div, stem_pool, causal=causal, attention=attention)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(N_FEATURES, n_classes)
        self._initialise()

    def forward(self, clips: Tensor) -> Tensor:
        """(N, n_frames, 3, H, W) float, normalised -> (N, n_classes) logits, the mean over the clip's frames."""
        return self.classify(self.features(clips.flatten(0, 1)), len(clips))

    def classify(self, features: Tensor, n_clips: int) -> Tensor:
        """(n_clips * T, N_FEATURES), as `features` gives them -> (n_clips, n_classes) logits."""
        logits: Tensor = self.fc(self.dropout(features))
        return logits.view(n_clips, -1, logits.shape[1]).mean(dim=1)

    def by_frame(self, clips: Tensor) -> Tensor:
        """As `forward` -> (N, T, n_classes), before the mean over the clip's frames."""
        logits: Tensor = self.fc(self.features(clips.flatten(0, 1)))
        return logits.view(*clips.shape[:2], -1)
