"""What the help lists, in which order, and that its examples are commands that can be run."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import typer

from fercli.cli.app import PANELS, app
from fercli.cli.entry import main


def commands(group: Any, *path: str) -> list[tuple[str, Any]]:
    """The words that call a command, and the command, of all commands below a group."""
    found = []
    for name, command in group.commands.items():
        inner = hasattr(command, "commands")
        found += commands(command, *path, name) if inner else [(" ".join([*path, name]), command)]
    return found


COMMANDS = dict(commands(typer.main.get_command(app)))
MAY_GO_UNNAMED = {"people list": "people", "evaluate model": "evaluate", "edits list": "edits"}


@pytest.mark.parametrize("columns", [80, 120])
def test_the_help_lists_commands_in_groups(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= columns
    headings = re.findall(r"^╭─ (.+?) ─+╮$", shown, re.MULTILINE)
    assert headings == ["Options", "Chain", "Look", "Persons", "Take away", "Learn", "Check"]
    names = re.findall(r"^│ ([a-z][a-z-]*) ", shown, re.MULTILINE)
    assert names == [name for panel in PANELS.values() for name in panel]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_that_its_parser_takes(name: str) -> None:
    examples = re.findall(r"^Example: (.+)$", COMMANDS[name].help, re.MULTILINE)
    assert len(examples) == 1
    program, *words = shlex.split(examples[0].partition(" > ")[0])
    called = next(call for call in (name, MAY_GO_UNNAMED.get(name, "")) if examples[0].startswith(f"fercli {call}"))
    assert program == "fercli" and called
    COMMANDS[name].make_context(name, words[len(called.split()) :])
