"""`fercli import` as a person meets it: what it says, where, and how it exits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fercli.cli.entry import main
from fercli.formats.annotations import Label
from fercli.learn.evaluation.truth import read_truth
from tests.edits.by_hand import annotate
from tests.importers.films import by_hand, export, film


def test_a_correction_goes_in_and_the_next_step_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = film(tmp_path / "w")
    path = export(workspace, "eaf", tmp_path)
    text = path.read_text(encoding="utf-8").replace("Person 2", "Ross")
    path.write_text(text.replace("sad</ANNOTATION_VALUE>", "angry</ANNOTATION_VALUE>"), encoding="utf-8")
    assert main(["import", str(workspace.path), str(path)]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "renamed: Person 2 is Ross",
        "segments: 1 changed, 0 added, 0 deleted",
        f"next: fercli export {workspace.path} -o annotations.json",
    ]
    assert by_hand(workspace) == [("Person 1", "angry", 4000, 6000)]
    assert main(["import", str(workspace.path), str(path)]) == 0
    assert "no segment changed" in capsys.readouterr().err
    assert main(["import", str(workspace.path), str(path), "--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_a_file_that_cannot_be_used_exits_with_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = film(tmp_path / "w")
    path = tmp_path / "a.csv"
    path.write_text("person,start,end,class\n")
    assert main(["import", str(workspace.path), str(path)]) == 3
    err = capsys.readouterr().err
    assert f"error[would-delete-all]: {path} has no segment" in err and "hint: to delete them, use --force" in err
    assert main(["import", str(workspace.path), str(path), "--force"]) == 0
    assert "segments: 0 changed, 0 added, 4 deleted" in capsys.readouterr().err
    assert main(["import", str(workspace.path), str(tmp_path / "a.srt")]) == 3
    assert main(["import", str(tmp_path / "none"), str(path)]) == 3


def test_no_person_imports_while_a_person_works(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = film(tmp_path / "w")
    path = export(workspace, "json", tmp_path)
    with workspace.lock():
        assert main(["import", str(workspace.path), str(path)]) == 4
    assert "another fercli process" in capsys.readouterr().err


def test_corrections_are_truth_by_file_and_by_workspace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = film(tmp_path / "w")
    machine = export(workspace, "json", tmp_path)
    assert main(["evaluate", str(machine), "--truth", str(workspace.path)]) == 3
    assert f"{workspace.path} has no manual annotation" in capsys.readouterr().err
    annotate(workspace, "Person 1,0,1,sad", "Person 1,1,4,joy", "Person 1,4,6,")
    assert read_truth(workspace.path) == [
        Label(0, 1000, "sadness", "Person 1"),
        Label(1000, 4000, "happiness", "Person 1"),
    ]
    assert main(["evaluate", str(machine), "--truth", str(workspace.path), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["seconds"], figures["accuracy"]) == (4.0, 0.75)
