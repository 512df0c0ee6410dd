"""README.md stays true: its commands run, print what it shows, and its tables are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fercli.cli.app import app
from fercli.cli.entry import main
from fercli.errors import EXIT_FOUND, EXIT_INTERNAL, EXIT_INTERRUPTED, EXIT_READER_GONE, FercliError
from tests.readme import FORMATS_PAGE, README, formats_page, render, schemas

NUMBER = re.compile(r"\d+(?:\.\d+)?")


def numbers(text: str) -> list[float]:
    return [float(number) for number in NUMBER.findall(text)]


@pytest.mark.slow
def test_what_it_shows_is_what_happens(tmp_path: Path) -> None:
    """Words must agree exactly; measured numbers may differ a little between processors."""
    written = README.read_text(encoding="utf-8")
    same_but_for_numbers(written, render(written, tmp_path))
    demo = tmp_path / "demo"
    same_but_for_numbers(FORMATS_PAGE.read_text(encoding="utf-8"), formats_page(demo / "sample.fercli", demo))


def same_but_for_numbers(written: str, rendered: str) -> None:
    for old, new in zip(written.splitlines(), rendered.splitlines(), strict=True):
        if "sha256" in old or old.endswith(" ..."):  # the video's bytes depend on the encoder, a cut on the line
            continue
        assert NUMBER.sub("#", old) == NUMBER.sub("#", new)
        for was, now in zip(numbers(old), numbers(new), strict=True):
            assert now == pytest.approx(was, rel=0.05, abs=3), f"{old!r} became {new!r}"


def test_schemas_are_those_of_the_code() -> None:
    assert schemas() in README.read_text(encoding="utf-8")


def test_every_command_it_names_exists(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])
    help_text = capsys.readouterr().out
    named = set(re.findall(r"^(?:\$ )?fercli ([a-z-]+)", README.read_text(encoding="utf-8"), re.MULTILINE))
    assert len(named) >= 9
    assert [name for name in named if f" {name} " not in help_text] == []
    commands = {
        command.name or getattr(command.callback, "__name__", "").replace("_", "-")
        for command in app.registered_commands
    }
    assert commands - named - {"doctor"} == set()


def test_every_exit_code_is_in_the_table() -> None:
    text = README.read_text(encoding="utf-8")
    codes = {cls.exit_code for cls in FercliError.__subclasses__()} | {0, EXIT_FOUND, EXIT_INTERNAL, EXIT_INTERRUPTED}
    codes.add(EXIT_READER_GONE)
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)} == codes


def test_commands_of_the_makefile_are_named_first() -> None:
    first_screen = "\n".join(README.read_text(encoding="utf-8").splitlines()[:25])
    assert "make demo" in first_screen and "make test" in first_screen
