"""The shipped weights: what their card says is what their header says, and the registry knows their bytes."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from fercli.hashing import sha256_file
from fercli.labels import EMOTIONS, EMOTIONS_8
from fercli.learn.datasets import read_dataset
from fercli.learn.evaluation.predictions import in_classes_of, outputs
from fercli.models import classifier
from fercli.models.catalogue import CLASSIFIERS, DETECTORS, MESHES, OCCLUSION, SPEAKERS, VOICES
from fercli.models.classifier import EmotionClassifier
from fercli.models.weights import ClassifierHeader, read_header
from fercli.progress import Silent

WEIGHTS = Path(__file__).parent.parent / "weights"
CARD = (WEIGHTS / "README.md").read_text(encoding="utf-8")
LARGEST = 25 * 2**20


@pytest.fixture(scope="module", params=[spec.weights for spec in CLASSIFIERS])
def file(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def header(file: str) -> ClassifierHeader:
    return read_header(WEIGHTS / file)


@pytest.fixture(scope="module")
def section(file: str) -> str:
    """What the card says of one file."""
    return CARD.split(f"## {Path(file).stem}\n")[1].split("\n## ")[0]


def test_every_file_is_known_described_and_not_too_large() -> None:
    known = {
        spec.weights: spec
        for spec in (*CLASSIFIERS, *DETECTORS, *MESHES, *OCCLUSION, *SPEAKERS, *VOICES)
        if spec.weights and ":" not in spec.weights
    }
    files = {
        path.name: path
        for path in WEIGHTS.iterdir()
        if path.name not in ("README.md", "LICENSE-Apache-2.0", "LICENSE-LR-ASD")
    }
    assert files.keys() == known.keys()
    for name, path in files.items():
        assert path.stat().st_size <= LARGEST
        assert sha256_file(path) == known[name].sha256
        assert f"`{name}`" in CARD


def test_the_header_rebuilds_what_the_card_describes(header: ClassifierHeader, file: str, section: str) -> None:
    assert (header.architecture, header.n_frames) == {
        "tsm-resnet18-fer2013.safetensors": ("tsm-resnet18", 4),
        "resnet18-fer2013.safetensors": ("resnet18", 1),
    }[file]
    assert [(head.name, head.labels) for head in header.heads] == [("ferplus", EMOTIONS_8), ("fer2013", EMOTIONS)]
    assert f"{header.input_size} x {header.input_size} pixels" in section
    assert "FER2013" in header.training_data and "FER+" in header.training_data
    for head in header.heads:
        assert f"{head.temperature} ({head.name})" in section
        assert f"{head.prior_power} ({head.name})" in section.split("Powers of the prior")[1]
        assert sum(head.prior) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("split", ["valid", "test"])
def test_rare_classes_gain_by_the_prior_more_than_all_lose(header: ClassifierHeader, split: str) -> None:
    figures = header.metrics["ferplus"]
    gained = figures[f"{split}_uar"] - figures[f"{split}_uar_with_prior"]
    lost = figures[f"{split}_accuracy_with_prior"] - figures[f"{split}_accuracy"]
    assert gained > 2 * max(lost, 0)
    assert figures[f"{split}_ece"] <= 0.02


@pytest.mark.parametrize(
    "figure",
    [
        *("accuracy", "uar", "macro_f1", "ece", "ece_uncalibrated", "n"),
        *("accuracy_with_prior", "uar_with_prior", "ece_with_prior"),
    ],
)
def test_the_card_gives_the_figures_of_the_header(header: ClassifierHeader, section: str, figure: str) -> None:
    row = re.search(rf"^\| {figure} \| (\S+) \| (\S+) \| (\S+) \| (\S+) \|$", section, re.MULTILINE)
    assert row is not None, f"no row for {figure}"
    assert [float(value) for value in row.groups()] == [
        header.metrics[head][f"{split}_{figure}"] for head in ("ferplus", "fer2013") for split in ("valid", "test")
    ]


def test_the_card_gives_the_confusion_matrices_of_the_header(header: ClassifierHeader, section: str) -> None:
    for head in header.heads:
        for label, counts in zip(head.labels, header.metrics[head.name]["test_confusion"], strict=True):
            assert f"| {label} | {' | '.join(str(count) for count in counts)} |" in section


def test_the_cpu_gets_the_numbers_of_torch(
    file: str, header: ClassifierHeader, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = header.input_size
    clips = np.random.default_rng(0).integers(0, 256, (3, header.n_frames, size, size), np.uint8)
    shipped = EmotionClassifier(WEIGHTS / file, "cpu")
    found = shipped.outputs(clips)
    assert np.abs(found[0] - found[1]).max() > 0.01  # the mirror images are others
    monkeypatch.setattr(classifier, "CLASSIFIERS", ())  # a file that is not known has no graph
    in_torch = EmotionClassifier(WEIGHTS / file, "cpu")
    np.testing.assert_allclose(found, in_torch.outputs(clips), atol=2e-5)
    np.testing.assert_array_equal(shipped.features(clips), in_torch.features(clips))
    np.testing.assert_array_equal(shipped.heat_maps(clips, [0, 1, 2]), in_torch.heat_maps(clips, [0, 1, 2]))


@pytest.mark.slow
@pytest.mark.parametrize("dataset", ["ferplus", "fer2013"])
def test_evaluate_reproduces_the_figures_of_the_card(header: ClassifierHeader, file: str, dataset: str) -> None:
    """On the first faces of the test split: enough to see that the same weights see the same pixels."""
    root = WEIGHTS.parent / ".." / "shared" / "data" / "fer2013_ferplus.npz"
    if not root.exists():
        pytest.skip(f"{root.name} is not here")
    data = read_dataset(dataset, root)
    network = EmotionClassifier(WEIGHTS / file, "cpu", dataset)
    few = data.test.take(np.arange(400))
    logits = outputs(network, few, data.face_scale, "test", Silent())[..., network.header.head(dataset)[1]]
    known = few.main.labels >= 0
    hits = in_classes_of(few.main, network, logits).argmax(axis=1)[known] == few.main.labels[known]
    expected = header.metrics[dataset]["test_accuracy"]
    assert abs(hits.mean() - expected) < 3 * (expected * (1 - expected) / known.sum()) ** 0.5
