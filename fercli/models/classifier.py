"""From face crops to emotion probabilities: the network of a weights file, and the view of a face it was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fercli.calibration import probabilities
from fercli.errors import WeightsError
from fercli.models.weights import ClassifierHeader, load_state, read_header


@dataclass(frozen=True)
class FaceView:
    """Cuts the network's view out of a stored square crop.

    A crop is centred on the detector's box and `crop_scale` times its longer side; the network saw faces in squares of
    `header.view_scale` times that side, their centre `header.view_shift` sides below the box's centre.
    """

    header: ClassifierHeader
    crop_scale: float

    def __call__(self, crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(S, S, 3) RGB crop -> (input_size, input_size) luma."""
        size = self.header.input_size
        unit = crop.shape[0] / self.crop_scale
        side = unit * self.header.view_scale
        left = (crop.shape[0] - side) / 2
        top = left + unit * self.header.view_shift
        grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
        shrink = side / size
        if shrink > 1:  # average first, or fine detail turns into noise
            small = max(1, round(crop.shape[1] / shrink)), max(1, round(crop.shape[0] / shrink))
            grey = cv2.resize(grey, small, interpolation=cv2.INTER_AREA)
            factor_x, factor_y = small[0] / crop.shape[1], small[1] / crop.shape[0]
        else:
            factor_x = factor_y = 1.0
        matrix = np.array(
            [
                [side * factor_x / size, 0, left * factor_x + 0.5 * side * factor_x / size - 0.5],
                [0, side * factor_y / size, top * factor_y + 0.5 * side * factor_y / size - 0.5],
            ]
        )
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        view = cv2.warpAffine(grey, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(view, dtype=np.uint8)


class EmotionClassifier:
    """A trained network with what its file says of it."""

    def __init__(self, path: Path, device: str) -> None:
        import torch

        self.header = read_header(path)
        self.device = device
        self._network = _build(path, self.header).to(device, memory_format=torch.channels_last).eval()

    def classify(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Calibrated probabilities, averaged over each clip and its mirror image.

        Args:
            clips: (N, n_frames, input_size, input_size) luma, as `FaceView` gives it.

        Returns:
            (N, C) float32, rows summing to 1, columns as `header.labels`.
        """
        return probabilities(self.logits(clips), self.header.temperature)

    def logits(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(2, N, C) float32 outputs of the network for the clips and for their mirror images; input as `classify`."""
        import torch

        header = self.header
        with torch.inference_mode(), torch.autocast(self.device, torch.bfloat16, enabled=self.device == "cuda"):
            pixels = torch.from_numpy(clips).to(self.device).float().div(255).sub(header.mean).div(header.std)
            views = pixels[:, :, None].expand(-1, -1, 3, -1, -1)
            both = torch.stack([self._network(views), self._network(views.flip(-1))])
        return np.asarray(both.float().cpu().numpy())


def load(weights: Path | None, device: str) -> EmotionClassifier:
    """Loader for the registry.

    Raises:
        WeightsError: no file, or not a classifier.
    """
    if weights is None:
        raise WeightsError("a classifier needs a weights file", hint="name one from `fercli models`, or give a path")
    return EmotionClassifier(weights, device)


def _build(path: Path, header: ClassifierHeader):  # type: ignore[no-untyped-def]  # torch stays unimported here
    from fercli.models.tsm import TsmResNet18

    if header.architecture not in ("resnet18", "tsm-resnet18"):
        raise WeightsError(f"{path} holds a {header.architecture}, which this fercli cannot build")
    network = TsmResNet18(len(header.labels), header.n_frames, header.fold_div, header.stem_pool)
    try:
        network.load_state_dict(load_state(path))
    except RuntimeError as error:
        raise WeightsError(f"{path} does not fit the {header.architecture} its header names: {error}") from error
    return network
