"""What an installed fercli consists of: built for real, offline, from a copy of what the build reads."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from configparser import ConfigParser
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from setuptools import find_packages

import fercli

ROOT = Path(__file__).resolve().parents[1]
READ_BY_THE_BUILD = ("fercli", "weights", "setup.cfg", "pyproject.toml", "MANIFEST.in", "LICENSE", "README.md")
WEIGHTS = "tsm-test.safetensors"


def setup_cfg() -> ConfigParser:
    parser = ConfigParser(inline_comment_prefixes=None)
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def requirement_lines(text: str) -> list[Requirement]:
    lines = (line.strip() for line in text.splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-", "./"))]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the wheel and the source archive of this checkout, one more weights file added."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in READ_BY_THE_BUILD:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif (ROOT / name).exists():
            shutil.copy(ROOT / name, source / name)
    (source / "weights" / WEIGHTS).write_bytes(b"weights")
    build = f"from setuptools import build_meta as b; b.build_wheel({str(out)!r}); b.build_sdist({str(out)!r})"
    command = [sys.executable, "-c", build]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=300)
    return out


@pytest.fixture(scope="module")
def wheel_names(built: Path) -> list[str]:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        return wheel.namelist()


@pytest.mark.slow
def test_the_wheel_installs_the_weights_inside_the_package(wheel_names: list[str]) -> None:
    expected = {f"fercli/weights/{path.name}" for path in (ROOT / "weights").iterdir() if path.is_file()}
    assert expected | {f"fercli/weights/{WEIGHTS}"} <= set(wheel_names)


@pytest.mark.slow
def test_the_wheel_holds_every_module_and_nothing_else(wheel_names: list[str]) -> None:
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "fercli").rglob("*.py")}
    assert {name for name in wheel_names if name.endswith(".py")} == modules
    assert {"fercli/py.typed", "fercli/formats/annotations.schema.json"} <= set(wheel_names)
    graphs = {path.relative_to(ROOT).as_posix() for path in (ROOT / "fercli").rglob("*.onnx")}
    assert {name for name in wheel_names if name.endswith(".onnx") and "/weights/" not in name} == graphs != set()
    assert {name.split("/")[0] for name in wheel_names} == {"fercli", f"fercli-{fercli.__version__}.dist-info"}


@pytest.mark.slow
def test_weights_are_found_in_an_unpacked_wheel(built: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        wheel.extractall(tmp_path)
    code = "from fercli.models.registry import packaged_weights as p; print(p())"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
    directory = Path(done.stdout.strip())
    assert directory == tmp_path / "fercli" / "weights"
    assert (directory / WEIGHTS).read_bytes() == b"weights"


@pytest.mark.slow
def test_the_source_archive_holds_the_weights(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = archive.getnames()
    assert f"fercli-{fercli.__version__}/weights/{WEIGHTS}" in names


def test_every_package_is_listed() -> None:
    found = {"fercli", *(f"fercli.{name}" for name in find_packages(str(ROOT / "fercli")))}
    assert set(setup_cfg()["options"]["packages"].split()) == found | {"fercli.weights"}


def test_nothing_pip_installs_by_itself_requires_dlib_or_a_second_opencv() -> None:
    """`dlib` would be compiled, `opencv-python` needs libGL and overwrites the headless build."""
    pulled: set[str] = set()
    waiting = [re.split(r"[^\w.-]", line)[0] for line in setup_cfg()["options"]["install_requires"].split("\n") if line]
    extras = setup_cfg()["options.extras_require"]
    waiting += [requirement.name for extra in extras for requirement in requirement_lines(extras[extra])]
    while waiting:
        name = canonicalize_name(waiting.pop())
        if not name or name in pulled:
            continue
        pulled.add(name)
        requirements = (Requirement(line) for line in distribution(name).requires or ())
        waiting += [r.name for r in requirements if r.marker is None or r.marker.evaluate({"extra": ""})]
    assert len(pulled) > 30
    assert not pulled & {"dlib", "face-recognition", "opencv-python"}


def test_what_face_recognition_imports_is_installed_without_its_metadata() -> None:
    names = {r.name for r in requirement_lines(setup_cfg()["options"]["install_requires"])}
    assert {"dlib-bin", "face_recognition_models", "numpy", "pillow", "typer", "setuptools"} <= names


def test_constraints_pin_every_requirement_to_one_version() -> None:
    pinned = requirement_lines((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    assert all(re.fullmatch(r"==[\w.]+", str(pin.specifier)) for pin in pinned)
    versions = {canonicalize_name(p.name): p.specifier for p in pinned if p.marker is None or p.marker.evaluate()}
    cfg = setup_cfg()
    texts = [cfg["options"]["install_requires"], *cfg["options.extras_require"].values()]
    texts.append((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    for requirement in (r for text in texts for r in requirement_lines(text)):
        pin = versions[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(str(pin).removeprefix("==")), requirement


def test_constraints_pin_what_is_installed_along_with_the_requirements() -> None:
    """Nothing that reaches a fresh environment is left to the day it is made."""
    pinned = requirement_lines((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    names = {canonicalize_name(pin.name) for pin in pinned}
    unpinned = {
        canonicalize_name(requirement.name)
        for name in names
        for requirement in _requirements_if_installed(name)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    } - names
    assert unpinned - {"dlib"} == {name for name in unpinned if name.startswith(("nvidia-", "cuda-", "triton"))}


def _requirements_if_installed(name: str) -> list[Requirement]:
    try:
        return [Requirement(line) for line in distribution(name).requires or ()]
    except ModuleNotFoundError:
        return []


def test_python_3_10_is_promised_everywhere() -> None:
    assert setup_cfg()["options"]["python_requires"] == ">=3.10"
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'target-version = "py310"' in settings
    assert 'python_version = "3.10"' in settings
