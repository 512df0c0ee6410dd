"""Ratings over time in tables, for ELAN, and read from both."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from fercli.errors import DatasetError
from fercli.exports import write_export
from fercli.formats import FORMATS
from fercli.formats.ratings import NAMES, TABLE, has_ratings, read_ratings
from fercli.progress import Silent
from fercli.results.load import load
from fercli.results.model import Result
from tests.rated import UNSEEN_S, rated, smiling


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return load(rated(tmp_path_factory.mktemp("rated") / "w"))


class Told(Silent):
    """Keeps the warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, message: str) -> None:
        self.warnings.append(message)


def written(result: Result, name: str, folder: Path) -> Path:
    path = folder / f"{name}{FORMATS[name].suffix}"
    FORMATS[name].write(result, path)
    return path


def test_a_row_is_a_moment_of_a_track(tmp_path: Path, result: Result) -> None:
    with written(result, "csv-ratings", tmp_path).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 100 and list(rows[0]) == TABLE.names
    first, unseen = rows[0], rows[40]
    assert (first["object"], first["track"], float(first["seconds"]), first["source"]) == ("Ross", "0", 0.0, "derived")
    assert float(first["valence_low"]) <= float(first["valence"]) <= float(first["valence_high"])
    assert float(unseen["seconds"]) == UNSEEN_S[0] and unseen["valence"] == "" == unseen["intensity"]


def test_parquet_has_the_numbers_of_the_table(tmp_path: Path, result: Result) -> None:
    found = pq.read_table(written(result, "parquet-ratings", tmp_path))
    assert result.ratings is not None
    signals = {(one.track, one.name): one for one in result.ratings()}
    own = found.filter(np.array(found["track"].to_numpy() == 0))
    for column, values in zip(signals[0, "valence"].columns, signals[0, "valence"].values.T, strict=True):
        assert np.array_equal(own[column.name].to_numpy(), values, equal_nan=True)
    assert b"provenance" in (found.schema.metadata or {})


def test_faces_have_the_ratings_of_their_times(tmp_path: Path, result: Result) -> None:
    found = pq.read_table(written(result, "parquet-faces", tmp_path)).to_pylist()
    ross = [row for row in found if row["track"] == 0]
    assert result.ratings is not None
    valence = next(result.ratings()).values[:, 0]
    for row in ross:
        place = round(10 * row["pts_s"])
        expected = None if math.isnan(valence[place]) else pytest.approx(float(valence[place]), abs=1e-6)
        assert row["valence"] == expected
    assert {row["arousal"] is None for row in ross} == {True, False}


def test_tables_of_faces_without_ratings_are_as_before(tmp_path: Path) -> None:
    plain = load(smiling(tmp_path / "w"))
    assert "valence" not in pq.read_table(written(plain, "parquet-faces", tmp_path)).column_names
    header = written(plain, "pyfeat", tmp_path).read_text().splitlines()[0]
    assert "valence" not in header


def test_pyfeat_has_two_more_columns_behind_the_emotions(tmp_path: Path, result: Result) -> None:
    with written(result, "pyfeat", tmp_path).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = list(rows[0])
    assert names[names.index("neutral") + 1 : names.index("frame")] == ["valence", "arousal"]
    assert float(rows[-1]["valence"]) < -0.3 and float(rows[0]["valence"]) == pytest.approx(0, abs=0.1)


def test_elan_gets_columns_of_numbers_and_a_header_that_it_skips(tmp_path: Path, result: Result) -> None:
    lines = written(result, "elan-series", tmp_path).read_text(encoding="utf-8").splitlines()
    header = lines[0].split("\t")
    assert header[0] == "# seconds" and header[1:4] == [f"Ross {name}" for name in NAMES]
    rows = [line.split("\t") for line in lines[1:]]
    assert [float(row[0]) for row in rows] == pytest.approx([k / 10 for k in range(80)])
    assert all("." in row[0] and len(row) == len(header) and "" not in row for row in rows)
    assert rows[40][1:4] == ["NaN"] * 3 and rows[0][4:] == ["NaN"] * 3  # unseen, and Rachel comes later


