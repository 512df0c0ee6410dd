from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from fercli.errors import ConfigError
from fercli.models import devices
from tests.failing import fails


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that can be loaded stands for the driver of a GPU."""
    monkeypatch.setattr(devices, "DRIVER", None)


@pytest.fixture
def no_driver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nor may torch be imported."""
    monkeypatch.setattr(devices, "DRIVER", "libno-such-driver.so")
    monkeypatch.setattr(devices, "AMD_DEVICE", tmp_path / "kfd")
    monkeypatch.setitem(sys.modules, "torch", None)


@pytest.mark.usefixtures("driver")
@pytest.mark.parametrize(
    ("asked", "cuda", "picked"),
    [("auto", False, "cpu"), ("auto", True, "cuda"), ("cpu", True, "cpu"), ("cuda", True, "cuda")],
)
def test_devices(monkeypatch: pytest.MonkeyPatch, asked: str, cuda: bool, picked: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    assert devices.pick_device(asked) == picked


@pytest.mark.usefixtures("driver")
def test_a_driver_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with fails(ConfigError, "device-missing"):
        devices.pick_device("cuda")


@pytest.mark.usefixtures("no_driver")
def test_without_a_driver_torch_is_not_imported() -> None:
    assert devices.pick_device("auto") == devices.pick_device("cpu") == "cpu"
    with fails(ConfigError, "device-missing") as caught:
        devices.pick_device("cuda")
    assert "cpu" in caught.value.hint


def test_the_driver_of_amd_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(devices, "DRIVER", "libno-such-driver.so")
    monkeypatch.setattr(devices, "AMD_DEVICE", tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert devices.pick_device("auto") == "cuda"


@pytest.mark.parametrize("asked", ["tpu", ""])
def test_what_is_no_device(asked: str) -> None:
    with fails(ConfigError, "name-unknown") as caught:
        devices.pick_device(asked)
    assert "cpu" in caught.value.hint
