"""`fercli annotate` over many videos, with short videos in which nobody is seen."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.progress import Progress, TextColumn

from fercli.batch.events import Event
from fercli.batch.jobs import Job
from fercli.batch.outcome import DONE, Outcome
from fercli.batch.places import Place
from fercli.batch.work import Task
from fercli.cli.batch import _Bars
from fercli.cli.entry import main
from fercli.errors import EXIT_FOUND, EXIT_INTERRUPTED
from tests.media_samples import numbered_video

FPS = ["--fps", "2"]
OUTCOME = Outcome("a.mp4", DONE, 3.0, 1, 2, warnings=("dark",))


@pytest.fixture
def season(tmp_path: Path) -> Path:
    """Two videos, and one that is cut short."""
    folder = tmp_path / "season"
    folder.mkdir()
    for name in ("e1.mp4", "e2.mkv"):
        numbered_video(folder / name, 6, fps="10")
    (folder / "e3.mp4").write_bytes((folder / "e1.mp4").read_bytes()[:500])
    return folder


def outcomes(folder: Path) -> dict[str, dict[str, Any]]:
    rows = json.loads((folder / "batch.json").read_text(encoding="utf-8"))["videos"]
    return {Path(row["video"]).name: row for row in rows}


def test_a_folder_is_annotated_and_the_video_that_fails_is_named(
    season: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    command = ["annotate", str(season), "-o", str(out), "--jobs", "1", "--format", "json,eaf", *FPS]
    assert main(command) == EXIT_FOUND
    found = outcomes(out)
    assert {name: row["state"] for name, row in found.items()} == {
        "e1.mp4": "done", "e2.mkv": "done", "e3.mp4": "failed"
    }  # fmt: skip
    assert (found["e3.mp4"]["code"], found["e3.mp4"]["hint"] != "") == ("video-damaged", True)
    assert (found["e1.mp4"]["persons"], found["e1.mp4"]["segments"]) == (0, 0)
    assert json.loads((out / "e1.json").read_text())["segments"] == [] and (out / "e2.eaf").is_file()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "error[video-damaged]" in captured.err and "2 of 3 videos done" in captured.err

    (season / "e3.mp4").write_bytes((season / "e1.mp4").read_bytes())
    assert main(command) == 0
    again = outcomes(out)
    assert [again[name]["seconds"] == 0.0 for name in sorted(again)] == [True, True, False]
    assert {row["state"] for row in again.values()} == {"done"}
    assert "up to date" in capsys.readouterr().err


def test_an_address_gets_the_outputs_and_the_folder_of_workdir_the_workspaces(season: Path, tmp_path: Path) -> None:
    there, local = tmp_path / "there", tmp_path / "local"
    command = ["annotate", str(season / "e1.mp4"), "-o", f"file://{there}/", "--workdir", str(local), *FPS]
    assert main(command) == 0
    assert sorted(file.name for file in there.iterdir()) == ["batch.csv", "batch.json", "e1.json"]
    assert outcomes(there)["e1.mp4"]["outputs"] == [f"file://{there}/e1.json"]
    assert (local / "e1.fercli").is_dir() and (local / "e1.json").read_bytes() == (there / "e1.json").read_bytes()
    assert main(command) == 0 and outcomes(there)["e1.mp4"]["seconds"] == 0.0


def test_an_address_of_a_file_is_refused(season: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["annotate", str(season / "e1.mp4"), "-o", "memory://season/e1.json"]) == 2
    assert "error[output-is-no-folder]" in capsys.readouterr().err


def test_with_quiet_only_failures_are_reported(
    season: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["annotate", str(season / "e1.mp4"), str(season / "e3.mp4"), "-o", str(tmp_path / "out"), "-q", *FPS]
    assert main([*command, "--jobs", "1"]) == EXIT_FOUND
    lines = capsys.readouterr().err.splitlines()
    assert any("e3.mp4" in line for line in lines) and not any("e1.mp4" in line for line in lines)


def test_a_file_that_fercli_did_not_write_fails_its_video_alone(season: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "e1.json").write_text("mine")
    command = ["annotate", str(season / "e1.mp4"), str(season / "e2.mkv"), "-o", str(out), "--jobs", "1", *FPS]
    assert main(command) == EXIT_FOUND
    assert {name: row["code"] for name, row in outcomes(out).items()} == {"e1.mp4": "output-exists", "e2.mkv": ""}
    assert (out / "e1.json").read_text() == "mine"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["-o", "out.json"], "output-is-no-folder"),
        (["--workdir", "w"], "option-conflict"),
        (["--format", "eaf,json,nonsense"], "name-unknown"),
        (["--format", "json,whisperless"], "name-unknown"),
        (["--stride", "0"], "option-out-of-range"),
    ],
)
def test_what_cannot_be_used_is_refused_before_any_work(
    season: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    code: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["annotate", str(season), "--jobs", "1", *options]) == 2
    assert f"error[{code}]" in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.fercli"))


def test_several_formats_of_one_video_need_a_folder(
    season: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["annotate", str(season / "e1.mp4"), "--format", "json,eaf", *FPS, "-o"]
    assert main([*command, str(tmp_path / "x.json")]) == 2
    assert "error[output-is-no-folder]" in capsys.readouterr().err
    assert main([*command, str(tmp_path / "out") + "/"]) == 0
    assert sorted(file.suffix for file in (tmp_path / "out").iterdir() if file.is_file()) == [".eaf", ".json"]


def started(arguments: list[str]) -> subprocess.Popen[bytes]:
    """fercli in a process group of its own, which Ctrl-C reaches as from a terminal."""
    code = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); " + (
        "from fercli.cli.entry import main; sys.exit(main(sys.argv[1:]))"
    )
    return subprocess.Popen([sys.executable, "-c", code, *arguments], start_new_session=True)


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, EXIT_INTERRUPTED), (signal.SIGKILL, -signal.SIGKILL)])
def test_an_interrupted_run_leaves_no_process_and_goes_on_the_next_time(
    tmp_path: Path, how: signal.Signals, code: int
) -> None:
    season, out = tmp_path / "season", tmp_path / "out"
    season.mkdir()
    for number in range(6):
        numbered_video(season / f"e{number}.mp4", 40 + number, fps="10")
    command = ["annotate", str(season), "-o", str(out), "--jobs", "2"]
    process = started(command)
    wait_until(lambda: any(out.glob("*/faces.partial")) or any(out.glob("*.json")))
    if how == signal.SIGINT:
        os.killpg(process.pid, how)
    else:
        process.kill()
    assert process.wait(60) == code
    wait_until(lambda: not _alive_in(process.pid))
    assert main([*command, "-q"]) == 0
    assert {row["state"] for row in outcomes(out).values()} == {"done"} and len(outcomes(out)) == 6


def _alive_in(session: int) -> list[str]:
    """Processes of a session that still run."""
    listed = subprocess.run(["ps", "-o", "pid=,stat=", "-s", str(session)], capture_output=True, text=True, check=False)
    return [line for line in listed.stdout.splitlines() if " Z" not in line]


def test_a_terminal_shows_a_bar_for_the_whole_and_one_for_each_running_video() -> None:
    stream = io.StringIO()
    progress = Progress(
        TextColumn("{task.description}|{task.fields[text]}"),
        console=Console(file=stream, highlight=False),
    )
    bars = _Bars(progress, 2, {0: "a.mp4", 1: "b.mp4"})
    bars.event(Event(0, "progress", "extract-frames", 5, 10, "frame"))
    bars.event(Event(1, "progress", "detect-faces", 3, None, "frame"))
    texts = {task.description: task.fields["text"] for task in progress.tasks}
    assert texts == {
        "all videos": "0 of 2", "a.mp4": "extract-frames: 5 of 10 frames", "b.mp4": "detect-faces: 3 frames"
    }  # fmt: skip
    done = {task.description: task.completed for task in progress.tasks}
    assert 0 < done["all videos"] < 1
    bars.ended(Task(0, Job(Path("a.mp4"), Path("a.mp4")), Place(Path("a.fercli"), Path("a"))), OUTCOME)
    assert [task.description for task in progress.tasks] == ["all videos", "b.mp4"]
    assert progress.tasks[0].fields["text"] == "1 of 2"
    shown = stream.getvalue()
    assert "warning: a.mp4: dark" in shown and "a.mp4: 1 person, 2 segments, 3.0 s" in shown
