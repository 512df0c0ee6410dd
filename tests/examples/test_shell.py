"""The shell scripts of examples/: with programs that write down how they are called, and once for real."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from examples.make_sample import make_sample
from tests.test_docs import parse

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SCRIPTS = sorted(EXAMPLES.glob("*.sh"))
NOTE = 'line=${0##*/}; for word in "$@"; do line="$line|$word"; done; echo "$line" >> "$LOG"\n'
"""A line of the log: the program and its arguments."""
SBATCH = """
while [ "${1#--}" != "$1" ]; do
  case $1 in --array=*) array=${1#--array=1-}; array=${array%%\\%*};; esac
  shift
done
if [ -n "${array:-}" ]; then
  for task in $(seq "$array"); do SLURM_JOB_ID=7 SLURM_ARRAY_TASK_ID=$task bash "$@" || true; done
  echo "7;cluster"
else
  SLURM_JOB_ID=8 bash "$@"
fi
"""
DASK = """
[ "$1" = scheduler ] || exit 0
echo '{"type": "Scheduler",' > "$3"
echo ' "address": "tcp://10.0.0.1:8786", "workers": {}}' >> "$3"
sleep 30
"""


class Shell:
    """A directory with programs of its own in front of all others."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "log"
        (folder / "bin").mkdir()
        self.program("fercli")

    def program(self, name: str, body: str = "") -> None:
        file = self.folder / "bin" / name
        file.write_text(f"#!/bin/bash\n{NOTE}{body}")
        file.chmod(0o755)

    def run(self, script: str, *words: str, **variables: str) -> int:
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "LOG": str(self.log), **variables}
        command = [str(EXAMPLES / script), *words]
        return subprocess.run(command, cwd=self.folder, env=environment, timeout=60).returncode

    def calls(self, program: str = "fercli") -> list[list[str]]:
        lines = [line.split("|") for line in self.log.read_text().splitlines()]
        return [words for name, *words in lines if name == program]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_every_script_is_one_for_the_shell_and_calls_fercli_rightly(script: Path) -> None:
    subprocess.run(["bash", "-n", str(script)], check=True)
    assert os.access(script, os.X_OK) and script.read_text().startswith("#!/bin/")
    lines = [line.strip() for line in script.read_text().splitlines()]
    calls = [line for line in lines if line.removeprefix("exec ").startswith("fercli ")]
    assert calls
    for line in calls:
        assert parse(shlex.split(line.removeprefix("exec "))[1:])


@pytest.mark.parametrize(("ends_with", "called"), [(0, 3), (6, 3), (2, 1)])
def test_a_folder_is_annotated_collected_and_reported(shell: Shell, ends_with: int, called: int) -> None:
    shell.program("fercli", f'[ "$1" != annotate ] || exit {ends_with}\nexit 6\n')
    assert shell.run("annotate_folder.sh", "my season", "out") == ends_with
    calls = shell.calls()
    assert [words[0] for words in calls] == ["annotate", "collect", "report"][:called]
    assert calls[0][:4] == ["annotate", "my season", "--recursive", "-o"] and "out/series.cast" in calls[0]


def test_an_error_of_a_table_ends_the_script(shell: Shell) -> None:
    shell.program("fercli", '[ "$1" != collect ] || exit 4\n')
    assert shell.run("annotate_folder.sh", "season") == 4
    assert len(shell.calls()) == 2


def test_an_array_has_a_job_a_video_and_then_one_for_the_persons(shell: Shell) -> None:
    shell.program("sbatch", SBATCH)
    (shell.folder / "videos.txt").write_text("/films/one.mp4\n/films/the second.mp4\n/films/three.mp4")
    assert shell.run("slurm_array.sh", "videos.txt", "out", SLURM_JOB_ID="", SLURM_ARRAY_TASK_ID="") == 0
    calls = shell.calls()
    assert [words[1] for words in calls[:3]] == ["/films/one.mp4", "/films/the second.mp4", "/films/three.mp4"]
    assert calls[3] == ["annotate", "videos.txt", "-o", "out/", "--cast", "out/series.cast"]
    assert [words[0] for words in calls[4:]] == ["collect", "report"]
    array, last = shell.calls("sbatch")
    assert "--array=1-3%32" in array and last[0] == "--dependency=afterany:7"


def test_workers_of_dask_are_started_and_stopped(shell: Shell) -> None:
    shell.program("dask", DASK)
    shell.program("srun", 'exec "$@"\n')
    shell.program("fercli", "exit 6\n")
    assert shell.run("slurm_dask.sh", "season", "out", SLURM_JOB_ID="9", SLURM_CPUS_PER_TASK="4") == 6
    (call,) = shell.calls()
    assert call[-2:] == ["--scheduler", "tcp://10.0.0.1:8786"]
    assert shell.calls("srun")[0][:4] == ["dask", "worker", "--scheduler-file", "out/scheduler-9.json"]
    assert not (shell.folder / "out" / "scheduler-9.json").exists()


@pytest.mark.slow
def test_a_folder_for_real(tmp_path: Path) -> None:
    (tmp_path / "season").mkdir()
    make_sample(tmp_path / "season" / "e01.mp4")
    (tmp_path / "season" / "e02.mp4").write_bytes(b"no video")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    script = [str(EXAMPLES / "annotate_folder.sh"), "season", "out"]
    done = subprocess.run(script, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 6, done.stderr
    made = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert {"e01.json", "e01.eaf", "e01.html", "series.html", "tables/segments.parquet", "batch.json"} <= made
    assert "e02.mp4" in (tmp_path / "out" / "series.html").read_text(encoding="utf-8")
