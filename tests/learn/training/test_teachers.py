"""Targets with a share from trained networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from fercli.errors import WeightsError
from fercli.labels import EMOTIONS
from fercli.learn.datasets import DatasetSplits, read_dataset
from fercli.learn.training.teachers import taught
from fercli.models.weights import Head
from fercli.progress import Silent
from tests.failing import fails
from tests.learn.datasets.faces import npz_arrays, write_npz
from tests.models.tiny import write_tiny_classifier


@pytest.fixture
def data(tmp_path: Path) -> DatasetSplits:
    return read_dataset("fer2013", write_npz(tmp_path / "fer2013.npz", npz_arrays((14, 7, 7))))


def targets(data: DatasetSplits) -> dict[str, torch.Tensor]:
    rows = torch.from_numpy(data.train.main.targets.copy())
    rows[0] = 0
    return {"fer2013": rows}


def teacher(path: Path, seed: int, head: Head) -> str:
    write_tiny_classifier(path, seed=seed, heads=(Head("other", ("happiness", "anger")), head))
    return str(path)


def test_teachers_are_averaged_and_mixed_with_the_labels(data: DatasetSplits, tmp_path: Path) -> None:
    given = [teacher(tmp_path / f"{seed}.safetensors", seed, Head("fer2013", EMOTIONS)) for seed in (1, 2)]
    before = targets(data)
    alone = [taught(before, data, [one], 1.0, "cpu", Silent())["fer2013"] for one in given]
    both = taught(before, data, given, 0.25, "cpu", Silent())["fer2013"]
    assert not torch.allclose(alone[0], alone[1])
    expected = 0.75 * before["fer2013"] + 0.25 * (alone[0] + alone[1]) / 2
    torch.testing.assert_close(both, expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(both[1:].sum(dim=1), torch.ones(13))
    assert both[0].abs().max() == 0  # a face without a label stays without


def test_a_head_of_other_classes_is_mapped_by_name(data: DatasetSplits, tmp_path: Path) -> None:
    path = tmp_path / "few.safetensors"
    write_tiny_classifier(path, heads=(Head("mine", ("happiness", "anger")),))
    soft = taught(targets(data), data, [str(path)], 1.0, "cpu", Silent())["fer2013"][1:].numpy()
    others = [column for column, name in enumerate(EMOTIONS) if name not in ("happiness", "anger")]
    assert np.abs(soft[:, others]).max() == 0 and soft.sum(axis=1) == pytest.approx(1)


def test_a_teacher_of_none_of_the_classes_is_refused(data: DatasetSplits, tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    write_tiny_classifier(path, heads=(Head("mine", ("contempt", "no contempt")),), own_classes=True)
    with fails(WeightsError, "weights-do-not-fit", str(path)):
        taught(targets(data), data, [str(path)], 0.5, "cpu", Silent())
