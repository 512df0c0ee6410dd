"""`fercli people` through `main`: what it prints, its exit codes, and that an export shows the corrections."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from fercli.cli.entry import main
from fercli.edits.editing import rename_unseen
from fercli.edits.log import read_log
from fercli.results.load import load
from fercli.workspace import Workspace
from tests.edits.film import best_face, make_film
from tests.test_contracts import NETWORKS_AND_DECODERS, imported_by


@pytest.fixture
def film(tmp_path: Path) -> Workspace:
    return make_film(tmp_path / "film.fercli")


def names_in(table: str) -> list[str]:
    return [line.split("  ")[0] for line in table.splitlines()[1:]]


def test_the_word_list_may_be_left_out(film: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["people", "list", str(film.path)]) == 0
    spelled_out = capsys.readouterr()
    assert main(["people", str(film.path)]) == 0
    assert capsys.readouterr() == spelled_out
    assert names_in(spelled_out.out) == ["Person 1", "Person 2", "Person 3", "Unassigned"]
    assert "0:00.2 in track 0" in spelled_out.out and "0.57" in spelled_out.out
    assert spelled_out.err == f"next: fercli export {film.path} -o annotations.json\n"


@pytest.mark.parametrize(("columns", "left_out"), [(80, "by hand"), (60, "by hand, shots, best face"), (120, "")])
def test_a_narrow_terminal_goes_without_some_columns_and_breaks_no_word(
    film: Workspace,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    columns: int,
    left_out: str,
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    assert main(["people", str(film.path)]) == 0
    captured = capsys.readouterr()
    shown = re.sub(r"\x1b\[[\d;]*m", "", captured.out)
    assert names_in(shown) == ["Person 1", "Person 2", "Person 3", "Unassigned"]
    assert max(map(len, shown.splitlines())) <= columns
    assert ("no room for" in captured.err) == bool(left_out) and left_out in captured.err
    assert not any(heading in shown for heading in left_out.split(", ") if heading)


def test_quiet_is_only_the_table(film: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["list"], ["rename", "Person 1", "Zoe"], ["merge", "Person 2", "Person 3"], ["ignore", "Zoe"]):
        assert main(["people", command[0], str(film.path), *command[1:], "-q"]) == 0
        captured = capsys.readouterr()
        assert captured.err == "" and "Unassigned" in captured.out


def test_json_is_only_data(film: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    rename_unseen(film, "Person 9", "Ross")
    assert main(["people", str(film.path), "--json"]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert [person["name"] for person in document["persons"]] == ["Person 1", "Person 2", "Person 3"]
    assert document["unassigned"]["tracks"] == [4]
    problem = "edits.jsonl:1: not applied: there is no 'Person 9'"
    assert document["problems"] == [problem] and f"warning: {problem}" in captured.err


def test_every_command_shows_who_is_there_now(film: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    steps = [
        (["rename", "Person 1", "[b]Zoë"], ["[b]Zoë", "Person 2", "Person 3", "Unassigned"]),
        (["merge", "Person 3", "Person 2"], ["[b]Zoë", "Person 2", "Unassigned"]),
        (["split", "Person 2", "--tracks", "3", "--name", "Ross"], ["[b]Zoë", "Person 2", "Ross", "Unassigned"]),
        (["split", "[b]Zoë", "--tracks", "2"], ["Person 4", "Person 2", "Ross", "[b]Zoë", "Unassigned"]),
        (["ignore", "Person 4"], ["Person 2", "Ross", "[b]Zoë", "Unassigned", "Person 4 (ignored)"]),
        (["restore", "Person 4"], ["Person 4", "Person 2", "Ross", "[b]Zoë", "Unassigned"]),
    ]
    for (command, *arguments), names in steps:
        assert main(["people", command, str(film.path), *arguments]) == 0
        captured = capsys.readouterr()
        assert names_in(captured.out) == names, command
        assert captured.err.splitlines()[-1].startswith("next: fercli export")


def test_several_are_merged_into_the_last(film: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["people", "merge", str(film.path), "Person 2", "Person 3", "Person 1"]) == 2
    assert "visible in one frame" in capsys.readouterr().err
    assert main(["people", "merge", str(film.path), "Person 2", "Person 3", "Person 1", "--force"]) == 0
    assert names_in(capsys.readouterr().out) == ["Person 1", "Unassigned"]


def test_a_name_no_person_has_lists_those_there_are(film: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["people", "rename", str(film.path), "Ross", "Joey"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert (
        captured.err == "error[person-unknown]: there is no person 'Ross'\nhint: known: Person 1, Person 2, Person 3\n"
    )


def test_a_name_that_is_taken_leads_to_merge(film: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["people", "rename", str(film.path), "Person 3", "Person 1"]) == 2
    assert f"fercli people merge {film.path} 'Person 3' 'Person 1'" in capsys.readouterr().err


def test_tracks_that_are_no_numbers(film: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["people", "split", str(film.path), "Person 1", "--tracks", "2;3"]) == 2
    assert "--tracks '2;3'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", [["list"], ["list", "--json"], ["rename", "Person 1", "Ross"], ["ignore", "Person 1"]], ids=" ".join
)
def test_a_damaged_line_is_named_and_nothing_is_lost(
    film: Workspace, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    film.edits.write_text("# mine\n")
    assert main(["people", command[0], str(film.path), *command[1:]]) == 0
    captured = capsys.readouterr()
    assert "Person 3" in captured.out and "warning: edits.jsonl:1: it is not JSON" in captured.err
    assert film.edits.read_text().startswith("# mine\n")


def test_all_whom_is_unknown_are_left_out_in_one_go(film: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["people", "ignore", str(film.path), "Unassigned", "--by", "annotator-2"]) == 0
    assert names_in(capsys.readouterr().out)[-1] == "Unassigned (ignored)"
    assert load(film).unassigned is None
    assert read_log(film).edits[0].by == "annotator-2"


def test_while_another_process_works_nothing_is_changed(film: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    with film.lock():
        assert main(["people", "rename", str(film.path), "Person 1", "Ross"]) == 4
        assert "another fercli process" in capsys.readouterr().err
        assert not film.edits.exists()
        assert main(["people", str(film.path)]) == 0


def test_before_track_ran(film: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    (film.path / "tracks" / "receipt.json").unlink()
    assert main(["people", str(film.path)]) == 4
    assert f"run: fercli track {film.path}" in capsys.readouterr().err


def test_no_workspace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["people", str(tmp_path / "nothing.fercli")]) == 3
    assert "no workspace at" in capsys.readouterr().err


def test_contact_sheets_are_written_where_asked(
    film: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("sheet.png", "sheet.html"):
        assert main(["people", str(film.path), "--contact-sheet", str(tmp_path / name)]) == 0
        assert f"contact sheet: {tmp_path / name}" in capsys.readouterr().err
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")
    assert "<!doctype html>" in (tmp_path / "sheet.html").read_text()
    assert main(["people", str(film.path), "--contact-sheet", str(tmp_path / "sheet.gif")]) == 2


def test_what_is_exported_follows(film: Workspace) -> None:
    assert main(["people", "rename", str(film.path), "Person 1", "Ross"]) == 0
    assert main(["people", "ignore", str(film.path), "Person 2"]) == 0
    assert [person.name for person in load(film).persons] == ["Ross", "Person 3"]


@pytest.mark.parametrize("command", [["list"], ["rename", "Person 1", "Ross"], ["merge", "Person 3", "Person 2"]])
def test_no_network_is_imported(film: Workspace, command: list[str]) -> None:
    argv = ["people", command[0], str(film.path), *command[1:]]
    code = f"from fercli.cli.entry import main; assert main({argv!r}) == 0"
    assert imported_by(code, NETWORKS_AND_DECODERS) == set()


def test_json_says_it_in_numbers(film: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["people", str(film.path), "--json"]) == 0
    (one,) = [person for person in json.loads(capsys.readouterr().out)["persons"] if person["name"] == "Person 1"]
    assert one == {
        "name": "Person 1",
        "ignored": False,
        "screen_time_s": 3.0,
        "shots": 2,
        "tracks": [0, 2],
        "identity": 0.567,
        "doubtful": [2],
        "by_hand": False,
        "best_face": {"face": best_face(0), "track": 0, "seconds": 0.2, "x": 140, "y": 100},
    }
