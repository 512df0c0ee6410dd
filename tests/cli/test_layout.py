"""Tables for people: nothing in them is taken for markup, and nothing is cut off."""

from __future__ import annotations

import pytest

from fercli.cli import layout


def test_brackets_in_names_and_paths_are_text(capsys: pytest.CaptureFixture[str]) -> None:
    table = layout.table("person", numbers=("faces",))
    table.add_row("Ross [red]Geller[/red]", "3")
    console = layout.console()
    console.print(table)
    console.print("season [1]/episode.mp4")
    assert capsys.readouterr().out.splitlines() == [
        "person                  faces",
        "Ross [red]Geller[/red]      3",
        "season [1]/episode.mp4",
    ]


def test_a_line_in_a_pipe_is_not_broken(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    table = layout.table("a", "b")
    table.add_row("x" * 60, "y" * 60)
    layout.console().print(table)
    assert capsys.readouterr().out.splitlines()[1] == "x" * 60 + "  " + "y" * 60


def test_a_table_of_figures_may_ask_for_its_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "20")
    table = layout.table("class", numbers=tuple(f"figure {number}" for number in range(6)))
    table.add_row("happy", *("0.123",) * 6)
    layout.console(at_least=100).print(table)
    assert capsys.readouterr().out.splitlines()[1].split() == ["happy", *("0.123",) * 6]


@pytest.mark.parametrize(
    ("number", "plural", "shown"),
    [
        (1, "faces", "1 face"),
        (0, "faces", "0 faces"),
        (2, "shots", "2 shots"),
        (1, "frames with faces", "1 frame with faces"),
        (1, "not assessable", "1 not assessable"),
    ],
)
def test_one_is_no_plural(number: int, plural: str, shown: str) -> None:
    assert layout.counted(number, plural) == shown
