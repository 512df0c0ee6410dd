"""What every format owes: a file, the same each time, with everyone in it, from awkward and from empty documents."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from html import unescape
from importlib import import_module
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from fercli.errors import ConfigError
from fercli.formats import FORMATS, choose_format
from fercli.results.load import load
from fercli.results.model import Result, Speech
from fercli.workspace import Workspace
from tests.failing import fails
from tests.formats.samples import PERSONS, awkward, nobody, other_hash_seed, spoken
from tests.rated import rate

NUMBERED = ("mot",)
"""Formats that hold numbers only."""


def rated(folder: Path) -> Result:
    """`awkward` with ratings over time, which some formats are for."""
    awkward(folder)
    rate(Workspace.open(folder))
    return load(Workspace.open(folder))


def words(path: Path) -> str:
    """All letters and digits of a file, in order, without what the format escapes them with."""
    if path.suffix == ".parquet":
        return letters(str(pq.read_table(path).to_pydict()))
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        text = json.dumps(json.loads(text), ensure_ascii=False)
    return letters(unescape(text))


def letters(text: str) -> str:
    return re.sub(r"[\W_]", "", text)


def write_everything(folder: Path) -> None:
    """Both documents in every format, under the names of the formats."""
    for make in (awkward, nobody, rated):
        (folder / make.__name__).mkdir(parents=True)
        result = spoken(make(folder / f"{make.__name__}.fercli"))
        for name, exporter in FORMATS.items():
            exporter.write(result, folder / make.__name__ / f"{name}{exporter.suffix}")


@pytest.fixture(scope="module")
def written_twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Folders with everything, written by this process and by one in which sets have another order."""
    here, there = (tmp_path_factory.mktemp("exports") / name for name in ("here", "there"))
    write_everything(here)
    code = f"from pathlib import Path; from {__name__} import write_everything; write_everything(Path({str(there)!r}))"
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": other_hash_seed()}, check=True)
    return here, there


@pytest.mark.parametrize("document", ["awkward", "nobody", "rated"])
@pytest.mark.parametrize("name", FORMATS)
def test_the_same_document_is_the_same_file(written_twice: tuple[Path, Path], name: str, document: str) -> None:
    files = [folder / document / f"{name}{FORMATS[name].suffix}" for folder in written_twice]
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize("name", FORMATS)
def test_everyone_is_in_the_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"out{FORMATS[name].suffix}"
    FORMATS[name].write(spoken((rated if FORMATS[name].rated else awkward)(tmp_path / "w")), path)
    assert path.stat().st_size > 100
    if name not in NUMBERED:
        found = words(path)
        everyone = PERSONS if FORMATS[name].said else (*PERSONS, "Unassigned")
        assert [person for person in everyone if letters(person) not in found] == []


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_of_an_old_file_is_left(tmp_path: Path, name: str) -> None:
    result = replace(nobody(tmp_path / "w"), speech=Speech("", None, (), (), ()))
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_bytes(b"x" * 100_000)
    for path in (old, new):
        FORMATS[name].write(result, path)
    assert old.read_bytes() == new.read_bytes()


def test_a_format_is_described_in_a_line() -> None:
    for name, exporter in FORMATS.items():
        assert re.fullmatch(r"[a-z-]+", name)
        assert re.fullmatch(r"\.[A-Za-z]+", exporter.suffix)
        assert 0 < len(exporter.summary) <= 70 and 0 < len(exporter.lacks) <= 100
        assert "\n" not in exporter.summary + exporter.lacks


def test_every_writer_is_there() -> None:
    for exporter in FORMATS.values():
        module, function = exporter.writer.split(":")
        assert callable(getattr(import_module(f"fercli.formats.{module}"), function))


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("out.json", "json"),
        ("out.jsonl", "jsonl"),
        ("out.csv", "csv"),
        ("out.parquet", "parquet"),
        ("out.eaf", "eaf"),
        ("out.TextGrid", "textgrid"),
        ("OUT.textgrid", "textgrid"),
        ("a.b.vtt", "webvtt"),
        ("out.SRT", "srt"),
        ("out.ass", "ass"),
        ("out.rttm", "rttm"),
        ("out.txt", "audacity"),
        ("out.xml", "cvat"),
    ],
)
def test_a_suffix_means_the_first_format_that_has_it(file: str, name: str) -> None:
    assert choose_format(Path(file)) == name


def test_a_name_goes_before_the_suffix() -> None:
    assert choose_format(Path("out.json"), "coco") == "coco"
    assert choose_format(Path("out"), "mot") == "mot"


def test_an_unknown_name_lists_the_known_ones() -> None:
    with fails(ConfigError, "name-unknown", "'elan'") as caught:
        choose_format(Path("out.eaf"), "elan")
    assert all(name in caught.value.hint for name in FORMATS)


@pytest.mark.parametrize("file", ["out.docx", "out", ".json"])
def test_an_unknown_suffix_lists_the_known_ones(file: str) -> None:
    with fails(ConfigError, "suffix-unknown") as caught:
        choose_format(Path(file))
    assert all(exporter.suffix in caught.value.hint for exporter in FORMATS.values())
    assert "fercli formats" in caught.value.hint
