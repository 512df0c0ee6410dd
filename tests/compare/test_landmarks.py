"""Landmarks side by side: readers, errors, and the command on a portrait."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.io import savemat

from fercli.cli.entry import main
from fercli.compare.landmarks import area, compare_landmarks
from fercli.compare.point_finders import GROUPS, Face, five, point_finders
from fercli.compare.point_truth import OF_WFLW, TrueFace, read_points
from fercli.errors import ConfigError, DatasetError, MissingDependency
from fercli.models.detections import Detections
from fercli.progress import Silent
from tests.models.pictures import portrait

RNG = np.random.default_rng(0)
POINTS = RNG.uniform(10, 90, (68, 2)).round(3)


def write_picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((100, 100, 3), 90, np.uint8))
    return path


def write_pts(folder: Path) -> Path:
    write_picture(folder / "outdoor" / "a.png")
    lines = "\n".join(f"{x} {y}" for x, y in POINTS + 1)  # counted from 1
    (folder / "outdoor" / "a.pts").write_text(f"version: 1\nn_points:  68\n{{\n{lines}\n}}\n")
    return folder


def write_wflw(folder: Path) -> Path:
    write_picture(folder / "WFLW_images" / "0--Parade" / "a.jpg")
    points = np.full((98, 2), -7.0)
    points[list(OF_WFLW)] = POINTS
    cells = [*points.reshape(-1), 0, 0, 99, 99, 0, 0, 0, 0, 0, 0, "0--Parade/a.jpg"]
    (folder / "list_98pt_rect_attr_test.txt").write_text(" ".join(map(str, cells)) + "\n")
    return folder


def write_aflw(folder: Path) -> Path:
    write_picture(folder / "image00002.jpg")
    savemat(folder / "image00002.mat", {"pt3d_68": np.vstack([POINTS.T, np.zeros(68)])})
    return folder


def write_dlib(folder: Path, comment: str = "") -> Path:
    write_picture(folder / "a.jpg")
    parts = "".join(f"<part name='{n:02}' x='{x}' y='{y}'/>" for n, (x, y) in enumerate(POINTS))
    box = f"<box top='1' left='1' width='9' height='9'>{parts}</box><box top='1' left='1' width='9' height='9'/>"
    (folder / "a.xml").write_text(f"<dataset><comment>{comment}</comment><image file='a.jpg'>{box}</image></dataset>")
    return folder


WRITERS = {"300w": write_pts, "helen": write_pts, "wflw": write_wflw, "aflw2000": write_aflw, "dlib": write_dlib}


@pytest.mark.parametrize("dataset", WRITERS)
def test_every_form_gives_the_same_points(tmp_path: Path, dataset: str) -> None:
    (face,), notes = read_points(dataset, WRITERS[dataset](tmp_path))
    np.testing.assert_allclose(face.points, POINTS, atol=1e-6)
    assert face.path.is_file() and notes == []


def test_points_that_dlib_made_are_no_measure_of_it(tmp_path: Path) -> None:
    _, (note,) = read_points("dlib", write_dlib(tmp_path, "from dlib's shape_predictor_68_face_landmarks.dat"))
    assert "dlib-68" in note


@pytest.mark.parametrize(
    ("dataset", "file", "content", "code"),
    [
        ("300w", "a.pts", "version: 1\n{\n1 2\n}\n", "dataset-unusable"),
        ("300w", "b.pts", "{\n" + "1 2\n" * 68 + "}\n", "dataset-not-found"),
        ("300w", "x.txt", "", "dataset-empty"),
        ("wflw", "x.txt", "", "dataset-not-found"),
        ("wflw", "list_98pt_rect_attr_test.txt", "1 2 a.jpg\n", "dataset-not-found"),
        ("aflw2000", "a.mat", "no", "dataset-unusable"),
        ("dlib", "a.xml", "<a/>", "dataset-not-found"),
    ],
)
def test_what_cannot_be_used(tmp_path: Path, dataset: str, file: str, content: str, code: str) -> None:
    write_picture(tmp_path / "a.png")
    (tmp_path / file).write_text(content)
    with pytest.raises(DatasetError) as error:
        read_points(dataset, tmp_path)
    assert error.value.code == code


def test_unknown_names() -> None:
    for refused in (lambda: read_points("coco", Path()), lambda: point_finders(["mtcnn"], Silent())):
        with pytest.raises(ConfigError) as error:
            refused()
        assert error.value.code == "name-unknown"


class Shifted:
    """Finds the true points, moved by a share of the distance of the eyes."""

    def __init__(self, name: str, share: float, groups: tuple[str, ...], truth: NDArray[np.float64]) -> None:
        self.name, self.groups = name, groups
        unit = float(np.linalg.norm(truth[36] - truth[45]))
        self._points = truth + np.array([0, share * unit])

    def find(self, face: Face) -> NDArray[np.float64]:
        return self._points if len(self.groups) > 1 else GROUPS[self.groups[0]](self._points)


class One:
    """Finds one face round the points."""

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        box = np.array([[0, 0, 100, 100]], np.float32)
        return Detections(box, np.ones(1, np.float32), np.zeros((1, 5, 2), np.float32))


def test_errors_are_shares_of_the_distance_of_the_eyes(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.png")
    faces = [TrueFace(path, "a.png", POINTS), TrueFace(path, "a.png", POINTS)]  # the second has no detection left
    finders = [Shifted("all", 0.02, tuple(GROUPS), POINTS), Shifted("few", 0.1, ("5",), POINTS)]
    result = compare_landmarks(faces, finders, One(), Silent())
    by = {(score.finder, score.points): score for score in result.scores}
    assert set(by) == {("all", "68"), ("all", "51"), ("all", "5"), ("all", "corners"), ("few", "5")}
    good, bad = by["all", "68"], by["few", "5"]
    assert good.nme == pytest.approx(0.02) and (good.faces, good.found) == (2, 1)
    assert good.auc == pytest.approx(0.75 / 2) and good.failures == 0.5
    assert bad.nme == pytest.approx(0.1) and bad.auc == 0 and bad.failures == 1


def test_area_under_the_cumulative_curve() -> None:
    errors = np.array([0.01, 0.03, 0.05, 0.2, np.inf])
    at = np.linspace(0, 0.08, 80_001)
    curve = (errors[None] <= at[:, None]).mean(axis=1)
    assert area(errors) == pytest.approx(curve.mean(), abs=1e-4)


def test_five_points_of_a_face() -> None:
    points = np.arange(136, dtype=float).reshape(68, 2)
    assert five(points)[:, 0].tolist() == [77, 89, 60, 96, 108]


@pytest.mark.slow
def test_the_command_on_a_portrait(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The truth is what the mesh finds, so the mesh is exact and the others are near."""
    root, out = tmp_path / "set", tmp_path / "out"
    root.mkdir()
    cv2.imwrite(str(root / "a.png"), portrait()[..., ::-1])
    from fercli.compare.point_finders import MeshPoints
    from fercli.models.pictures import default_detector, detect_faces

    found = detect_faces(portrait(), default_detector())
    assert found.landmarks is not None
    truth = MeshPoints().find(Face(portrait(), found.boxes[0], found.landmarks[0])) + 1
    lines = "\n".join(f"{x} {y}" for x, y in truth)
    (root / "a.pts").write_text(f"{{\n{lines}\n}}")
    command = ["compare", "landmarks", "--dataset", "300w", "--root", str(root), "-o", str(out)]
    assert main([*command, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    errors = {(row["finder"], row["points"]): row["nme"] for row in figures["landmarks"]}
    assert errors["face-mesh", "68"] < 0.002 and 0.002 < errors["centerface", "5"] < 0.12
    assert errors["dlib-5", "corners"] < 0.12 and errors["dlib-68", "51"] < 0.12
    assert figures["not_commercial"] == ["dlib-68"]
    picture = cv2.imread(str(out / "landmarks.png"))
    assert picture is not None and picture.std() > 5
    assert "dlib-68" in (out / "landmarks.html").read_text()


def test_face_alignment_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    import fercli.compare.point_finders as under_test

    class Fan:
        def __init__(self, kind: str, **options: object) -> None:
            self.kind = kind

        def get_landmarks_from_image(self, picture: object, detected_faces: list[list[float]]) -> list[object]:
            assert detected_faces == [[1.0, 2.0, 3.0, 4.0, 1.0]]
            return [np.column_stack([POINTS, np.zeros(68)])] if self.kind == "3d" else [POINTS]

    fake = SimpleNamespace(FaceAlignment=Fan, LandmarksType=SimpleNamespace(TWO_D="2d", THREE_D="3d"))
    monkeypatch.setitem(sys.modules, "face_alignment", fake)
    monkeypatch.setattr(under_test, "find_spec", lambda name: object())
    face = Face(np.zeros((9, 9, 3), np.uint8), np.array([1, 2, 3, 4], np.float32), np.zeros((5, 2), np.float32))
    for finder in point_finders(["fan-2d", "fan-3d"], Silent()):
        assert finder.find(face).tolist() == POINTS.tolist()


def test_a_package_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    import fercli.compare.point_finders as under_test

    monkeypatch.setattr(under_test, "find_spec", lambda name: None)
    with pytest.raises(MissingDependency) as error:
        point_finders(["fan-2d"], Silent())
    assert error.value.code == "package-missing" and "face-alignment" in error.value.hint
