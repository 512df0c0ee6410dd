"""`fercli show` of hand-made workspaces."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from fercli import tables
from fercli.cli.app import main
from tests.people.film import make_film as make_short_film
from tests.report.film import make_film
from tests.workspaces import segments_table


def test_json_has_everything_that_the_text_has(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film = str(make_film(tmp_path / "film.fercli").path)
    assert main(["show", film]) == 0
    text = capsys.readouterr().out
    assert main(["show", film, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    for person in [*document["persons"], document["unassigned"]]:
        assert f"{person['name']}  " in text and f"{person['screen_time_s']:.1f} s" in text
    assert document["unassigned"]["name"] == "Unassigned"


def test_json_says_where_nobody_is_unassigned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = make_short_film(tmp_path / "film.fercli")
    people = tables.read_table(workspace.table("people")).to_pylist()
    people[-1]["person"] = "Person 4"
    tables.write_table(workspace.table("people"), [pa.Table.from_pylist(people, schema=tables.PEOPLE)], tables.PEOPLE)
    assert main(["show", str(workspace.path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["unassigned"] is None


def test_a_segment_of_no_length(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = make_short_film(tmp_path / "film.fercli")
    moment = segments_table([(1, 0.5, 0.5, "happiness", 0.8, "", 1)])
    tables.write_table(workspace.table("segments"), [moment], tables.SEGMENTS)
    assert main(["show", str(workspace.path)]) == 0
    assert "happy 0 %" in capsys.readouterr().out
