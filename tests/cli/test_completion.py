"""Completion in a shell: what the installed script offers."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of a shell that finds `fercli`."""
    program = tmp_path_factory.mktemp("bin") / "fercli"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m fercli.cli.entry "$@"\n')
    program.chmod(0o755)
    own = {
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1",
    }
    return {**os.environ, **own}


def offered(environment: dict[str, str], *words: str) -> list[str]:
    """What bash offers for the last word, by the script that --show-completion prints."""
    line = " ".join(map(shlex.quote, ("fercli", *words)))
    script = (
        'eval "$(fercli --show-completion bash)"\n'
        f"COMP_WORDS=({line}); COMP_CWORD={len(words)}\n"
        '_fercli_completion fercli\nprintf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["detect-f"], ["detect-faces"]),
        (["people", "re"], ["rename", "restore"]),
        (["detect-faces", "episode.fercli", "--min-s"], ["--min-score", "--min-size"]),
        (["annotate", "--fps", "5", "--fps", "6", "episode.mp4", "--galler"], ["--gallery"]),
        (["people", "episode.fercli", "--contact"], ["--contact-sheet"]),
        (["evaluate", "episode.json", "--trut"], ["--truth"]),
    ],
)
def test_bash_completes_commands_and_options(environment: dict[str, str], words: list[str], found: list[str]) -> None:
    assert offered(environment, *words) == found


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_every_shell_is_printed(environment: dict[str, str], shell: str) -> None:
    command = ["fercli", "--show-completion", shell]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert f"_FERCLI_COMPLETE=complete_{shell}" in done.stdout and done.stderr == ""


def test_installing_writes_the_file_that_the_shell_reads(environment: dict[str, str], tmp_path: Path) -> None:
    home = {**environment, "HOME": str(tmp_path)}
    command = ["fercli", "--install-completion", "bash"]
    subprocess.run(command, env=home, capture_output=True, check=True)
    (script,) = tmp_path.rglob("fercli.sh")
    assert str(script) in (tmp_path / ".bashrc").read_text() and "complete_bash" in script.read_text()


def test_completing_imports_nothing_heavy() -> None:
    code = (
        "import sys; from fercli.cli.entry import main; main([]); "
        "print(*({'torch', 'numpy', 'pyarrow', 'cv2', 'rich.console'} & set(sys.modules)), file=sys.stderr)"
    )
    environment = {**os.environ, "_FERCLI_COMPLETE": "complete_bash", "COMP_WORDS": "fercli tr", "COMP_CWORD": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert (done.stdout.split(), done.stderr.strip()) == (["track", "transcribe", "train"], "")
