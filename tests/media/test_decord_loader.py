"""decord is imported without loading anything but itself, whatever is imported first and whatever the environment."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

LIBRARY = """
#include <stdio.h>
#include <stdlib.h>
__attribute__((constructor)) static void loaded(void) {
    FILE *file = fopen("LOADED", "w");
    fclose(file);
}
"""
FIRST = ["", "import nvidia; ", "import ctypes, torch; ", "import decord_like; "]
"""What is imported before decord."""


@pytest.fixture(scope="module")
def fake_nvidia(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a package `nvidia` whose library leaves a file LOADED beside it when it is loaded."""
    if shutil.which("gcc") is None:
        pytest.skip("no gcc: a library that tells when it is loaded cannot be made")
    directory = tmp_path_factory.mktemp("site")
    library = directory / "nvidia" / "cublas" / "lib" / "libnvblas.so.12"
    library.parent.mkdir(parents=True)
    source = directory / "nvblas.c"
    source.write_text(LIBRARY.replace("LOADED", str(directory / "LOADED")))
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    (directory / "decord_like.py").write_text("import ctypes\nctypes.CDLL(None)\n")
    return directory


def run(code: str, directory: Path, *, environment: dict[str, str] | None = None) -> str:
    """What a new interpreter prints that has the directory on its path."""
    code = f"import sys; sys.path[:0] = [{str(directory)!r}, {str(ROOT)!r}]; {code}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


LOAD = "from fercli.media.decord_loader import load_decord; decord = load_decord(); "


@pytest.mark.parametrize("first", FIRST)
def test_no_library_of_nvidia_is_loaded(fake_nvidia: Path, first: str) -> None:
    mark = fake_nvidia / "LOADED"
    mark.unlink(missing_ok=True)
    run(f"{first}{LOAD}print(decord.VideoReader)", fake_nvidia)
    assert not mark.exists()


def test_the_fake_library_is_one_that_decord_itself_would_load(fake_nvidia: Path) -> None:
    mark = fake_nvidia / "LOADED"
    mark.unlink(missing_ok=True)
    run("import decord", fake_nvidia)
    if not mark.exists():
        pytest.skip("this decord loads no library of nvidia any more: the loader may be simplified")
    mark.unlink()


def test_the_package_and_ctypes_are_as_before_afterwards(fake_nvidia: Path) -> None:
    before, check = (
        "import ctypes; before = ctypes.CDLL; ",
        "import nvidia; print(ctypes.CDLL is before, nvidia.__name__)",
    )
    assert run(before + LOAD + check, fake_nvidia) == "True nvidia\n"


def test_its_symbols_are_its_own(tmp_path: Path) -> None:
    """Those of the FFmpeg that it brings must not stand in front of PyAV's."""
    check = LOAD + "import ctypes; print(hasattr(ctypes.CDLL(None), 'DECORDGetLastError'))"
    assert run(check, tmp_path) == "False\n"


def test_an_empty_environment_is_enough_and_stays_empty(tmp_path: Path) -> None:
    assert run(LOAD + "import os; print('PATH' in os.environ)", tmp_path, environment={}) == "False\n"


def test_the_path_is_as_before(tmp_path: Path) -> None:
    out = run(LOAD + "import os; print(os.environ['PATH'])", tmp_path, environment={"PATH": "/usr/bin"})
    assert out == "/usr/bin\n"


def test_a_missing_decord_is_named_with_how_to_get_it(tmp_path: Path) -> None:
    code = (
        "sys.modules['decord'] = None; from fercli.media.decord_loader import load_decord\n"
        "del sys.modules['decord']; sys.meta_path = [f for f in sys.meta_path if 'Path' not in str(f)]\n"
        "from fercli.errors import MissingDependency\n"
        "try: load_decord()\n"
        "except MissingDependency as error: print(error.exit_code, error.hint)"
    )
    assert run(code, tmp_path) == "5 pip install 'fercli[decord]'\n"
