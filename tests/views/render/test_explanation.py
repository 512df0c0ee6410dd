"""Faces for a sheet of explanations, from a workspace and from a picture."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.cli.entry import main
from fercli.config import FacesParams
from fercli.edits.editing import ignore, rename
from fercli.errors import InputError, MissingStage
from fercli.labels import RECORD_NAMES
from fercli.media.images import decode_jpeg, encode_jpeg, read_image
from fercli.models.classifier import EmotionClassifier, FaceView
from fercli.models.detections import Detections
from fercli.views.render import explanation
from fercli.views.render.explanation import Face, explain, faces_of_image, faces_of_workspace
from tests.edits.by_hand import annotate
from tests.failing import fails
from tests.models.tiny import write_tiny_classifier
from tests.views.report.film import EVIL, FACES, make_film
from tests.workspaces import add_receipt, noise_crops


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
    nobody = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
    monkeypatch.setattr(TwoFaces, "detect", lambda self, image: nobody)
    with fails(InputError, "face-missing", "group.png"):
        faces_of_image(picture, 10)


def crop_in_frame(frame: int, track: int) -> NDArray[np.uint8]:
    """As it comes back from the table `crops` of `make_film`."""
    return decode_jpeg(encode_jpeg(noise_crops(len(FACES))[FACES.index((frame, track))]))


def test_faces_of_a_workspace_are_the_middles_of_its_assessed_segments(tmp_path: Path) -> None:
    faces = faces_of_workspace(make_film(tmp_path / "film.fercli"), 24)
    assert [face.name for face in faces] == [
        f"{EVIL} 6.0 s",
        "Person 2 6.0 s",
        f"{EVIL} 8.0 s",
        f"{EVIL} 10.0 s",
        f"{EVIL} 13.0 s",
    ]
    assert {face.crop_scale for face in faces} == {FacesParams.crop_scale}
    np.testing.assert_array_equal(faces[1].crop, crop_in_frame(5, track=1))
    few = faces_of_workspace(make_film(tmp_path / "again.fercli"), 2)
    assert [face.name for face in few] == [f"{EVIL} 6.0 s", f"{EVIL} 13.0 s"]


def test_corrected_names_own_segments_and_who_is_left_out_are_respected(tmp_path: Path) -> None:
    workspace = make_film(tmp_path / "film.fercli")
    rename(workspace, "Person 2", "Rachel")
    ignore(workspace, EVIL)
    annotate(workspace, "Rachel,6,7,sad", "Nobody Tracked,6,8,happy")
    faces = faces_of_workspace(workspace, 24)
    assert [face.name for face in faces] == ["Rachel 5.4 s", "Rachel 6.4 s"]
    np.testing.assert_array_equal(faces[0].crop, crop_in_frame(2, track=1))  # what is left ends at 6.0 s
    assert not np.array_equal(faces[0].crop, faces[1].crop)


def test_a_workspace_without_emotions_names_the_stage_to_run(tmp_path: Path) -> None:
    workspace = make_film(tmp_path / "film.fercli")
    shutil.rmtree(workspace.path / "emotions")
    with pytest.raises(MissingStage, match="needs classify-emotions first: it has not run yet"):
        faces_of_workspace(workspace, 24)


def test_the_sheet_names_the_class_that_the_classifier_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tiny_classifier(tmp_path / "tiny.safetensors")
    classifier = EmotionClassifier(tmp_path / "tiny.safetensors", "cpu")
    crops = np.random.default_rng(1).integers(0, 256, (3, 50, 50, 3), dtype=np.uint8)
    seen: dict[str, list[Any]] = {}

    def sheet(crops: list[Any], heats: list[Any], captions: list[Any], path: Path) -> None:
        seen.update(crops=crops, heats=heats, captions=captions)

    monkeypatch.setattr("fercli.models.activation.explanation_sheet", sheet)
    explain(classifier, [Face(crop, 1.7, f"face {n}") for n, crop in enumerate(crops)], tmp_path / "out.png")
    view = FaceView(classifier.header, 1.7)
    clips = np.stack([np.stack([view(crop)] * 4) for crop in crops])
    expected = classifier.classify(clips)
    labels = [RECORD_NAMES[classifier.head.labels[column]] for column in expected.argmax(axis=1)]
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
    assert main(["explain", str(picture), "-o", str(out), "--faces", "1", *model]) == 0
    assert f"1 face explained: {out}" in capsys.readouterr().err
    assert read_image(out).std() > 10
    assert main(["explain", str(tmp_path / "nothing"), "-o", str(tmp_path / "other.png"), *model]) == 3
    assert main(["explain", str(picture), "-o", str(tmp_path / "other.png"), "--faces", "0", *model]) == 2


def test_a_workspace_is_explained_with_the_network_that_classified_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film, used = make_film(tmp_path / "film.fercli"), []
    write_tiny_classifier(tmp_path / "tiny.safetensors")
    write_tiny_classifier(tmp_path / "other.safetensors")
    add_receipt(film, "emotions", model=str(tmp_path / "tiny.safetensors"))

    def classifier(path: Path, device: str) -> EmotionClassifier:
        used.append(path.name)
        return EmotionClassifier(path, device)

    monkeypatch.setattr("fercli.models.classifier.EmotionClassifier", classifier)
    argv = ["explain", str(film.path), "--device", "cpu", "-q", "--overwrite", "-o", str(tmp_path / "out.png")]
    assert main(argv) == 0
    assert main([*argv, "--model", str(tmp_path / "other.safetensors")]) == 0
    assert used == ["tiny.safetensors", "other.safetensors"]
