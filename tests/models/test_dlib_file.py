from __future__ import annotations

from pathlib import Path

import pytest

from fercli.errors import WeightsError
from fercli.models.dlib_file import read_tensors
from fercli.models.registry import find_model, find_weights
from tests.failing import fails


@pytest.fixture(scope="module")
def weights() -> Path:
    path = find_weights(find_model("dlib-resnet", "embedder"))
    assert path is not None
    return path


def test_a_truncated_file_is_refused_by_name(weights: Path, tmp_path: Path) -> None:
    file = tmp_path / "cut.dat"
    file.write_bytes(weights.read_bytes()[:5_000_000])
    with pytest.raises(WeightsError, match=r"cut\.dat is not dlib_face_recognition_resnet_model_v1"):
        read_tensors(file)


def test_another_network_of_dlib_is_refused(weights: Path) -> None:
    with pytest.raises(WeightsError, match="mmod_human_face_detector"):
        read_tensors(weights.parent / "mmod_human_face_detector.dat")


def test_a_file_that_is_not_there_is_a_weights_error(tmp_path: Path) -> None:
    with fails(WeightsError, "file-unreadable"):
        read_tensors(tmp_path / "none.dat")
