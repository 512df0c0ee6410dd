"""`fercli collect` on hand-made workspaces: what the files say, and what is said of videos that are not in them."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import fercli
from fercli.cli.entry import main
from fercli.edits.editing import rename
from fercli.series.tables import KINDS
from fercli.workspace import Workspace
from tests.fake_speech import add_speech
from tests.rated import rate
from tests.series.season import make_episode, make_season, record
from tests.views.report.film import EVIL, make_film_of_nobody


def rows(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return found


def collect(*words: object) -> int:
    return main(["collect", *map(str, words)])


def test_one_file_has_the_segments_of_all_videos(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_season(tmp_path / "season")
    for suffix in ("parquet", "csv", "jsonl"):
        assert collect(tmp_path / "season", "-o", tmp_path / f"out.{suffix}") == 0
    said = capsys.readouterr().err
    assert said.count("14 rows of segments") == 3 and "--table persons" in said and "warning" not in said
    found = rows(tmp_path / "out.parquet")
    assert Counter(row["video"] for row in found) == {"e01.mp4": 7, "e02.mp4": 7}
    assert [*found[0]][:3] == ["video", "workspace", "person_in_series"]
    single = fercli.open(tmp_path / "season" / "e02.fercli").to_arrow("segments").drop(["video"]).to_pylist()
    assert [{k: v for k, v in row.items() if k in single[0]} for row in found[7:]] == single
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        cells = list(csv.DictReader(file))
    for row, line, cell in zip(found, lines, cells, strict=True):
        assert line == {**row, "score": line["score"], "identity": line["identity"]}
        assert line["score"] == (row["score"] and round(row["score"], 4))
        assert (cell["video"], cell["class"], float(cell["end"])) == (row["video"], row["class"], row["end"])


@pytest.mark.parametrize("output", ["out/", "out.duckdb"])
def test_a_folder_or_a_database_has_all_tables(tmp_path: Path, output: str) -> None:
    make_season(tmp_path / "season")
    for name in ("e01", "e02"):
        add_speech(
            Workspace.open(tmp_path / "season" / f"{name}.fercli"), [(6.0, 7.0, "Hello there."), (8.0, 9.0, "Hi.")]
        )
    assert collect(tmp_path / "season", "-o", f"{tmp_path}/{output}", "--table", "all") == 0
    if output.endswith("/"):
        tables = {path.stem: pq.read_table(path) for path in (tmp_path / "out").iterdir()}
    else:
        duckdb = pytest.importorskip("duckdb")
        with duckdb.connect(str(tmp_path / output), read_only=True) as database:
            tables = {name: database.table(name).to_arrow_table() for name in KINDS}
            described = database.sql("select column_name, comment from duckdb_columns() where table_name = 'segments'")
            assert dict(described.fetchall())["end"] == "end (exclusive), seconds"
    assert set(tables) == set(KINDS)
    for name, kind in KINDS.items():
        assert tables[name].column_names == kind.schema.names, name
        assert set(tables[name]["workspace"].to_pylist()) == {"e01.fercli", "e02.fercli"}
    single = fercli.open(tmp_path / "season" / "e01.fercli")
    for name in ("persons", "tracks", "windows", "faces", "signals", "utterances", "words"):
        own = single.to_arrow(name).drop(["video"])
        mine = tables[name].slice(0, own.num_rows).select(own.column_names)
        assert mine.to_pylist() == own.to_pylist(), name
        assert tables[name].num_rows == 2 * own.num_rows
    assert tables["faces"]["contemptuous"].null_count == tables["faces"].num_rows  # no class of this network


def test_the_usual_tables_are_those_without_a_row_a_face(tmp_path: Path) -> None:
    make_season(tmp_path / "season")
    assert collect(tmp_path / "season", "-o", f"{tmp_path}/out/", "-q") == 0
    assert {path.stem for path in (tmp_path / "out").iterdir()} == {
        "videos",
        "persons",
        "segments",
        "signals",
        "utterances",
    }
    video = rows(tmp_path / "out" / "videos.parquet")[1]
    assert (video["video"], video["cast"], video["sha256"]) == ("e02.mp4", "show.cast", "e02")
    assert (video["duration_s"], video["analysed_from_s"], video["analysed_to_s"]) == (9.0, 5.0, 14.0)
    assert (video["persons"], video["segments"]) == (2, 5)
    assert "tsm-resnet18" in json.loads(video["provenance"])["models"]


def test_without_a_cast_a_number_is_not_one_person_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspaces = make_season(tmp_path / "season", cast="")
    output = tmp_path / "persons.parquet"
    assert collect(tmp_path / "season", "-o", output, "--table", "persons", "-q") == 0
    assert "2 persons have a number of one video" in capsys.readouterr().err
    found = {(row["person"], row["person_in_series"]) for row in rows(output)}
    assert ("Person 2", "e01: Person 2") in found and ("Person 2", "e02: Person 2") in found
    assert ("Unassigned", None) in found and (EVIL, EVIL) in found
    assert "person_in_series" in json.loads(pq.read_schema(output).metadata[b"fercli"])["about"]
    for workspace in workspaces:
        rename(workspace, "Person 2", "Zoe", by="me")
    assert collect(tmp_path / "season", "-o", output, "--table", "persons", "-q", "--overwrite") == 0
    assert capsys.readouterr().err == ""
    assert {row["person_in_series"] for row in rows(output)} == {EVIL, "Zoe", None}


def test_two_videos_of_one_name_are_told_apart_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_season(tmp_path / "season", ("a/e01", "b/e01", "e02"))
    assert collect(tmp_path / "season", "-o", tmp_path / "out.parquet", "-q") == 0
    assert "2 workspaces have a video called e01.mp4" in capsys.readouterr().err
    found = {(row["video"], row["workspace"]) for row in rows(tmp_path / "out.parquet")}
    assert found == {("e01.mp4", "a/e01.fercli"), ("e01.mp4", "b/e01.fercli"), ("e02.mp4", "e02.fercli")}


def test_what_cannot_be_read_is_named_and_the_rest_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, *_ = make_season(tmp_path / "season", ("e01", "e02"))
    one.table("emotions").write_bytes(b"PAR1")  # found only when faces and windows are read
    record(tmp_path / "season", failed=["clip.mov"])
    assert collect(tmp_path / "season", "-o", f"{tmp_path}/out/", "-q") == 6
    said = capsys.readouterr().err
    assert "e01 is left out: error[table-corrupt]" in said and str(one.table("emotions")) in said
    assert "clip.mov is left out: error[not-a-video]: clip.mov is no video" in said
    for path in {*(tmp_path / "out").iterdir()} - {tmp_path / "out" / "utterances.parquet"}:  # nobody speaks
        assert {row["video"] for row in rows(path)} == {"e02.mp4"}, path


def test_a_result_of_an_earlier_run_is_said_to_be_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_season(tmp_path / "season")
    record(tmp_path / "season", failed=["e02.mp4"])
    assert collect(tmp_path / "season", "-o", tmp_path / "out.csv", "-q") == 6
    assert "e02 failed in the last run, so its result is of an earlier one" in capsys.readouterr().err
    assert "e02.mp4" in (tmp_path / "out.csv").read_text(encoding="utf-8")


def test_nothing_is_written_if_no_video_can_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (one,) = make_season(tmp_path / "season", ("e01",))
    (one.path / "workspace.json").write_text("{")
    for output in ("out.parquet", "out.duckdb", "out.csv"):
        assert collect(tmp_path / "season", "-o", tmp_path / output) == 4
        assert "error[nothing-collected]" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["season"]


def test_an_existing_file_and_one_in_a_workspace_are_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_season(tmp_path / "season")
    output = tmp_path / "out.csv"
    output.write_text("mine")
    assert collect(tmp_path / "season", "-o", output) == 2
    assert "error[output-exists]" in capsys.readouterr().err and output.read_text() == "mine"
    assert collect(tmp_path / "season", "-o", output, "--overwrite") == 0
    assert output.read_text().startswith('"video"')
    assert collect(tmp_path / "season", "-o", tmp_path / "season" / "e01.fercli" / "x.csv") == 2
    assert "error[output-unsafe]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["-o", "out.xlsx"], "suffix-unknown"),
        (["-o", "out.csv", "--table", "people"], "name-unknown"),
        (["-o", "out.csv", "--table", "persons,videos"], "option-conflict"),
        (["-o", "out.parquet", "--raw-cells"], "option-conflict"),
    ],
)
def test_options_that_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], code: str
) -> None:
    monkeypatch.chdir(tmp_path)
    make_season(Path("season"))
    assert collect("season", *words) == 2
    assert f"error[{code}]" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["season"]


def test_without_duckdb_the_hint_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("fercli.series.collect.find_spec", lambda name: None)
    make_season(tmp_path / "season")
    assert collect(tmp_path / "season", "-o", tmp_path / "out.duckdb") == 5
    said = capsys.readouterr().err
    assert "error[package-missing]" in said and "pip install 'fercli[duckdb]'" in said


def test_a_video_of_nobody_and_names_like_formulas(tmp_path: Path) -> None:
    make_film_of_nobody(tmp_path / "season" / "empty.fercli")
    rename(make_episode(tmp_path / "season", "=1+1"), "Person 2", "@me", by="x")
    output = tmp_path / "out.csv"
    assert collect(tmp_path / "season", "-o", output, "-q") == 0
    assert '"\'@me"' in output.read_text() and '"\'=1+1.mp4"' in output.read_text()
    assert collect(tmp_path / "season", "-o", output, "-q", "--raw-cells", "--overwrite") == 0
    assert '"@me"' in output.read_text() and "'@me" not in output.read_text()
    assert collect(tmp_path / "season", "-o", f"{tmp_path}/all/", "--table", "all", "-q") == 0
    assert len(rows(tmp_path / "all" / "videos.parquet")) == 2
    assert {row["workspace"] for row in rows(tmp_path / "all" / "persons.parquet")} == {"=1+1.fercli"}


def test_rows_are_written_while_videos_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So memory does not grow with the number of videos."""
    monkeypatch.setattr("fercli.series.collect._GROUP", 1)
    make_season(tmp_path / "season", ("e01", "e02", "e03"))
    assert collect(tmp_path / "season", "-o", tmp_path / "signals.parquet", "--table", "signals", "-q") == 0
    with pq.ParquetFile(tmp_path / "signals.parquet") as file:
        written = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
    assert max(written) < sum(written) / 6


