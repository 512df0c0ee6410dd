"""From face crops to emotion probabilities: the network of a weights file, and its input, the view of a face."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fercli.calibration import probabilities, without_prior
from fercli.errors import ConfigError, WeightsError
from fercli.hashing import sha256_file
from fercli.models.catalogue import CLASSIFIERS
from fercli.models.graphs import Run, open_graph
from fercli.models.weights import ClassifierHeader, load_arrays, load_state, prior_power, read_header


@dataclass(frozen=True)
class View:
    """The input of a network: the fields of the same names in `ClassifierHeader`."""

    input_size: int
    view_scale: float
    view_shift: float = 0.0
    colour: str = "grey"


@dataclass(frozen=True)
class FaceView:
    """Cuts the network's view out of a stored square crop.

    A crop is centred on the detector's box and `crop_scale` times its longer side; the network was trained on squares
    of `header.view_scale` times that side, with the centre `header.view_shift` sides below that of the box.
    """

    header: ClassifierHeader | View
    crop_scale: float

    def __call__(self, crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(S, S, 3) RGB or (S, S) grey crop -> (input_size, input_size) luma; for a network that was trained in colour
        (input_size, input_size, 3) RGB, from a grey crop three times the same."""
        if self.header.colour == "rgb":
            return self.cut(crop if crop.ndim == 3 else np.asarray(cv2.cvtColor(crop, cv2.COLOR_GRAY2RGB), np.uint8))
        return self.cut(crop if crop.ndim == 2 else np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.uint8))

    def cut(self, crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(S, S, 3) or (S, S) crop -> (input_size, input_size, 3) or (input_size, input_size), colours unchanged."""
        size = self.header.input_size
        left, top, right, _ = self.square(crop.shape[0])
        side = right - left
        shrink = side / size
        if shrink > 1:  # average first, because fine detail would alias
            small = max(1, round(crop.shape[1] / shrink)), max(1, round(crop.shape[0] / shrink))
            factor_x, factor_y = small[0] / crop.shape[1], small[1] / crop.shape[0]
            crop = np.asarray(cv2.resize(crop, small, interpolation=cv2.INTER_AREA), np.uint8)
        else:
            factor_x = factor_y = 1.0
        matrix = np.array(
            [
                [side * factor_x / size, 0, left * factor_x + 0.5 * side * factor_x / size - 0.5],
                [0, side * factor_y / size, top * factor_y + 0.5 * side * factor_y / size - 0.5],
            ]
        )
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        view = cv2.warpAffine(crop, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(view, dtype=np.uint8)

    def square(self, crop_side: int) -> tuple[float, float, float, float]:
        """x1, y1, x2, y2 of what the network sees of a crop of a size, pixels of the crop; may reach outside it."""
        unit = crop_side / self.crop_scale
        side = unit * self.header.view_scale
        left = (crop_side - side) / 2
        top = left + unit * self.header.view_shift
        return left, top, left + side, top + side


class EmotionClassifier:
    """A trained network with its header, used with one of its classification heads.

    Raises:
        WeightsError: not a classifier, or it has no head of that name.
    """

    def __init__(self, path: Path, device: str, head: str = "") -> None:
        self._path = path
        self.header = read_header(path)
        try:
            self.head, self._outputs = self.header.head(head)
        except KeyError as error:
            names = ", ".join(known.name for known in self.header.heads)
            raise WeightsError(
                f"{path} was not trained on {head}", hint=f"its heads are {names}", code="weights-do-not-fit"
            ) from error
        self.device = device
        self._on_cpu = _shipped_graph(path) if device == "cpu" else None
        if self._on_cpu is None:
            self._network  # noqa: B018  # a file that is no network is refused here

    @cached_property
    def _network(self):  # type: ignore[no-untyped-def]  # torch stays unimported where the graph is enough
        import torch

        with torch.inference_mode(False):  # heat maps need its gradients, whoever is the first to ask for it
            return _build(self._path, self.header).to(self.device, memory_format=torch.channels_last).eval()

    def classify(self, clips: NDArray[np.uint8], prior: float | None = None) -> NDArray[np.float32]:
        """Calibrated probabilities, averaged over each clip and its mirror image.

        Args:
            clips: (N, n_frames, input_size, input_size) luma or (N, n_frames, input_size, input_size, 3) RGB, as
                `FaceView` gives it.
            prior: as for `probabilities`.

        Returns:
            (N, C) float32, rows summing to 1, columns in the order of `head.labels`.
        """
        return self.probabilities(self.logits(clips), prior)

    def probabilities(self, logits: NDArray[np.float32], prior: float | None = None) -> NDArray[np.float32]:
        """(N, C) calibrated probabilities of (V, N, C) logits of the head for V views of the same faces.

        Args:
            logits: as `logits` gives them.
            prior: power to which the class shares of the training data are divided out; None takes the file's.

        Raises:
            WeightsError: the file does not say the class shares.
        """
        power = prior_power(self._path, self.head, prior)
        return without_prior(probabilities(logits, self.head.temperature), self.head.prior, power)

    def logits(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(2, N, C) float32 outputs of the head for the clips and for their mirror images; input as `classify`."""
        return self.outputs(clips)[..., self._outputs]

    def frame_logits(self, clips: NDArray[np.uint8], *, mirrored: bool) -> NDArray[np.float32]:
        """(N, n_frames, C) float32 outputs of the head for each frame of the clips or of their mirror images; `logits`
        are their means. A network that answers for clips only gives each frame the answer of its clip."""
        return self._frame_outputs(clips, mirrored)[..., self._outputs]

    def outputs(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(2, N, K) as `logits`, of all heads and ratings side by side; raises WeightsError if they are not finite."""
        return np.stack([self._frame_outputs(clips, mirrored).mean(axis=1) for mirrored in (False, True)])

    def _frame_outputs(self, clips: NDArray[np.uint8], mirrored: bool) -> NDArray[np.float32]:
        """(N, n_frames, K) outputs of all heads and ratings for clips or their mirror images."""
        views = clips[:, :, :, ::-1] if mirrored else clips
        outputs = self._on_cpu(views) if self._on_cpu else self._in_torch(views)
        if not np.isfinite(outputs).all():
            raise WeightsError(
                f"{self._path} computes numbers that are not finite",
                hint="use other weights",
                code="weights-not-finite",
            )
        return outputs

    def _in_torch(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode(), torch.autocast(self.device, torch.bfloat16, enabled=self.device == "cuda"):
            found = self._network.by_frame(self._input(np.ascontiguousarray(clips)))
        return np.asarray(found.float().cpu().numpy(), np.float32)

    def features(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, F) float32 features before the last layer, the mean over the frames of each clip; input as `classify`."""
        import torch

        with torch.inference_mode(), torch.autocast(self.device, torch.bfloat16, enabled=self.device == "cuda"):
            views = self._input(clips)
            pooled = self._network.features(views.flatten(0, 1)).view(*views.shape[:2], -1).mean(dim=1)
        return np.asarray(pooled.float().cpu().numpy())

    def heat_maps(self, clips: NDArray[np.uint8], labels: list[int]) -> NDArray[np.float32]:
        """(N, n_frames, S, S) float32 in [0, 1]: location of the evidence for a class; see `activation.heat_maps`.

        Args:
            clips: as for `classify`.
            labels: N columns of `head.labels`, the class of each clip to explain.
        """
        from fercli.models.activation import heat_maps

        return heat_maps(self._network, self._input(clips), [self._outputs.start + label for label in labels])

    def _input(self, clips: NDArray[np.uint8]):  # type: ignore[no-untyped-def]  # torch stays unimported here
        import torch

        pixels = torch.from_numpy(clips).to(self.device).float()
        scaled = (pixels / 255 - self.header.mean) / self.header.std
        return scaled.permute(0, 1, 4, 2, 3) if scaled.ndim == 5 else scaled[:, :, None].expand(-1, -1, 3, -1, -1)


def load(weights: Path | None, device: str) -> EmotionClassifier:
    """Loader for the registry.

    Raises:
        WeightsError: no file, or not a classifier.
    """
    if weights is None:
        raise WeightsError(
            "a classifier needs a weights file",
            hint="name one from `fercli models`, or give a path",
            code="weights-missing",
        )
    return EmotionClassifier(weights, device)


def _shipped_graph(path: Path) -> Run | None:
    """The graph of a file that is shipped, of the bytes that the registry knows; None for any other."""
    digest = sha256_file(path)
    name = next((Path(spec.weights).stem for spec in CLASSIFIERS if spec.sha256 == digest), "")
    return open_graph(name, load_arrays(path), path) if name else None


def _build(path: Path, header: ClassifierHeader):  # type: ignore[no-untyped-def]  # torch stays unimported here
    from fercli.models.networks import ARCHITECTURES, build_network

    try:
        network = build_network(header.architecture, header.n_outputs, header.fold_div, stem_pool=header.stem_pool)
    except ConfigError as error:
        raise WeightsError(f"{path} holds a {header.architecture}, which cannot be built here: {error}") from error
    if header.n_frames != ARCHITECTURES[header.architecture].n_frames:
        raise WeightsError(f"{path} holds a {header.architecture} of {header.n_frames} frames, which does not exist")
    try:
        network.load_state_dict(load_state(path))
    except RuntimeError as error:
        raise WeightsError(
            f"{path} does not fit the {header.architecture} its header names: {error}", code="weights-do-not-fit"
        ) from error
    return network
