"""Names from other people's files cannot write to the terminal what they like, wherever they are shown."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fercli import tables
from fercli.cli.console import ConsoleReporter
from fercli.cli.entry import main
from fercli.cli.terminal import visible
from fercli.formats import READERS
from fercli.workspace import Workspace
from tests.edits.film import make_film
from tests.workspaces import add_receipt

EVIL = "Ro\x1b[2Js\x9b31m\u202es\u2066\x07\n\rx"
SHOWN = r"Ro\x1b[2Js\x9b31m\u202es\u2066\x07\n\rx"


def harmful(text: str) -> set[str]:
    """Characters of it that a terminal obeys."""
    return {
        c
        for c in text
        if (unicodedata.category(c) == "Cc" and c != "\n")
        or c in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    }


@pytest.fixture
def film(tmp_path: Path) -> Workspace:
    """Somebody else's workspace, in which a person has such a name."""
    workspace = make_film(tmp_path / "film.fercli")
    path = workspace.table("persons")
    table = pq.read_table(path)
    names = [EVIL if name == "Person 1" else name for name in table["person"].to_pylist()]
    pq.write_table(table.set_column(1, tables.PERSONS.field("person").remove_metadata(), pa.array(names)), path)
    add_receipt(workspace, "tracks", warnings=[f"a warning about {EVIL}"])
    return workspace


def test_each_character_is_escaped_and_letters_stay() -> None:
    assert visible(EVIL) == SHOWN
    assert visible("Zoë 李 \u200e‏ a\\b") == "Zoë 李 \u200e‏ a\\b"
    assert visible("a\nb\x1b", lines=True) == "a\nb\\x1b"


@pytest.mark.parametrize("words", [["show"], ["people"], ["status"]])
def test_names_are_shown_escaped(film: Workspace, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert main([*words, str(film.path)]) == 0
    out, err = capsys.readouterr()
    assert not harmful(out) and not harmful(err)
    if words != ["status"]:
        assert r"Ro\x1b[2Js" in out


def test_data_stays_exact(film: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(film.path), "--json"]) == 0
    assert EVIL in [person["name"] for person in json.loads(capsys.readouterr().out)["persons"]]


def test_errors_are_escaped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(tmp_path / EVIL)]) == 3
    assert main(["evaluate", str(tmp_path / "a.csv"), "--truth", str(tmp_path / f"{EVIL}.csv")]) == 3
    assert main(["people", "rename", str(make_film(tmp_path / "f").path), EVIL, "Ross"]) in (2, 3)
    assert not harmful(capsys.readouterr().err)
    assert READERS


def test_notes_warnings_and_bars_are_escaped(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    reporter = ConsoleReporter()
    reporter.note(EVIL)
    reporter.warn(EVIL)
    with reporter.task(f"read {EVIL}", 1, "face") as task:
        task.advance(1, name=EVIL)
    err = capsys.readouterr().err
    assert "\x1b[2J" not in err and "\x9b" not in err and "\u202e" not in err and "\x07" not in err
