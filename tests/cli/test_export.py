"""What `fercli export` passes on to the formats."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from fercli.cli.entry import main
from fercli.exports import write_export
from fercli.progress import Silent
from fercli.workspace import Workspace
from tests.formats.samples import awkward


@pytest.mark.parametrize(("raw", "shown"), [(False, "'=1+1"), (True, "=1+1")])
def test_a_name_that_looks_like_a_formula_is_marked_unless_told_otherwise(
    tmp_path: Path, raw: bool, shown: str
) -> None:
    awkward(tmp_path / "w")
    assert main(["people", "rename", str(tmp_path / "w"), "Ross", "=1+1"]) == 0
    write_export(Workspace.open(tmp_path / "w"), ["csv"], [tmp_path / "a.csv"], Silent(), raw_cells=raw)
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        assert shown in {row["object"] for row in csv.DictReader(file)}
