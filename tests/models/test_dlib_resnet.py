from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from fercli.models.dlib_resnet import GREY_MEAN, GREY_STD, TsmDlibResNet, read_network, trunk_state
from fercli.models.registry import find_model, find_weights


def test_a_classifier_starts_with_the_features_that_the_embedder_has_of_a_grey_face() -> None:
    weights = Path(str(find_weights(find_model("dlib-resnet", "embedder"))))
    grey = np.random.default_rng(0).integers(0, 256, (2, 150, 150)).astype(np.float32)
    pixels = torch.from_numpy(np.repeat(grey[:, None], 3, axis=1))
    as_dlib = (pixels - torch.tensor((122.782, 117.001, 104.298))[:, None, None]) / 256
    network = TsmDlibResNet(7).eval()
    missing, unexpected = network.load_state_dict(trunk_state(weights), strict=False)
    assert (set(missing), unexpected) == ({"fc.weight", "fc.bias"}, [])
    with torch.inference_mode():
        found = network.features((pixels / 255 - GREY_MEAN) / GREY_STD)
        torch.testing.assert_close(found, read_network(weights).features(as_dlib), rtol=1e-3, atol=1e-4)
