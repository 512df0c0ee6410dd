"""Every JSON document that these tests export is checked against the published schema."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from fercli.formats import json_records
from fercli.results.model import Result

SCHEMA = json.loads(Path(json_records.__file__).with_name("annotations.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


@pytest.fixture(autouse=True)
def documents_follow_the_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    write = json_records.write_document

    def write_and_check(result: Result, path: Path) -> None:
        write(result, path)
        VALIDATOR.validate(json.loads(path.read_text(encoding="utf-8")))

    monkeypatch.setattr(json_records, "write_document", write_and_check)
