"""Tables are only read together if they belong together."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from fercli import chain
from fercli.chain import STAGE_OF, STAGES
from fercli.errors import MissingStage
from fercli.required import require_tables
from fercli.results.load import load, load_persons
from fercli.workspace import Workspace
from fercli.writing import write_atomically
from tests import fake_stages
from tests.fake_stages import facts, run_chain

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


@pytest.mark.parametrize("directory", list(COMMANDS))
def test_the_first_stage_that_has_not_run_is_named(finished: Workspace, directory: str) -> None:
    (finished.path / directory / "receipt.json").unlink()
    command = COMMANDS[directory]
    with pytest.raises(MissingStage, match=f"{command} has not run yet") as caught:
        require_tables(finished, "segments")
    assert f"fercli {command} " in caught.value.hint and caught.value.hint.endswith(f"'{finished.path}'")


@pytest.mark.parametrize(
    ("directory", "table"),
    [("faces", "frames"), ("tracks", "faces"), ("emotions", "faces"), ("emotions", "tracks")],
)
def test_a_stage_that_saw_other_tables_is_named(finished: Workspace, directory: str, table: str) -> None:
    saw_others(finished, directory, table)
    command = COMMANDS[directory]
    with pytest.raises(MissingStage, match=f"the {table} are not those that {command} saw") as caught:
        load(finished)
    assert caught.value.hint == f"with the options you gave it before, run: fercli {command} '{finished.path}'"


def test_later_stages_do_not_matter(finished: Workspace) -> None:
    saw_others(finished, "emotions", "tracks")
    require_tables(finished, "people")
    assert load_persons(finished)[0]
    saw_others(finished, "tracks", "faces")
    with pytest.raises(MissingStage, match="not those that track saw"):
        load_persons(finished)
