"""The exponential average of a network's weights over the steps of its training: steadier than any one of them."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


class Average:
    """`average = d * average + (1 - d) * weights` after each step, of buffers as well (Tarvainen and Valpola 2017,
    arXiv 1703.01780, section 3).

    After n steps `d` is at most (1 + n) / (10 + n): a short run does not end with the weights that it began with.

    Args:
        network: the one that is trained.
        decay: `d`, in (0, 1).
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._network = network
        self.model = AveragedModel(network, multi_avg_fn=partial(_blend, decay), use_buffers=True)

    def update(self) -> None:
        """Take in the weights after a step."""
        self.model.update_parameters(self._network)


def _blend(decay: float, averages: list[Tensor], weights: list[Tensor], steps: Tensor | int) -> None:
    now = min(decay, (1 + float(steps)) / (10 + float(steps)))
    with torch.no_grad():
        get_ema_multi_avg_fn(now)(averages, weights, steps)  # type: ignore[no-untyped-call]
