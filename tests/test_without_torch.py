"""`annotate` with the default networks on the CPU needs no torch, whose import takes seconds and 200 MB."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch

import fercli
from examples.make_sample import carphone_frames, write_video
from fercli.config import Runtime
from fercli.models import devices, graphs
from tests.models.tiny import write_tiny_classifier

BLOCKED = "import sys; sys.modules['torch'] = None; from fercli.cli.entry import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A talking man, 1.6 seconds."""
    path = tmp_path_factory.mktemp("video") / "man.mp4"
    write_video(path, list(carphone_frames())[:40])
    return path


def run_without_torch(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, "-c", BLOCKED, *command], env=environment, capture_output=True, text=True, timeout=300
    )


def rows(workspace: Path, name: str) -> list[dict[str, Any]]:
    (path,) = workspace.rglob(f"{name}.parquet")
    found: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return found


def test_it_gives_what_the_networks_of_torch_give(video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    done = run_without_torch("annotate", str(video), "--workdir", str(one), "-o", str(tmp_path / "one.json"))
    assert done.returncode == 0, done.stderr
    # To torch `cpu:0` is the CPU; to fercli it is another device than `cpu`, and so a matter of torch.
    monkeypatch.setattr(devices, "pick_device", lambda device: "cpu:0")
    monkeypatch.setattr(graphs, "DIRECTORY", tmp_path)
    monkeypatch.setattr(torch, "autocast", lambda *given, **options: contextlib.nullcontext())
    result = fercli.annotate(video, workspace=two, runtime=Runtime(batch=8))
    assert len(result.persons) == 1
    for table in ("emotions", "segments", "persons"):
        found, expected = rows(one, table), rows(two, table)
        assert found
        for mine, other in zip(found, expected, strict=True):
            assert mine == pytest.approx(other, abs=1e-4, nan_ok=True)


def test_networks_of_torch_are_missed_where_they_are_needed(video: Path, tmp_path: Path) -> None:
    """The subprocess really has none."""
    weights = tmp_path / "own.safetensors"
    write_tiny_classifier(weights)
    done = run_without_torch("annotate", str(video), "--workdir", str(tmp_path / "a"), "--model", str(weights))
    assert done.returncode != 0
    assert "torch" in done.stderr
