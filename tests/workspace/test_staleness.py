"""Whether a stage is stale; and tables are only read together if they belong together."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from fercli import chain
from fercli.chain import STAGE_OF, STAGES
from fercli.cli.entry import main
from fercli.errors import MissingStage
from fercli.results.load import load, load_persons
from fercli.tables import SCHEMAS, read_table, write_table
from fercli.workspace import Workspace, require_tables
from fercli.writing import write_atomically
from tests import fake_stages
from tests.edits.film import make_film
from tests.fake_stages import facts, run_chain
from tests.workspaces import add_receipt

COMMANDS = {stage.name: stage.command for stage in STAGES}


@pytest.fixture(autouse=True)
def fake_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "STAGES", fake_stages.STAGES)


@pytest.fixture
def finished(video: Path, tmp_path: Path) -> Workspace:
    """A workspace in which all stages have run."""
    workspace = Workspace.create(tmp_path / "film 1.fercli", facts(video))
    run_chain(workspace)
    return workspace


def saw_others(workspace: Workspace, directory: str, table: str) -> None:
    """As if the stage had run before the table was made anew."""
    receipt = workspace.receipt(directory)
    assert receipt is not None and table in receipt.inputs
    old = replace(receipt, inputs={**receipt.inputs, table: "ab" * 32})
    write_atomically(workspace.path / directory / "receipt.json", json.dumps(asdict(old)).encode())


def test_what_ran_in_order_can_be_read(finished: Workspace) -> None:
    for table in STAGE_OF:
        require_tables(finished, table)


@pytest.mark.parametrize("directory", [stage.name for stage in fake_stages.STAGES])
def test_the_first_stage_that_has_not_run_is_named(finished: Workspace, directory: str) -> None:
    (finished.path / directory / "receipt.json").unlink()
    command = COMMANDS[directory]
    with pytest.raises(MissingStage, match=f"needs {command} first: it has not run yet") as caught:
        require_tables(finished, "segments", "persons")
    assert f"fercli {command} " in caught.value.hint and caught.value.hint.endswith(f"'{finished.path}'")


@pytest.mark.parametrize(
    ("directory", "table"),
    [("faces", "frames"), ("tracks", "faces"), ("persons", "tracks"), ("emotions", "faces"), ("emotions", "tracks")],
)
def test_a_stage_that_saw_other_tables_is_named(finished: Workspace, directory: str, table: str) -> None:
    saw_others(finished, directory, table)
    command = COMMANDS[directory]
    with pytest.raises(MissingStage, match=f"needs {command} first: its input {table} changed") as caught:
        load(finished)
    assert caught.value.hint == f"with the options you gave it before, run: fercli {command} '{finished.path}'"


READERS = (
    ["show"],
    ["people"],
    ["people", "rename", "Person 1", "Ross"],
    ["report", "-o", "r.html"],
    ["plot", "-o", "p.png"],
    ["explain", "-o", "e.png"],
    ["evaluate", "persons", "--truth", "truth.json"],
)


@pytest.mark.parametrize("words", READERS, ids=" ".join)
def test_no_command_reads_tracks_of_other_faces_than_there_are_now(
    tmp_path: Path, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As after `detect-faces --min-size 175` on a finished workspace: fewer faces, and tracks of those that were."""
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    Path("truth.json").write_text('{"shots": [{"start_s": 0, "end_s": 6, "person": "Ross"}]}')
    film = make_film(tmp_path / "film.fercli")
    verb = 2 if words[0] == "evaluate" or "rename" in words else 1
    argv = [*words[:verb], str(film.path), *words[verb:]]
    if words[0] not in ("report", "explain"):  # which need more tables than the film has
        assert main(argv) == 0
    later = {name: (film.path / name / "receipt.json").read_bytes() for name in ("tracks", "persons", "emotions")}
    faces, crops = (read_table(film.table(name)).slice(0, 3) for name in ("faces", "crops"))
    write_table(film.table("faces"), [faces], SCHEMAS["faces"])
    write_table(film.table("crops"), [crops], SCHEMAS["crops"])
    add_receipt(film, "faces", min_size=175)
    for name, receipt in later.items():
        write_atomically(film.path / name / "receipt.json", receipt)
    capsys.readouterr()
    assert main([*argv, "--overwrite"] if "-o" in words else argv) == 4
    assert f"run: fercli track {film.path}" in capsys.readouterr().err


def test_later_stages_do_not_matter(finished: Workspace) -> None:
    saw_others(finished, "emotions", "tracks")
    require_tables(finished, "persons")
    assert load_persons(finished)[0]
    saw_others(finished, "tracks", "faces")
    with pytest.raises(MissingStage, match="needs track first: its input faces changed"):
        load_persons(finished)
