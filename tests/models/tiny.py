"""A small real weights file: a temporal ResNet-18 with seeded random weights, for inputs of 16 pixels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from fercli.labels import EMOTIONS
from fercli.models.tsm import TsmResNet18
from fercli.models.weights import ClassifierHeader, Head, save_classifier

HEADER = ClassifierHeader(
    architecture="tsm-resnet18",
    heads=(Head("fer2013", EMOTIONS),),
    input_size=16,
    n_frames=4,
    view_scale=1.1,
    view_shift=0.05,
    training_data="noise",
)


def write_tiny_classifier(path: Path, *, seed: int = 0, **header: Any) -> ClassifierHeader:
    """Write the file; `header` replaces fields of HEADER, and the network follows it."""
    torch.manual_seed(seed)
    changed = replace(HEADER, **header)
    network = TsmResNet18(changed.n_outputs, changed.n_frames, changed.fold_div, changed.stem_pool)
    torch.nn.init.normal_(network.fc.weight, std=0.3)
    save_classifier(path, network.state_dict(), changed)
    return changed