def test_without_ratings_the_file_is_empty_and_export_says_so(tmp_path: Path) -> None:
    workspace, told = smiling(tmp_path / "w"), Told()
    write_export(workspace, ["csv-ratings", "json"], [tmp_path / "a.csv", tmp_path / "a.json"], told)
    assert (tmp_path / "a.csv").read_text().count("\n") == 1
    assert len(told.warnings) == 1 and "a.csv" in told.warnings[0] and "estimate-valence" in told.warnings[0]


@pytest.mark.parametrize("name", ["csv-ratings", "elan-series"])
def test_what_is_written_is_read(tmp_path: Path, result: Result, name: str) -> None:
    path = written(result, name, tmp_path)
    assert has_ratings(path)
    found = {(one.name, one.person): one for one in read_ratings(path)}
    assert found.keys() == {(rating, person) for rating in NAMES for person in ("Ross", "Rachel")}
    assert result.ratings is not None
    valence = next(result.ratings())
    read = found["valence", "Ross"]
    assert read.seconds == pytest.approx(valence.start_s)
    assert np.allclose(read.values, valence.values[:, 0], atol=1e-4, equal_nan=True)


def table(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_of_a_spreadsheet_is_read(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", "Time;Valence;Person\n0,5;0,25;Ross\n1,5;-1;Ross\n\n2;;Ross\n")
    assert has_ratings(path)
    (one,) = read_ratings(path)
    assert (one.name, one.person, one.seconds.tolist()) == ("valence", "Ross", [0.5, 1.5, 2.0])
    assert one.values[:2].tolist() == [0.25, -1] and math.isnan(one.values[2])


def test_tiers_of_numbers_hold_for_their_time(tmp_path: Path) -> None:
    from pympi.Elan import Eaf

    eaf = Eaf(author="me")
    eaf.remove_tier("default")
    for tier in ("valence@Ross", "Rachel arousal", "comments"):
        eaf.add_tier(tier)
    eaf.add_annotation("valence@Ross", 0, 300, "0.5")
    eaf.add_annotation("valence@Ross", 300, 500, "-0.5")
    eaf.add_annotation("Rachel arousal", 1000, 1200, "1")
    eaf.add_annotation("comments", 0, 100, "he smiles")
    eaf.to_file(str(tmp_path / "a.eaf"))
    assert has_ratings(tmp_path / "a.eaf")
    ross, rachel = read_ratings(tmp_path / "a.eaf")
    assert (ross.name, ross.person, ross.values.tolist()) == ("valence", "Ross", [0.5, 0.5, 0.5, -0.5, -0.5])
    assert (rachel.name, rachel.person, rachel.seconds.tolist()) == ("arousal", "Rachel", [1.0, 1.1])


def test_files_of_labels_are_no_ratings(tmp_path: Path, result: Result) -> None:
    assert not has_ratings(written(result, "csv", tmp_path)) and not has_ratings(written(result, "eaf", tmp_path))
    assert not has_ratings(table(tmp_path / "b.csv", "start,end,class,valence\n0,1,happy,0.5\n"))
    assert not has_ratings(tmp_path / "missing.csv")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("valence\n0.5\n", ":1: no column seconds"),
        ("seconds,anger\n0,1\n", ":1: no column valence"),
        ("seconds,valence\n0,0.5\n1,5\n", ":3: valence is 5, expected -1 to 1"),
        ("seconds,intensity\n0,-0.5\n", ":2: intensity is -0.5, expected 0 to 1"),
        ("seconds,valence\n0,high\n", ":2: 'high' is not a number"),
        ("seconds,valence\n0,inf\n", ":2: 'inf' is not finite"),
        ("seconds,valence\n,0.5\n", ":2: there is no time"),
        ("seconds,valence\n0,0.5,7\n", ":2: 3 cells, expected 2"),
        ("seconds,valence\n0,0.5\n0,0.6\n", "two values at 0 s"),
        ("seconds,valence\n", "has no ratings"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DatasetError) as caught:
        read_ratings(table(tmp_path / "a.csv", text))
    assert caught.value.code == "ratings-unusable" and said in caught.value.message and caught.value.hint


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"seconds,valence\n\xff\xfe,1\n")
    with pytest.raises(DatasetError) as caught:
        read_ratings(tmp_path / "a.csv")
    assert caught.value.code == "file-unreadable"
    with pytest.raises(DatasetError):
        read_ratings(tmp_path / "missing.csv")
