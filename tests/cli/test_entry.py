"""Where the program starts and ends: Ctrl-C in the first moment, and a stdout that cannot be written."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from fercli.cli.entry import main
from fercli.errors import EXIT_READER_GONE
from tests.views.report.film import make_film

REPOSITORY = Path(__file__).parent.parent.parent
FERCLI = f"{shlex.quote(sys.executable)} -m fercli.cli.entry"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = make_film(tmp_path_factory.mktemp("entry") / "film.fercli").path
    # More than a pipe holds.
    assert main(["people", "rename", str(path), "Person 2", "R" * 200_000, "-q"]) == 0
    return shlex.quote(str(path))


def shell(line: str) -> tuple[int, str, str]:
    """Exit code (of any part of a pipe), stdout and stderr of a line for bash."""
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("command", ["show", "show --json", "people", "status"])
def test_a_full_disk_behind_stdout(film: str, command: str) -> None:
    name, _, options = command.partition(" ")
    code, _, err = shell(f"{FERCLI} {name} {film} {options} >/dev/full")
    assert code == 4
    assert "error[stdout-unwritable]: cannot write to stdout: No space left on device\nhint: " in err
    assert "Traceback" not in err and "Exception ignored" not in err


@pytest.mark.parametrize("command", ["show", "people --json"])
def test_a_closed_stdout(film: str, command: str) -> None:
    name, _, options = command.partition(" ")
    code, _, err = shell(f"{FERCLI} {name} {film} {options} >&-")
    assert code == 4 and "error[stdout-unwritable]: cannot write to stdout: it is closed\n" in err


def test_a_closed_stdout_is_no_matter_where_nothing_is_printed(film: str, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    code, _, err = shell(f"{FERCLI} report {film} -o {shlex.quote(str(out))} -q >&- 2>&-")
    assert (code, err) == (0, "") and out.read_bytes().startswith(b"<!doctype html>")


@pytest.mark.parametrize("command", ["show", "show --json", "people --json"])
def test_a_reader_that_has_had_enough(film: str, command: str) -> None:
    name, _, options = command.partition(" ")
    code, out, err = shell(f"{FERCLI} {name} {film} {options} | head -c 10")
    assert (code, len(out)) == (EXIT_READER_GONE, 10)
    assert err == ""


def test_what_was_printed_before_an_error_is_there(film: str) -> None:
    code = (
        "from fercli.cli import doctor, entry\n"
        "from fercli.errors import InputError\n"
        "def broken(name):\n"
        "    print('so far')\n"
        "    raise InputError('oh')\n"
        "doctor.model_state = broken\n"
        "raise SystemExit(entry.main(['models']))\n"
    )
    assert shell(f"{shlex.quote(sys.executable)} -c {shlex.quote(code)} | cat") == (
        3,
        "so far\n",
        "error[input-unusable]: oh\n",
    )


def test_ctrl_c_while_the_program_loads() -> None:
    code = (
        "import sys\n"
        "from fercli.cli.entry import main\n"
        "assert not {'typer', 'rich', 'numpy', 'pyarrow'} & set(sys.modules), 'Ctrl-C would not be heard in them'\n"
        "class CtrlC:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'typer': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, CtrlC())\n"
        "sys.exit(main(['models']))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert done.stderr.startswith("interrupted: ") and "Traceback" not in done.stderr


def test_stdout_is_given_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as own:
        monkeypatch.setattr(sys, "stdout", own)
        monkeypatch.setattr(sys, "__stdout__", own)
        assert main(["--version"]) == 0
        assert sys.stdout is own
        print("mine")
    assert (tmp_path / "out").read_text().splitlines()[0].startswith("fercli ")
    assert (tmp_path / "out").read_text().endswith("mine\n")


def test_the_debug_variable_shows_where_it_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(os.environ, "FERCLI_DEBUG", "1")
    assert main(["show", str(tmp_path / "none")]) == 3
    err = capsys.readouterr().err
    assert "Traceback" in err and err.index("Traceback") < err.index("error[workspace-missing]: no workspace at")
