"""What every test may ask for."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import hypothesis
import jsonschema
import pytest

from fercli import writing
from fercli.formats import json_records
from fercli.results.model import Result

ROOT = Path(__file__).resolve().parents[1]
SCHEMA = json.loads(Path(json_records.__file__).with_name("annotations.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

# No test is timed: on a busy machine the first example of a property can take longer than the default allows.
hypothesis.settings.register_profile("fercli", deadline=None)
hypothesis.settings.load_profile("fercli")


@pytest.fixture(autouse=True)
def documents_follow_the_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every JSON document that a test exports in its own process is checked against the published schema."""
    write = json_records.write_document

    def write_and_check(result: Result, path: Path) -> None:
        write(result, path)
        VALIDATOR.validate(json.loads(path.read_text(encoding="utf-8")))

    monkeypatch.setattr(json_records, "write_document", write_and_check)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The directory of real clips and pictures that may lie beside the checkout; without it the test is skipped."""
    path = ROOT.parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip("no ../shared/data beside the checkout: real clips and pictures are not at hand")
    return path


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """A file that stands for a video where none is decoded."""
    path = tmp_path / "episode.mp4"
    path.write_bytes(b"\x01 video")
    return path


@pytest.fixture
def fill_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Once called, only half of what is written to a new file fits on the disk."""

    def half_of_it(file: int, content: bytes) -> None:
        os.write(file, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    return lambda: monkeypatch.setattr(writing, "_fill", half_of_it)
