"""Faces for a sheet of explanations, from a workspace and from a picture."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.cli.app import main
from fercli.errors import InputError
from fercli.exporters import explanation
from fercli.exporters.explanation import Face, explain, faces_of_image
from fercli.models.classifier import EmotionClassifier
from fercli.models.detections import Detections
from tests.models.tiny import write_tiny_classifier


class TwoFaces:
    def detect(self, image: NDArray[np.uint8]) -> Detections:
        boxes = np.array([[10, 10, 30, 34], [50, 20, 110, 90], [0, 0, 90, 90]], np.float32)
        return Detections(boxes, np.array([0.9, 0.8, 0.1], np.float32))


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "group.png"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8))
    return path


def test_faces_of_a_picture_the_largest_first(picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explanation, "default_detector", TwoFaces)
    faces = faces_of_image(picture, 10)
    assert [(face.name, face.crop.shape[0]) for face in faces] == [("face 1", 119), ("face 2", 41)]
    assert len(faces_of_image(picture, 1)) == 1
    monkeypatch.setattr(TwoFaces, "detect", lambda self, image: Detections(np.zeros((0, 4)), np.zeros(0)))
    with pytest.raises(InputError, match=r"no face found in .*group\.png"):
        faces_of_image(picture, 10)


def test_the_sheet_names_the_class_that_the_classifier_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tiny_classifier(tmp_path / "tiny.safetensors")
    classifier = EmotionClassifier(tmp_path / "tiny.safetensors", "cpu")
    crops = np.random.default_rng(1).integers(0, 256, (3, 50, 50, 3), dtype=np.uint8)
    seen: dict[str, list[object]] = {}

    def sheet(crops: list[object], heats: list[object], captions: list[object], path: Path) -> None:
        seen.update(crops=crops, heats=heats, captions=captions)

    monkeypatch.setattr("fercli.models.activation.explanation_sheet", sheet)
    explain(classifier, [Face(crop, 1.7, f"face {n}") for n, crop in enumerate(crops)], tmp_path / "out.png")
    view = explanation.FaceView(classifier.header, 1.7)
    clips = np.stack([np.stack([view(crop)] * 4) for crop in crops])
    expected = classifier.classify(clips)
    labels = [classifier.head.labels[column] for column in expected.argmax(axis=1)]
    assert seen["captions"] == [f"face {n}: {labels[n]} {expected[n].max():.2f}" for n in range(3)]
    assert len(seen["crops"]) == len(seen["heats"]) == 3
    assert np.shape(seen["crops"][0]) == (32, 32, 3)  # 1.1 of 1.7 of 50 pixels, what the network sees


def test_the_command(
    picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(explanation, "default_detector", TwoFaces)
    write_tiny_classifier(tmp_path / "tiny.safetensors")
    model = ["--model", str(tmp_path / "tiny.safetensors"), "--device", "cpu"]
    out = tmp_path / "explained.png"
    assert main(["explain", str(picture), "-o", str(out), *model]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert cv2.imread(str(out)).std() > 10
    assert main(["explain", str(tmp_path / "nothing"), "-o", str(out), *model]) == 3
    assert main(["explain", str(picture), "-o", str(out), "--faces", "0", *model]) == 2
