"""annotate --with valence, and estimate-valence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fercli.cli.entry import main
from fercli.workspace import Workspace
from tests.media_samples import numbered_video


def test_with_valence_the_document_has_signals(tmp_path: Path) -> None:
    video, out = numbered_video(tmp_path / "a.mp4", 10), tmp_path / "a.json"
    order = ["annotate", str(video), "-o", str(out), "-q", "--fps", "2"]
    assert main(order) == 0 and "signals" not in json.loads(out.read_text())
    assert Workspace.open(tmp_path / "a.fercli").receipt("valence") is None
    assert main([*order, "--with", "valence", "--smoothing", "0.5"]) == 0
    assert json.loads(out.read_text())["signals"] == []  # nobody is in the video
    receipt = Workspace.open(tmp_path / "a.fercli").receipt("valence")
    assert receipt is not None and receipt.params == {"weights": "", "smoothing_s": 0.5} and receipt.skipped
    assert main(["estimate-valence", str(tmp_path / "a.fercli"), "-q"]) == 0
    receipt = Workspace.open(tmp_path / "a.fercli").receipt("valence")
    assert receipt is not None and receipt.params == {"weights": "", "smoothing_s": 0.25}


def test_an_unknown_analysis_is_refused_before_any_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["annotate", str(tmp_path / "a.mp4"), "--with", "valence,mood"]) == 2
    err = capsys.readouterr().err
    assert "error[name-unknown]" in err and "'mood'" in err and "valence" in err
    assert not (tmp_path / "a.fercli").exists()


def test_it_needs_the_emotions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = numbered_video(tmp_path / "a.mp4", 10)
    assert main(["extract-frames", str(video), str(tmp_path / "w"), "-q"]) == 0
    assert main(["estimate-valence", str(tmp_path / "w")]) == 4
    assert "detect-faces" in capsys.readouterr().err
