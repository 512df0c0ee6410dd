"""Weights files: what goes in comes out, anything else is refused by name."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from fercli.config import EmotionsParams
from fercli.errors import OutputError, WeightsError
from fercli.labels import EMOTIONS
from fercli.models.weights import (
    ClassifierHeader,
    Head,
    load_state,
    read_header,
    require_emotions,
    save_classifier,
)
from fercli.stages import emotions
from tests.failing import fails
from tests.models.tiny import write_tiny_classifier

HEADER = ClassifierHeader(
    architecture="tsm-resnet18",
    heads=(Head("fer2013", ("anger", "contempt"), 1.5, (0.9, 0.1), 0.4), Head("ferplus", ("anger", "fear", "neutral"))),
    input_size=40,
    n_frames=4,
    fold_div=4,
    stem_pool=True,
    colour="rgb",
    mean=0.4,
    std=0.2,
    view_scale=1.2,
    view_shift=-0.1,
    training_data="Gesichter, nur für Forschung",
    metrics={"accuracy": 0.66, "matrix": [[1, 2], [3, 4]]},
    recipe={"lr": 0.001},
)
STATE = {"a.weight": torch.tensor([[1.0, 1 / 3]]), "a.steps": torch.tensor(12345678901)}


def test_the_header_survives_as_json_and_in_a_file(tmp_path: Path) -> None:
    assert ClassifierHeader.from_json(HEADER.as_json()) == HEADER
    save_classifier(tmp_path / "w.safetensors", STATE, HEADER)
    assert read_header(tmp_path / "w.safetensors") == HEADER


def test_fields_of_a_later_version_are_ignored_and_missing_ones_get_their_default() -> None:
    written = {**asdict(HEADER), "invented_later": 1}
    del written["view_shift"]
    header = ClassifierHeader.from_json(json.dumps(written))
    assert header.view_shift == 0.0
    assert header.heads == HEADER.heads


def test_heads_lie_side_by_side_and_the_first_is_the_default() -> None:
    assert HEADER.n_outputs == 5
    assert HEADER.head("") == HEADER.head("fer2013") == (HEADER.heads[0], slice(0, 2))
    assert HEADER.head("ferplus") == (HEADER.heads[1], slice(2, 5))
    with pytest.raises(KeyError):
        HEADER.head("raf")


def test_tensors_are_halved_on_disk_and_floats_again_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_classifier(path, STATE, HEADER)
    state = load_state(path)
    assert state["a.weight"].dtype == torch.float32
    assert torch.equal(state["a.weight"], STATE["a.weight"].half().float())
    assert state["a.steps"].item() == 12345678901
    save_classifier(path, STATE, HEADER, half=False)
    assert torch.equal(load_state(path)["a.weight"], STATE["a.weight"])


def test_the_same_network_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_classifier(tmp_path / name, STATE, HEADER)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_tensors_in_any_memory_layout_are_written_as_they_read(tmp_path: Path) -> None:
    image = torch.arange(24.0).reshape(1, 2, 3, 4).to(memory_format=torch.channels_last)
    save_classifier(tmp_path / "w", {"x": image, "y": image[:, :1, 1:]}, HEADER)
    state = load_state(tmp_path / "w")
    assert torch.equal(state["x"], image) and torch.equal(state["y"], image[:, :1, 1:])


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, fill_disk: Callable[[], None]) -> None:
    path = tmp_path / "w.safetensors"
    save_classifier(path, STATE, HEADER)
    before = path.read_bytes()

    fill_disk()
    with fails(OutputError, "disk-full"):
        save_classifier(path, {"a.weight": torch.ones(9)}, HEADER)
    assert [item.name for item in tmp_path.iterdir()] == ["w.safetensors"]
    assert path.read_bytes() == before


def write(path: Path, kind: str) -> Path:
    header = json.loads(HEADER.as_json())
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("these are no weights, only some words")
    elif kind == "pickle":
        torch.save(STATE, path)
    elif kind == "foreign safetensors":
        save_file(STATE, path)
    elif kind == "other metadata":
        save_file(STATE, path, {"format": "pt"})
    elif kind == "header without heads":
        del header["heads"]
        save_file(STATE, path, {"fercli": json.dumps(header)})
    elif kind == "header is a list":
        save_file(STATE, path, {"fercli": "[1, 2]"})
    elif kind == "header is no JSON":
        save_file(STATE, path, {"fercli": "{"})
    elif kind == "list for a file header":
        path.write_bytes((2).to_bytes(8, "little") + b"[]")
    return path


@pytest.mark.parametrize(
    ("prior", "power"),
    [((0.5,), 0.0), ((1.0, 0.0), 0.0), ((0.5, float("nan")), 0.0), ((), 0.5), ((0.5, 0.5), 1.1), ((0.5, 0.5), -0.1)],
)
def test_a_prior_that_cannot_be_divided_out(tmp_path: Path, prior: tuple[float, ...], power: float) -> None:
    path = tmp_path / "w.safetensors"
    head = Head("fer2013", ("anger", "contempt"), 1.5, prior, power)
    save_classifier(path, {"x": torch.zeros(1)}, replace(HEADER, heads=(head,)))
    with pytest.raises(WeightsError):
        read_header(path)


KINDS = ["empty", "text", "pickle", "foreign safetensors", "other metadata", "header without heads"]
KINDS += ["header is a list", "header is no JSON", "list for a file header"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_classifier_is_refused_with_the_next_step(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path / "w.safetensors", kind)
    with pytest.raises(WeightsError, match="is not a fercli classifier") as caught:
        read_header(path)
    assert str(path) in caught.value.message
    assert "fercli train" in caught.value.hint


@pytest.mark.parametrize("read", [read_header, load_state])
def test_a_file_that_is_not_there(tmp_path: Path, read) -> None:  # type: ignore[no-untyped-def]
    for path in (tmp_path / "missing.safetensors", tmp_path):
        with pytest.raises(WeightsError, match=r"cannot read weights|no file|a directory") as caught:
            read(path)
        assert str(path) in caught.value.message


@pytest.mark.parametrize("share", [0.3, 0.999])
def test_tensors_of_a_file_cut_short(tmp_path: Path, share: float) -> None:
    path = tmp_path / "w.safetensors"
    save_classifier(path, STATE, HEADER)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with fails(WeightsError, "file-unreadable", "w.safetensors"):
        load_state(path)


def test_a_header_is_read_without_torch(tmp_path: Path) -> None:
    save_classifier(tmp_path / "w.safetensors", STATE, HEADER)
    code = (
        "import sys; from pathlib import Path; from fercli.models.weights import read_header;"
        f"print(read_header(Path({str(tmp_path / 'w.safetensors')!r})).n_frames, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert done.stdout.split() == ["4", "False"]


def test_classes_of_ones_own_are_kept_if_the_header_says_so(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    mapping = {"anger": "negative", "happiness": "positive"}
    heads = (Head("mine", ("negative", "positive")),)
    write_tiny_classifier(path, heads=heads, own_classes=True, mapping=mapping)
    header = read_header(path)
    assert (header.heads[0].labels, header.mapping) == (("negative", "positive"), mapping)
    with fails(WeightsError, "weights-do-not-fit", str(path)):
        require_emotions(path, header)
    with fails(WeightsError, "weights-do-not-fit", str(path)):
        emotions.check(EmotionsParams(model=str(path)))
    write_tiny_classifier(path)
    require_emotions(path, read_header(path))


@pytest.mark.parametrize(
    "changes",
    [
        {"heads": (Head("mine", ("negative", "positive")),)},  # no emotions, and no word of it
        {"heads": (Head("mine", ("good", "good")),), "own_classes": True},
        {"heads": (Head("mine", ("not assessable", "good")),), "own_classes": True},
        {"heads": (Head("mine", ("../x", "good")),), "own_classes": True},
        {"colour": "sepia"},
        {"ratings": ("arousal", "valence")},
    ],
)
def test_headers_that_cannot_be(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = tmp_path / "bad.safetensors"
    write_tiny_classifier(path, **changes)
    with fails(WeightsError, "weights-unusable", str(path)):
        read_header(path)


def test_ratings_are_outputs_behind_those_of_the_heads(tmp_path: Path) -> None:
    header = write_tiny_classifier(tmp_path / "rated.safetensors", ratings=("valence", "arousal"))
    assert header.n_outputs == len(EMOTIONS) + 2
    assert header.head("")[1] == slice(0, len(EMOTIONS))
    assert read_header(tmp_path / "rated.safetensors").ratings == ("valence", "arousal")