def test_ratings_over_time_are_signals_and_columns_of_faces(tmp_path: Path) -> None:
    make_season(tmp_path / "season")
    rate(Workspace.open(tmp_path / "season" / "e02.fercli"))
    assert collect(tmp_path / "season", "-o", f"{tmp_path}/out/", "--table", "signals,faces") == 0
    of_signal = {(row["video"], row["signal"]) for row in rows(tmp_path / "out" / "signals.parquet")}
    assert {("e02.mp4", name) for name in ("valence", "arousal", "intensity")} <= of_signal
    assert ("e01.mp4", "valence") not in of_signal
    rated = {row["video"] for row in rows(tmp_path / "out" / "faces.parquet") if row["valence"] is not None}
    assert rated == {"e02.mp4"}


def test_a_video_with_damaged_ratings_is_left_out_before_anything_of_it_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_season(tmp_path / "season")
    for name in ("e01", "e02"):
        rate(Workspace.open(tmp_path / "season" / f"{name}.fercli"))
    damaged = Workspace.open(tmp_path / "season" / "e01.fercli").table("valence")
    content = damaged.read_bytes()
    damaged.write_bytes(content[: len(content) // 2])
    assert collect(tmp_path / "season", "-o", tmp_path / "out.parquet", "--table", "signals") in (0, 6)
    assert "e01 is left out: error[table-corrupt]" in capsys.readouterr().err
    assert {row["video"] for row in rows(tmp_path / "out.parquet")} == {"e02.mp4"}
