"""Networks are loaded once, by whoever runs the stages."""

from __future__ import annotations

from pathlib import Path

import pytest

from fercli.models import loaded
from fercli.models.loaded import Models
from fercli.models.spec import ModelSpec

SPEC = ModelSpec("net", "detector", "module:load", "", "", "")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    made: list[str] = []

    def load(spec: ModelSpec, given: str = "", device: str = "cpu") -> object:
        made.append(f"{Path(given).name} {device}")
        return object()

    monkeypatch.setattr(loaded, "load_model", load)
    return made


def test_a_network_is_loaded_once(calls: list[str], tmp_path: Path) -> None:
    file = tmp_path / "net.onnx"
    file.write_bytes(b"one")
    models = Models()
    first = models.load(SPEC, str(file))
    assert models.load(SPEC, str(file)) is first
    assert models.load(SPEC, str(file), "cuda") is not first
    assert calls == ["net.onnx cpu", "net.onnx cuda"]
    file.write_bytes(b"another")
    assert models.load(SPEC, str(file)) is not first
    assert Models().load(SPEC, str(file)) is not first
    assert len(calls) == 4
