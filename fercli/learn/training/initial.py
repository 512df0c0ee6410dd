"""Weights to start from: of the same network, of a static one for a temporal one, or of other classes."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from fercli.errors import WeightsError
from fercli.models.dlib_resnet import trunk_state
from fercli.models.networks import Network
from fercli.models.registry import find_model, find_weights, model_names
from fercli.models.weights import load_state, read_header

LAST_LAYER = "fc."
MAY_BE_NEW = (LAST_LAYER, "lstm.")
"""Layers that other networks do not have, by the beginning of their names; attention is told by its middle."""


DLIB = "dlib-resnet"
"""The recognition network that the classifiers of this name start from."""


def read_initial(path: Path) -> dict[str, Tensor]:
    """The tensors of a file; or, where the path is no more than the name of a network that comes with fercli, of that.

    Raises:
        WeightsError: it is missing, or no safetensors file.
        MissingDependency: the package that the named network comes with is not installed.
    """
    if str(path) == DLIB:
        return trunk_state(_shipped(DLIB, "embedder"))
    if str(path) in model_names("classifier"):
        return load_state(_shipped(str(path), "classifier"))
    names = ", ".join([*model_names("classifier"), DLIB])
    hint = f"give --init a safetensors file, such as the best.safetensors of another run, or a name: {names}"
    if not path.is_file():
        raise WeightsError(f"no file of weights at {path}", hint=hint, code="weights-missing")
    try:
        return load_state(path)
    except WeightsError as error:
        raise WeightsError(error.message, hint=hint, code=error.code) from error


def _shipped(name: str, task: str) -> Path:
    found = find_weights(find_model(name, task))
    assert found is not None  # these networks have weights files
    return found


def start_from(network: Network, state: dict[str, Tensor], path: Path, model: str) -> None:
    """Copy the tensors of `path` into a network; a last layer of other classes is left as it is.

    Raises:
        WeightsError: the file is of another network than `model`; names the first tensor that does not fit.
    """
    own = network.state_dict()
    fitting = {name: tensor for name, tensor in state.items() if _shape(own.get(name)) == tensor.shape}
    problems = [
        f"its {name} is {_sides(tensor)}, not {_sides(own[name])}" if name in own else f"it has a {name}"
        for name, tensor in state.items()
        if name not in fitting and not name.startswith(LAST_LAYER)
    ]
    problems += [
        f"it has no {name}"
        for name in own
        if name not in state and not name.startswith(MAY_BE_NEW) and ".attention." not in name
    ]
    if problems:
        raise WeightsError(
            f"{path} does not fit --model {model}: {problems[0]}", hint=_hint(path, model), code="weights-do-not-fit"
        )
    network.load_state_dict(fitting, strict=False)


def _shape(tensor: Tensor | None) -> object:
    return None if tensor is None else tensor.shape


def _sides(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape))


def _hint(path: Path, model: str) -> str:
    try:
        architecture = read_header(path).architecture
    except WeightsError:
        architecture = model
    if architecture == model:
        return "leave --init out, or give weights of that network, with torchvision's names for its layers"
    return f"it is a {architecture}: give --model {architecture}, or leave --init out"
