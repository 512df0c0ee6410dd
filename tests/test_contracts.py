"""Who imports whom, and what starting the program must not import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from importlinter import cli

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("torch", "cv2", "dlib", "face_recognition", "onnxruntime", "decord", "av", "scenedetect", "pyarrow", "scipy")
"""What takes long to import."""
NETWORKS_AND_DECODERS = tuple(name for name in HEAVY if name not in ("pyarrow", "scipy"))


def imported_by(code: str, names: tuple[str, ...]) -> set[str]:
    """Which of the named packages a new interpreter has imported after running `code`."""
    report = f"\nimport sys; print(); print(*(name for name in {names} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code + report], capture_output=True, text=True, cwd=ROOT, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_the_check_itself_sees_an_import() -> None:
    assert imported_by("import pyarrow", HEAVY) == {"pyarrow"}


def test_import_contracts_hold(capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.lint_imports(config_filename=str(ROOT / "setup.cfg"), no_cache=True, no_logo=True)
    assert code == cli.EXIT_STATUS_SUCCESS, capsys.readouterr().out


def test_contracts_have_no_exceptions() -> None:
    assert "ignore_imports" not in (ROOT / "setup.cfg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "code",
    [
        "import fercli.cli.app",
        "from fercli.cli.entry import main; assert main(['--help']) == 0",
        "from fercli.cli.entry import main; assert main(['annotate', '--help']) == 0",
        "from fercli.cli.entry import main; assert main(['--version']) == 0",
    ],
)
def test_the_command_line_answers_without_heavy_packages(code: str) -> None:
    assert imported_by(code, HEAVY) == set()


def test_listing_models_imports_no_network() -> None:
    code = "from fercli.cli.entry import main; assert main(['models']) == 0"
    assert imported_by(code, NETWORKS_AND_DECODERS) == set()


@pytest.mark.parametrize("module", ["fercli.stages", "fercli.pipeline", "fercli.models.registry", "fercli.config"])
def test_the_chain_is_known_without_networks_and_decoders(module: str) -> None:
    assert imported_by(f"import {module}", NETWORKS_AND_DECODERS) == set()


@pytest.mark.parametrize("module", ["classifier", "covered", "devices", "dlib_embedder", "lr_asd", "onnx_embedder"])
def test_networks_on_the_cpu_import_nothing_that_is_for_training(module: str) -> None:
    assert imported_by(f"import fercli.models.{module}", ("torch", "scipy.optimize")) == set()


def test_every_stage_is_under_the_independence_contract() -> None:
    stages = {f"fercli.stages.{path.stem}" for path in (ROOT / "fercli" / "stages").glob("*.py")}
    stages -= {"fercli.stages.__init__", "fercli.stages.base"}
    contract = (ROOT / "setup.cfg").read_text(encoding="utf-8").split("[importlinter:contract:stages]")[1]
    listed = contract.split("[")[0].split("modules =")[1].split()
    assert set(listed) == stages
