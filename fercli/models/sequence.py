"""A trained network over series, in one file: `load(path).run(features, times)`.

The file is safetensors with a header of fercli, as that of a classifier; `learn.sequences` writes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fercli.errors import ConfigError, WeightsError
from fercli.files import require_regular_file
from fercli.models.weights import load_state
from fercli.typed import build
from fercli.writing import write_atomically

if TYPE_CHECKING:
    from torch import Tensor

    from fercli.models.sequences.parts import SequenceNetwork

_HEADER_KEY = "fercli-sequence"
TASKS = ("valence", "classes", "intensity")
STATES = ("onset", "rising", "apex", "falling", "offset")
"""States of an expression in the order of time; Kim, Baddar and Ro 2017 (doi 10.1109/TAFFC.2017.2695999)."""
STATE_INTENSITY = (0.0, 0.5, 1.0, 0.5, 0.0)
"""Intensity in the middle of each state: the intensity of a step is its mean, weighted by their probabilities."""
PIECE = 1024
"""Steps that are encoded at once, their context not counted; longer series are encoded in pieces."""
SAME_STEP = 0.25
"""Times may be off the grid by this share of a step."""


@dataclass(frozen=True)
class Modality:
    """One kind of features.

    Attributes:
        name: such as `trunk`, `blendshapes` or `voice`.
        size: length of its vectors.
        source: what computed them, such as the network and the sha256 of its weights; empty if unknown.
    """

    name: str
    size: int
    source: str = ""


@dataclass(frozen=True)
class SequenceHeader:
    """The header of a file; with it, the file alone is enough to build the network.

    Attributes:
        architecture: a key of `models.sequences.networks.ARCHITECTURES`.
        task: one of TASKS.
        outputs: what the network tells of each step: names of values (`valence`, `arousal`) or of classes.
        modalities: its inputs, in their order.
        rate: steps per second.
        hidden: width of the network.
        error: 90 % quantile of the absolute error of each value on the validation part; empty for classes.
        training_data: training data, with the terms of use.
        metrics: figures measured after training.
        recipe: the resolved training parameters.
    """

    architecture: str
    task: str
    outputs: tuple[str, ...]
    modalities: tuple[Modality, ...]
    rate: float
    hidden: int
    error: tuple[float, ...] = ()
    training_data: str = ""
    metrics: dict[str, Any] = field(default_factory=dict)
    recipe: dict[str, Any] = field(default_factory=dict)

    @property
    def n_outputs(self) -> int:
        """Length of the network's output: for `intensity`, classes and then states."""
        return len(self.outputs) + (len(STATES) if self.task == "intensity" else 0)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that `SequenceModel.run` gives."""
        return ("intensity", *self.outputs) if self.task == "intensity" else self.outputs

    def check(self) -> None:
        """Raises ValueError for values with which no network can be built."""
        if self.task not in TASKS:
            raise ValueError(f"its task is {self.task!r}")
        if not self.outputs or not self.modalities or min(one.size for one in self.modalities) < 1:
            raise ValueError("it has no inputs or no outputs")
        if not 0 < self.rate <= 1000 or not 1 <= self.hidden <= 4096:
            raise ValueError("its rate or its width is out of range")
        if self.error and len(self.error) != len(self.outputs):
            raise ValueError("it has not one error a value")


class SequenceModel:
    """A trained network with its header.

    Attributes:
        header: see `SequenceHeader`.
    """

    def __init__(self, header: SequenceHeader, network: SequenceNetwork, device: str = "cpu") -> None:
        self.header = header
        self.device = device
        self._network = network.to(device).eval()

    def run(
        self, features: Mapping[str, NDArray[np.floating]], times_s: NDArray[np.floating] | None = None
    ) -> NDArray[np.float32]:
        """What the network tells of each step.

        Args:
            features: name of each modality of the header -> (T, D); rows with a NaN are missing.
            times_s: (T,) rising times of the steps, seconds, on a grid of the header's rate; steps left out of it are
                missing. By default no step is left out.

        Returns:
            (T, K) float32, columns as `header.columns`: values in [-1, 1], probabilities that sum to 1, or intensity in
            [0, 1] and probabilities; NaN where every modality is missing.

        Raises:
            ValueError: a modality is missing, an array has another shape, or the times are not on such a grid.
        """
        arrays = [np.asarray(features[one.name], np.float32) for one in self._known(features)]
        n_steps = len(arrays[0])
        places = np.arange(n_steps) if times_s is None else _places(times_s, self.header.rate, n_steps)
        if not n_steps:
            return np.zeros((0, len(self.header.columns)), np.float32)
        grid = [np.full((places[-1] + 1, array.shape[1]), np.nan, np.float32) for array in arrays]
        for whole, array in zip(grid, arrays, strict=True):
            whole[places] = array
        found = self._tell(grid)[places]
        found[~np.any([np.isfinite(array).all(axis=1) for array in arrays], axis=0)] = np.nan
        return found

    def _known(self, features: Mapping[str, NDArray[np.floating]]) -> tuple[Modality, ...]:
        lengths = {len(array) for array in features.values()}
        for one in self.header.modalities:
            if one.name not in features:
                raise ValueError(f"there is no {one.name} among {', '.join(features)}")
            if features[one.name].ndim != 2 or features[one.name].shape[1] != one.size or len(lengths) > 1:
                raise ValueError(f"{one.name} has the shape {features[one.name].shape}, its vectors have {one.size}")
        return self.header.modalities

    def _tell(self, arrays: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        import torch

        inputs = [torch.from_numpy(array)[None].to(self.device) for array in arrays]
        masks = [values.isfinite().all(dim=-1) for values in inputs]
        with torch.inference_mode():
            outputs = outputs_of(self._network, inputs, masks)[0]
        return told(outputs, self.header)


def outputs_of(network: SequenceNetwork, inputs: list[Tensor], masks: list[Tensor], piece: int = PIECE) -> Tensor:
    """(B, T, K) answers of the last stage, encoded in overlapping pieces: the same as in one.

    Args:
        network: in evaluation mode.
        inputs, masks: as `SequenceNetwork.encode`; all series are equally long.
        piece: steps a piece.
    """
    import torch

    n_steps, parts = masks[0].shape[1], []
    for start in range(0, n_steps, piece):
        begin, end = max(0, start - network.context), min(n_steps, start + piece + network.context)
        encoded = network.encode([one[:, begin:end] for one in inputs], [one[:, begin:end] for one in masks])
        parts.append(encoded[:, start - begin : start - begin + piece])
    return network.finish(torch.cat(parts, dim=1), torch.ones_like(masks[0])).stages[-1]


def told(outputs: Tensor, header: SequenceHeader) -> NDArray[np.float32]:
    """(..., K) outputs of a network -> (..., columns) values, probabilities, or intensity and probabilities."""
    if header.task == "valence":
        return np.asarray(outputs.clamp(-1, 1).cpu().numpy(), np.float32)
    if header.task == "classes":
        return np.asarray(outputs.softmax(dim=-1).cpu().numpy(), np.float32)
    classes, states = outputs[..., : len(header.outputs)], outputs[..., len(header.outputs) :]
    intensity = states.softmax(dim=-1) @ states.new_tensor(STATE_INTENSITY)
    shares = np.asarray(classes.softmax(dim=-1).cpu().numpy(), np.float32)
    return np.concatenate([np.asarray(intensity.cpu().numpy(), np.float32)[..., None], shares], axis=-1)


def is_sequence_file(path: Path) -> bool:
    """Whether a file is one of these, and not another kind of weights, or none."""
    try:
        read_sequence_header(path)
    except WeightsError:
        return False
    return True


def read_sequence_header(path: Path) -> SequenceHeader:
    """The header of a file, without its tensors and without torch.

    Raises:
        WeightsError: it cannot be read, or was not written by `fercli train --task`.
    """
    require_regular_file(path, WeightsError)
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            if size > 16 * 2**20:
                raise ValueError("header too long")
            metadata = json.loads(file.read(size)).get("__metadata__", {})
        known = {one.name for one in fields(SequenceHeader)}
        values = {key: value for key, value in json.loads(metadata[_HEADER_KEY]).items() if key in known}
        header = build(SequenceHeader, values)
        header.check()
    except OSError as error:
        raise WeightsError(f"cannot read weights {path}: {error.strerror}", code="file-unreadable") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise WeightsError(
            f"{path} is no network over series",
            hint="give a file written by `fercli train --task valence`, or another task",
        ) from error
    return header


def load(path: Path, device: str = "cpu") -> SequenceModel:
    """Load a file.

    Raises:
        WeightsError: it is not a network over series, is altered, or does not fit its header.
    """
    from fercli.models.sequences.networks import build_sequence_network

    header = read_sequence_header(path)
    sizes = [one.size for one in header.modalities]
    try:
        network = build_sequence_network(
            header.architecture, sizes, header.n_outputs, header.hidden, classes=header.task == "classes"
        )
        network.load_state_dict(load_state(path))
    except (ConfigError, RuntimeError) as error:
        raise WeightsError(
            f"{path} does not fit the {header.architecture} its header names: {error}", code="weights-do-not-fit"
        ) from error
    return SequenceModel(header, network, device)


def save_sequence_model(path: Path, state: dict[str, Tensor], header: SequenceHeader) -> None:
    """Write a file, replaced in one step.

    Raises:
        OutputError: it cannot be written.
    """
    from safetensors.torch import save

    tensors = {name: tensor.contiguous().cpu() for name, tensor in state.items()}
    write_atomically(path, save(tensors, metadata={_HEADER_KEY: json.dumps(asdict(header), sort_keys=True)}))


def _places(times_s: NDArray[np.floating], rate: float, n_steps: int) -> NDArray[np.int64]:
    if len(times_s) != n_steps:
        raise ValueError(f"there are {len(times_s)} times for {n_steps} steps")
    steps = (np.asarray(times_s, np.float64) - times_s[0]) * rate if n_steps else np.zeros(0)
    places = np.round(steps).astype(np.int64)
    if (np.abs(steps - places) > SAME_STEP).any() or (np.diff(places) < 1).any():
        raise ValueError(f"the times are not those of {rate:g} steps a second")
    return places
