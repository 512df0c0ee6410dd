"""The commands of docs/detectors.md, run as they stand, on small sets of every kind that it names."""

from __future__ import annotations

from pathlib import Path

import pytest

import fercli.models.pictures as pictures
from fercli.cli.entry import main
from fercli.compare import contenders, point_finders
from tests.compare.sets import BrightDetector, write_csv, write_fddb, write_pictures, write_wider
from tests.compare.test_detectors import detections
from tests.compare.test_landmarks import One, write_pts
from tests.doc_pages import DOCS, command_lines
from tests.learn.datasets.faces import npz_arrays, write_npz
from tests.models.tiny import write_tiny_classifier


@pytest.mark.slow
def test_commands_run_as_they_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_csv(write_pictures(tmp_path / "frames"))
    write_wider(tmp_path / "WIDER")
    write_fddb(tmp_path / "FDDB")
    write_pts(tmp_path / "300W")
    detections(tmp_path / "detections", (0, 1, 4, 5))
    write_npz(tmp_path / "fer2013.npz", npz_arrays((7, 7, 14)))
    write_tiny_classifier(tmp_path / "mine.safetensors")
    Path("yunet.onnx").touch()
    monkeypatch.setattr(contenders, "load_model", lambda *_: BrightDetector())
    monkeypatch.setattr(pictures, "default_detector", One)
    monkeypatch.setattr(point_finders, "FINDERS", {"centerface": ("", point_finders.DetectorPoints)})
    commands = list(command_lines((DOCS / "detectors.md").read_text(encoding="utf-8")))
    assert {words[1] for words in commands if words[0] == "compare"} == {"detectors", "landmarks", "classifiers"}
    for words in commands:
        assert main(words) == 0, words
    assert {path.name for path in Path("compared").iterdir()} == {
        f"{kind}.{end}" for kind in ("detectors", "landmarks", "classifiers") for end in ("json", "csv", "png", "html")
    }
