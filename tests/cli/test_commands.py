"""What the smaller commands print, and that stdout carries nothing but data."""

from __future__ import annotations

import io
import json
import os
import shlex
import shutil
from contextlib import redirect_stdout
from pathlib import Path

import pytest

import fercli
from fercli.cli.entry import main
from fercli.models.registry import MODELS, find_weights
from fercli.workspace import Workspace
from tests.cli.test_errors import make_video
from tests.models.tiny import write_tiny_classifier


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("film")
    video = make_video(folder / "film.mp4")
    assert main(["annotate", str(video), "-o", str(folder / "film.json"), "-q"]) == 0
    return folder / "film.fercli"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"fercli {fercli.__version__}\n"


def test_models_lists_every_network_with_its_licence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    out = capsys.readouterr().out
    for spec in MODELS.values():
        row = next(line for line in out.splitlines() if line.startswith(f"{spec.name} "))
        assert spec.task in row and spec.licence.split()[0] in row
    assert "needs a weights file" in out


def test_status_after_everything_ran(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", str(workspace)]) == 0
    out = capsys.readouterr().out
    assert out.count("fresh") == 6 and "stale" not in out


def test_quiet_annotate_says_nothing(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = workspace.parent / "film.mp4"
    assert main(["annotate", str(video), "-o", str(workspace.parent / "film.json"), "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_export_to_stdout_is_only_data(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(workspace), "-o", "-"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["video"]["name"] == "film.mp4"
    assert "export:" in captured.err
    assert main(["export", str(workspace), "-o", "-", "--format", "records"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_each_stage_names_the_next_command(workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = workspace.parent / "film.mp4"
    commands = [["extract-frames", str(video), str(tmp_path / "my film.fercli")]]
    for _ in range(5):
        assert main(commands[-1]) == 0
        hint = capsys.readouterr().err.splitlines()[-1]
        assert hint.startswith("next: fercli ")
        commands.append(shlex.split(hint.removeprefix("next: fercli ")))
    assert [command[0] for command in commands] == [
        "extract-frames",
        "detect-faces",
        "track",
        "measure-faces",
        "classify-emotions",
        "export",
    ]
    assert (tmp_path / "my film.fercli" / "frames" / "images" / "000000.jpg").exists()


def test_annotate_does_not_throw_away_images_that_were_extracted(tmp_path: Path) -> None:
    video = make_video(tmp_path / "film.mp4")
    assert main(["extract-frames", str(video), str(tmp_path / "film.fercli"), "-q"]) == 0
    assert main(["annotate", str(video), "-o", str(tmp_path / "film.json"), "-q"]) == 0
    assert len(list((tmp_path / "film.fercli" / "frames" / "images").iterdir())) == 10


def test_annotate_keeps_only_the_index_by_default(workspace: Path) -> None:
    assert sorted(path.name for path in (workspace / "frames").iterdir()) == ["frames.parquet", "receipt.json"]


def test_what_fercli_did_not_write_is_not_replaced(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "thesis.json"
    mine.write_text("all of it")
    assert main(["export", str(workspace), "-o", str(mine)]) == 2
    assert f"{mine} exists" in (err := capsys.readouterr().err) and "--overwrite" in err
    assert mine.read_text() == "all of it"
    assert main(["export", str(workspace), "-o", str(mine), "--overwrite", "-q"]) == 0
    assert json.loads(mine.read_text())["format"] == "fercli-annotations"


def test_an_export_may_be_replaced_until_a_person_changes_it(workspace: Path, tmp_path: Path) -> None:
    json_file, csv_file = tmp_path / "a.json", tmp_path / "a.csv"
    for file in (json_file, csv_file, json_file, csv_file):
        assert main(["export", str(workspace), "-o", str(file), "-q"]) == 0
    json_file.write_text(json_file.read_text() + "\n")
    assert main(["export", str(workspace), "-o", str(json_file), "-q"]) == 2


def test_a_table_goes_to_stdout_as_it_is(workspace: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["export", str(workspace), "-o", "-", "--format", "parquet", "-q"]) == 0
    out = capfdbinary.readouterr().out
    assert out.startswith(b"PAR1") and out.endswith(b"PAR1")


def test_show_prints_the_summary_again_on_stdout(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(workspace)]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("film.mp4: ") and captured.err == ""
    assert "\x1b" not in captured.out, "no colours in a pipe"
    assert main(["show", str(workspace), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["video"]["name"] == "film.mp4" and isinstance(found["persons"], list)


def test_show_says_what_has_to_run_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = make_video(tmp_path / "film.mp4")
    assert main(["extract-frames", str(video), str(tmp_path / "w"), "-q"]) == 0
    assert main(["show", str(tmp_path / "w")]) == 4
    assert f"fercli detect-faces {tmp_path / 'w'}" in capsys.readouterr().err


def test_export_to_stdout_is_utf_8_whatever_the_terminal(workspace: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(workspace, tmp_path / "w"))
    file = copy / "workspace.json"
    file.write_text(file.read_text(encoding="utf-8").replace("film.mp4", "李.mp4"), encoding="utf-8")
    printed = io.BytesIO()
    with redirect_stdout(io.TextIOWrapper(printed, encoding="latin-1")):
        assert main(["export", str(copy), "-o", "-", "-q"]) == 0
        assert json.loads(printed.getvalue())["video"]["name"] == "李.mp4"


@pytest.mark.parametrize("options", [[], ["--overwrite"]])
def test_an_export_into_a_pipe_is_refused_and_does_not_wait_for_a_reader(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    assert main(["export", str(workspace), "-o", str(tmp_path / "pipe.json"), *options]) == 2
    assert "is a pipe or a device" in (err := capsys.readouterr().err) and "-o -" in err
    assert (tmp_path / "pipe.json").is_fifo()


def test_a_workspace_that_can_only_be_read_is_read_by_all_that_read(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Path(shutil.copytree(workspace, tmp_path / "w"))
    (copy / ".lock").unlink()
    before = {path: path.stat().st_mtime_ns for path in (copy, *copy.rglob("*"))}
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode, **k: Path(path) != copy and access(path, mode, **k))
    assert main(["export", str(copy), "-o", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["video"]["name"] == "film.mp4"
    for name in ("film.csv", "film.eaf", "film.parquet"):
        assert main(["export", str(copy), "-o", str(tmp_path / name)]) == 0
        assert (tmp_path / name).stat().st_size
        assert main(["export", str(copy), "-o", str(tmp_path / name)]) == 2  # it is not known to be ours
    for command in (["show"], ["status"], ["people"], ["report", "-o", "r.html"]):
        options = [str(tmp_path / word) if "." in word else word for word in command[1:]]
        assert main([command[0], str(copy), *options]) == 0
    assert {path: path.stat().st_mtime_ns for path in (copy, *copy.rglob("*"))} == before


def test_an_export_from_a_workspace_that_can_only_be_read_needs_what_any_export_needs(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Path(shutil.copytree(workspace, tmp_path / "w"))
    (copy / "emotions" / "segments.parquet").unlink()
    monkeypatch.setattr(Workspace, "writable", False)
    assert main(["export", str(copy), "-o", "-"]) == 4


@pytest.mark.parametrize("mask", [0o022, 0])
def test_what_faces_can_be_recognised_by_is_for_the_owner_only(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        video = make_video(tmp_path / "film.mp4")
        argv = ["annotate", str(video), "-o", str(tmp_path / "film.json"), "-q"]
        assert main([*argv, "--images"]) == 0
        film = tmp_path / "film.fercli"
        assert main(["report", str(film), "-o", str(tmp_path / "r.html"), "-q"]) == 0
        for name in ("sheet.html", "sheet.png"):
            assert main(["people", str(film), "--contact-sheet", str(tmp_path / name), "-q"]) == 0
    finally:
        os.umask(before)
    modes = {path: path.stat().st_mode & 0o777 for path in tmp_path.rglob("*") if path.is_file()}
    private = {path.name for path, mode in modes.items() if mode == 0o600 and path.suffix != ".jpg"}
    assert private == {"crops.parquet", "embeddings.parquet", "meshes.parquet", "r.html", "sheet.html", "sheet.png"}
    assert all(mode == 0o600 for path, mode in modes.items() if path.suffix == ".jpg")
    public = (film / "frames" / "frames.parquet", tmp_path / "film.json", film / "workspace.json")
    assert all(modes[path] == 0o666 & ~mask for path in public)


def test_an_export_follows_a_link_and_knows_its_file_again(workspace: Path, tmp_path: Path) -> None:
    link, file = tmp_path / "latest.json", tmp_path / "files" / "film.json"
    file.parent.mkdir()
    link.symlink_to(file)
    for output in (link, file, link):
        assert main(["export", str(workspace), "-o", str(output), "-q"]) == 0
    assert link.is_symlink() and json.loads(file.read_text())["format"] == "fercli-annotations"


def test_annotations_are_named_after_the_video_and_the_format(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    annotate = ["annotate", str(workspace.parent / "film.mp4"), "--workdir", str(workspace), "-q"]
    for options in ([], ["--format", "csv"], ["--format", "textgrid"]):
        assert main([*annotate, *options]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.TextGrid", "film.csv", "film.json"]
    assert (tmp_path / "film.csv").read_text(encoding="utf-8-sig").startswith("object,class,")


def test_annotate_to_stdout_is_only_data(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    annotate = ["annotate", str(workspace.parent / "film.mp4"), "--workdir", str(workspace)]
    assert main([*annotate, "-o", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["video"]["name"] == "film.mp4"


def test_networks_given_as_files_are_known_from_everywhere(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy, mine, other = Path(shutil.copytree(workspace, tmp_path / "w")), tmp_path / "mine", tmp_path / "other"
    mine.mkdir()
    other.mkdir()
    shutil.copy(find_weights(MODELS["centerface"]) or "", mine / "detector.onnx")
    write_tiny_classifier(mine / "tiny.safetensors")
    monkeypatch.chdir(mine)
    assert main(["detect-faces", str(copy), "--detector-weights", "detector.onnx", "-q"]) == 0
    assert main(["track", str(copy), "-q"]) == 0
    assert main(["classify-emotions", str(copy), "--model", "tiny.safetensors", "-q"]) == 0
    monkeypatch.chdir(other)
    assert main(["export", str(copy), "-o", "out.json", "-q"]) == 0
    opened = Workspace.open(copy)
    params = [receipt.params for name in ("faces", "emotions") if (receipt := opened.receipt(name))]
    assert params[0]["weights"] == str(mine / "detector.onnx")
    assert params[1]["model"] == str(mine / "tiny.safetensors")
    (mine / "tiny.safetensors").write_bytes((mine / "tiny.safetensors").read_bytes() + b" ")
    assert main(["status", str(copy)]) == 0
    assert "the weights of classifier have changed" in capsys.readouterr().out
