"""How the learning rate runs."""

from __future__ import annotations

import math


def one_cycle(share: float, peak: float, warmup: float = 0.1) -> float:
    """Learning rate after `share` in [0, 1] of the steps: linear up to `peak`, then a half cosine to zero."""
    if share < warmup:
        return peak * (0.04 + 0.96 * share / warmup)
    return peak * 0.5 * (1 + math.cos(math.pi * (share - warmup) / (1 - warmup)))
