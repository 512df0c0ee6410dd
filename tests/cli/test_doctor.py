"""`fercli doctor` where everything is ready, and where next to nothing is."""

from __future__ import annotations

import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from fercli.cli.doctor import PACKAGES
from fercli.cli.entry import main

ROOT = Path(__file__).resolve().parents[2]


def test_this_installation_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "everything is ready" in out and "MISSING" not in out


def test_missing_weights_are_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FERCLI_WEIGHTS", str(tmp_path))
    (tmp_path / "centerface.onnx").write_bytes(b"something else")
    assert main(["doctor"]) == 6
    out = capsys.readouterr().out
    assert "MISSING detector centerface" in out and "reinstall fercli" in out


def test_every_package_that_fercli_requires_is_tried() -> None:
    parser = ConfigParser(inline_comment_prefixes=None)
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = parser["options"]["install_requires"].splitlines()
    required = {Requirement(line).name for line in lines if line and not line.startswith("#")}
    assert {Requirement(distribution).name for distribution in PACKAGES.values()} == required


def test_it_runs_without_the_packages_it_looks_for(tmp_path: Path) -> None:
    broken = tmp_path / "onnxruntime"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise OSError('libcudart.so.12: cannot open\\nshared object file')")
    gone = ["torch", "pyarrow", "rich", "praatio", "PIL", "pkg_resources"]
    code = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
sys.modules.update(dict.fromkeys({gone!r}))
from fercli.cli.entry import main
sys.exit(main(["doctor"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 6, done.stderr
    missing = {line.split()[1].rstrip(":"): line for line in done.stdout.splitlines() if line.startswith("MISSING")}
    assert {*gone, "onnxruntime"} <= missing.keys()
    assert missing["PIL"].endswith("; run: pip install pillow")
    assert missing["pkg_resources"].endswith("; run: pip install 'setuptools<81'")
    assert missing["onnxruntime"].endswith(
        "libcudart.so.12: cannot open; run: pip install --force-reinstall onnxruntime"
    )
    assert "MISSING detector centerface: needs onnxruntime" in done.stdout
    assert done.stdout.endswith("something is missing: see the lines marked MISSING\n")
