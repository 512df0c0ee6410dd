"""Weights on disk: safetensors with a JSON header of fercli, float16 for distribution, verified by sha256.

Never pickle: loading a weights file must not be able to run code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fercli.errors import WeightsError
from fercli.files import require_regular_file
from fercli.labels import NOT_ASSESSABLE, canonical
from fercli.typed import build
from fercli.writing import write_atomically

if TYPE_CHECKING:
    from torch import Tensor

_HEADER_KEY = "fercli"
COLOURS = ("grey", "rgb")
RATINGS = ("valence", "arousal")
MAX_PRIOR_POWER = 1.0
"""1 divides the class shares of the training data out entirely."""
MAX_INPUT = 1024
"""Largest side of the input of a classifier, pixels."""


@dataclass(frozen=True)
class Head:
    """A classification head: consecutive outputs of the network with one set of labels.

    Attributes:
        name: the label set, named after the data set: `fer2013`, `ferplus`, ...
        labels: canonical class names, in the order of the outputs.
        temperature: logits are divided by it before the softmax (Guo et al. 2017, arXiv 1706.04599).
        prior: share of each class in the training data, in the order of `labels`; empty where the file does not say.
        prior_power: probabilities are divided by `prior` to this power; see `calibration.without_prior`.
    """

    name: str
    labels: tuple[str, ...]
    temperature: float = 1.0
    prior: tuple[float, ...] = ()
    prior_power: float = 0.0


@dataclass(frozen=True)
class ClassifierHeader:
    """The header of a classifier file; with it, the file alone is enough to build the network.

    Attributes:
        architecture: name of the architecture, for example `tsm-resnet18`.
        heads: classification heads, in the order of the outputs; the first is used for video.
        input_size: side of the square input, pixels.
        n_frames: frames per clip.
        fold_div: share of channels shifted each way is 1 / fold_div.
        stem_pool: whether the max-pool after the first convolution is used.
        colour: `grey` (luma repeated three times) or `rgb`.
        mean, std: for pixels in [0, 1]; the input is (pixel - mean) / std.
        view_scale: side of the input square, as a multiple of the longer side of the detector's box.
        view_shift: distance of the centre of that square below that of the box, in longer sides of the box.
        own_classes: whether the classes are not emotions but of the user's own; annotations cannot hold them.
        mapping: class of the data sets -> class of the network, where they differ.
        ratings: what the outputs after those of the heads rate, in [-1, 1]: `valence`, `arousal`, or nothing.
        training_data: training data, with the terms of use.
        metrics: metrics measured after training, for each head.
        recipe: the resolved training parameters.
    """

    architecture: str
    heads: tuple[Head, ...]
    input_size: int
    n_frames: int
    fold_div: int = 8
    stem_pool: bool = False
    colour: str = "grey"
    mean: float = 0.5
    std: float = 0.25
    view_scale: float = 1.0
    view_shift: float = 0.0
    own_classes: bool = False
    mapping: dict[str, str] = field(default_factory=dict)
    ratings: tuple[str, ...] = ()
    training_data: str = ""
    metrics: dict[str, Any] = field(default_factory=dict)
    recipe: dict[str, Any] = field(default_factory=dict)

    @property
    def n_outputs(self) -> int:
        """Length of the network's output, all heads and ratings together."""
        return sum(len(head.labels) for head in self.heads) + len(self.ratings)

    def head(self, name: str) -> tuple[Head, slice]:
        """The named head, or the first for an empty name, and the slice of its outputs.

        Raises:
            KeyError: no head of that name.
        """
        start = 0
        for head in self.heads:
            if name in ("", head.name):
                return head, slice(start, start + len(head.labels))
            start += len(head.labels)
        raise KeyError(name)

    def as_json(self) -> str:
        """The header as it is stored."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> ClassifierHeader:
        """The inverse of `as_json`; raises KeyError, TypeError or ValueError on anything else."""
        known = {f.name for f in fields(cls)}
        header = build(cls, {key: value for key, value in json.loads(text).items() if key in known})
        header.check()
        return header

    def check(self) -> None:
        """Raises ValueError for values with which no network can be built."""
        if not self.heads:
            raise ValueError("no head")
        for head in self.heads:
            _check_labels(head.labels, own=self.own_classes)
            if not head.temperature > 0:
                raise ValueError(f"the temperature is {head.temperature}")
            if head.prior and (len(head.prior) != len(head.labels) or not all(0 < share <= 1 for share in head.prior)):
                raise ValueError(f"the prior of {head.name} has no share above 0 for each of its labels")
            if not 0 <= head.prior_power <= MAX_PRIOR_POWER or (head.prior_power and not head.prior):
                raise ValueError(f"the prior of {head.name} is divided out to the power {head.prior_power}")
        in_range = 1 <= self.input_size <= MAX_INPUT and self.std > 0 and self.view_scale > 0 and self.fold_div > 0
        if not in_range or self.n_frames < 1:
            raise ValueError("the size or the scale of its input is out of range")
        if self.colour not in COLOURS:
            raise ValueError(f"its colour is {self.colour!r}")
        if self.ratings not in ((), RATINGS):
            raise ValueError(f"it rates {', '.join(self.ratings)}")


def _check_labels(labels: tuple[str, ...], *, own: bool) -> None:
    """Raises ValueError for labels that are no classes."""
    if not labels or (not own and any(canonical(label) != label for label in labels)):
        raise ValueError(f"the labels {', '.join(labels)} are not emotions")
    if len(set(labels)) < len(labels):
        raise ValueError(f"the labels {', '.join(labels)} are not all different")
    for label in labels:
        check_class(label)


def check_class(name: str) -> None:
    """Raises ValueError for a name that no class can have."""
    if not re.fullmatch(r"\w[\w -]{0,39}", name) or name == NOT_ASSESSABLE:
        raise ValueError(f"{name!r} cannot be the name of a class: use up to 40 letters, digits, blanks, - and _")


def require_emotions(path: Path, header: ClassifierHeader) -> None:
    """Raises WeightsError if annotations cannot hold the classes of a classifier."""
    if header.own_classes:
        labels = ", ".join(header.heads[0].labels)
        raise WeightsError(
            f"{path} tells {labels}: classes of your own, which annotations of a video cannot hold",
            hint="score it with `fercli evaluate`, or give a classifier that was trained without --classes",
            code="weights-do-not-fit",
        )


def prior_power(path: Path, head: Head, wanted: float | None) -> float:
    """The power to which the prior of a head is divided out: the wanted one, or for None the file's own.

    Raises:
        WeightsError: the file does not say the prior, and without it nothing can be divided out.
    """
    power = head.prior_power if wanted is None else wanted
    if power and not head.prior:
        raise WeightsError(
            f"{path} does not say how frequent each class was in training, so --prior {power:g} cannot be applied",
            hint="leave --prior out, or train the network again",
            code="weights-do-not-fit",
        )
    return power


def save_classifier(path: Path, state: dict[str, Tensor], header: ClassifierHeader, *, half: bool = True) -> None:
    """Write a classifier; floating tensors as float16 unless `half` is off. Replaces `path` in one step.

    Raises:
        OutputError: the file cannot be written.
    """
    from safetensors.torch import save

    tensors = {
        name: (t.half() if half and t.is_floating_point() else t).contiguous().cpu() for name, t in state.items()
    }
    write_atomically(path, save(tensors, metadata={_HEADER_KEY: header.as_json()}))


def read_header(path: Path) -> ClassifierHeader:
    """The header of a classifier file, without reading its tensors and without torch.

    Raises:
        WeightsError: it is not a safetensors file, or was not written by fercli.
    """
    require_regular_file(path, WeightsError)
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            if size > 16 * 2**20:
                raise ValueError("header too long")
            metadata = json.loads(file.read(size)).get("__metadata__", {})
        return ClassifierHeader.from_json(metadata[_HEADER_KEY])
    except OSError as error:
        raise WeightsError(f"cannot read weights {path}: {error.strerror}", code="file-unreadable") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise WeightsError(
            f"{path} is not a fercli classifier (safetensors with a fercli header)",
            hint="give a file written by `fercli train`, or a name from `fercli models`",
        ) from error


def load_state(path: Path) -> dict[str, Tensor]:
    """All tensors of a safetensors file, floating ones as float32.

    Raises:
        WeightsError: the file cannot be read, or has numbers that are not finite.
    """
    import torch
    from safetensors.torch import load_file

    tensors = _read(load_file, path)
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise _not_finite(path, name)
    return {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}


def load_arrays(path: Path) -> dict[str, NDArray[np.float32]]:
    """The floating tensors of a shipped safetensors file as float32, without torch; raises as `load_state`."""
    from safetensors.numpy import load_file

    found = {}
    for name, values in _read(load_file, path).items():
        if np.issubdtype(values.dtype, np.floating):
            found[name] = np.asarray(values, np.float32)
            if not np.isfinite(found[name]).all():
                raise _not_finite(path, name)
    return found


def _read(load_file: Callable[[Path], dict[str, Any]], path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError

    try:
        return load_file(path)
    except (OSError, KeyError, ValueError, SafetensorError) as error:
        raise WeightsError(f"cannot read weights {path}: {error}", code="file-unreadable") from error


def _not_finite(path: Path, name: str) -> WeightsError:
    return WeightsError(
        f"{path} has numbers that are not finite, in {name}", hint="copy or train it again", code="weights-not-finite"
    )
