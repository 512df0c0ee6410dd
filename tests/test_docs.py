"""The pages of docs/ stay true: commands can be run and print what is shown, Python runs, and the site builds."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from fercli.cli.app import app
from tests.doc_pages import DOCS, GENERATED, ROOT, RUN, blocks, command_lines, pages, rendered
from tests.readme import README
from tests.test_readme import same_but_for_numbers

COMMANDS = [
    pytest.param(words, id=f"{page.relative_to(ROOT)}: {' '.join(words)}")
    for page in pages()
    for words in command_lines(page.read_text(encoding="utf-8"))
]


@cache
def root() -> Any:
    return typer.main.get_command(app)


def parse(words: list[str]) -> str:
    """The command that `fercli WORDS` would run. Nothing is run.

    Raises:
        Exception: an unknown command or option, a value of the wrong type, or an argument missing or too many.
    """
    command = root()
    context = command.make_context("fercli", list(words))
    while hasattr(command, "commands"):
        left = [*context._protected_args, *context.args]
        if not left and command.invoke_without_command:
            break
        name, command, rest = command.resolve_command(context, left)
        context = command.make_context(name, rest, parent=context)
    return str(context.command_path)


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_shown_is_one_that_fercli_takes(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if "--config" in words:  # the one file that is read while options are parsed
        (tmp_path / words[words.index("--config") + 1]).touch()
    assert parse(words).startswith("fercli ")


@pytest.mark.parametrize(
    "line", ["export x.fercli", "export x.fercli -o a.eaf --foo", "expot x.fercli", "train --epochs many", "show a b"]
)
def test_a_command_that_cannot_be_run_is_found(line: str) -> None:
    ((words),) = command_lines(f"```sh\nfercli {line}   # a comment\n```\n")
    with pytest.raises(Exception, match=r".+"):
        parse(words)


def test_commands_are_found_behind_others_and_over_lines() -> None:
    shell = "cd x\nfercli show a \\\n  --json | jq .\ntorchrun --no-python fercli train x\n"
    text = f"```sh\n{shell}```\n```text\nfercli no\n```"
    assert list(command_lines(text)) == [["show", "a", "--json"], ["train", "x"]]


def test_pages_with_python_are_among_those_that_are_run() -> None:
    with_python = {page for page in pages() if blocks(page.read_text(encoding="utf-8"), "python", "pycon")}
    assert with_python == {README, *(DOCS / name for name in RUN)}


@pytest.mark.slow
def test_examples_do_what_the_pages_show(tmp_path: Path) -> None:
    for page, text in rendered(tmp_path).items():
        same_but_for_numbers(page.read_text(encoding="utf-8"), text)


def test_every_page_is_in_the_menu() -> None:
    menu = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    listed = set(re.findall(r": ([\w/]+\.md)$", menu, re.MULTILINE))
    assert listed == {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")} | set(GENERATED)
    assert yaml.safe_load(menu)["theme"]["font"] is False  # or every reader's browser asks Google


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    """Strict: a link to a page or a heading that is not there ends the build."""
    for name in ("docs", "fercli", "weights"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.safetensors"))
    for name in ("mkdocs.yml", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path)
    page = tmp_path / "docs" / GENERATED[0]
    make = ["typer", "fercli.cli.app", "utils", "docs", "--name", "fercli", "--output", str(page)]
    for command in (make, ["zensical", "build", "--strict"]):
        run = [sys.executable, "-m", *command]
        done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "fercli people rename" in _words(tmp_path / "site" / "tutorial.html")
    assert "One step of the chain." in _words(tmp_path / "site" / "reference" / "python.html")


def _words(page: Path) -> str:
    return re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8"))
