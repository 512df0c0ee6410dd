"""The published JSON Schema: it accepts what is exported, and nothing that lacks a key or has one too many."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from fercli.cli.entry import main
from fercli.formats import FORMATS
from fercli.labels import EMOTIONS_8, RECORD_NAMES
from fercli.results.model import Result
from tests.conftest import SCHEMA, VALIDATOR
from tests.formats.samples import awkward, nobody


def document(result: Result, folder: Path) -> Any:
    FORMATS["json"].write(result, folder / "out.json")
    return json.loads((folder / "out.json").read_text(encoding="utf-8"))


def test_it_is_a_schema_and_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert main(["formats", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out) == SCHEMA


@pytest.mark.parametrize("make", [awkward, nobody])
def test_what_is_exported_follows_it(tmp_path: Path, make: Callable[[Path], Result]) -> None:
    VALIDATOR.validate(document(make(tmp_path / "w"), tmp_path))


def test_each_record_is_a_segment_of_it(tmp_path: Path) -> None:
    FORMATS["records"].write(awkward(tmp_path / "w"), tmp_path / "out.json")
    records = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    one = VALIDATOR.evolve(schema={"$defs": SCHEMA["$defs"], "$ref": "#/$defs/segment"})
    assert records and not [error for record in records for error in one.iter_errors(record)]


PLACES = {
    "the document": lambda found: found,
    "video": lambda found: found["video"],
    "a person": lambda found: found["persons"][0],
    "a segment": lambda found: found["segments"][0],
    "a gap": lambda found: found["not_assessable"][0],
    "provenance": lambda found: found["provenance"],
}


@pytest.mark.parametrize("place", PLACES)
def test_a_key_too_many_or_too_few_is_an_error(tmp_path: Path, place: str) -> None:
    found = document(awkward(tmp_path / "w"), tmp_path)
    at = PLACES[place](found)
    at["more"] = 1
    assert not VALIDATOR.is_valid(found)
    del at["more"]
    assert VALIDATOR.is_valid(found)
    del at[next(iter(at))]
    assert not VALIDATOR.is_valid(found)


def test_it_knows_the_classes_of_records_and_describes_every_key() -> None:
    records = [RECORD_NAMES[emotion] for emotion in EMOTIONS_8]
    assert SCHEMA["$defs"]["segment"]["properties"]["class"]["enum"] == records
    bare = [
        f"{name}.{key}"
        for name, part in SCHEMA["$defs"].items()
        for key, value in part.get("properties", {}).items()
        if not {"description", "$ref", "const"} & set(value)
    ]
    assert bare == []
