"""Channel attention, for residual branches: each channel gets a weight computed from the means of all channels."""

from __future__ import annotations

from torch import Tensor, nn

REDUCTION = 16
"""Reduction factor of the RCAN paper."""


class ChannelAttention(nn.Module):
    """x * sigmoid(up(relu(down(mean of x over all places)))), Zhang et al. 2018 (RCAN, arXiv 1807.02758, section 3.3).

    Args:
        channels: channels of the input, at least 16; `down` leaves one sixteenth of them, `up` restores them.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.down = nn.Conv2d(channels, channels // REDUCTION, 1)
        self.relu = nn.ReLU(inplace=True)
        self.up = nn.Conv2d(channels // REDUCTION, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> the same shape, each channel times a weight in (0, 1)."""
        weights: Tensor = self.up(self.relu(self.down(self.pool(x))))
        return x * weights.sigmoid()
