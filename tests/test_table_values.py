"""Values that cannot be are refused when a table is read, with the file and the column, whatever reads it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fercli import tables
from fercli.chain import STAGE_OF
from fercli.cli.entry import main
from fercli.errors import CorruptTable
from fercli.labels import EMOTIONS
from fercli.workspace import Workspace
from tests.edits.film import make_film
from tests.workspaces import add_receipt


@pytest.fixture
def film(tmp_path: Path) -> Workspace:
    return make_film(tmp_path / "film.fercli")


def spoil(workspace: Workspace, name: str, column: str, value: Any, row: int = 2) -> Path:
    """Put one value into a table, and make the receipt fit it, as in a workspace that came from elsewhere."""
    path = workspace.table(name)
    table = pq.read_table(path)
    values = table[column].to_pylist()
    values[row] = value
    field = table.schema.field(column)
    table = table.set_column(table.schema.get_field_index(column), field, pa.array(values, field.type))
    pq.write_table(table, path)
    add_receipt(workspace, STAGE_OF[name].name)
    return path


IMPOSSIBLE = [
    ("frames", "frame", 0),
    ("frames", "frame", -1),
    ("frames", "pts_s", float("nan")),
    ("frames", "pts_s", float("inf")),
    ("frames", "pts_s", 1e30),
    ("frames", "pts_s", 4.5),
    ("frames", "end_s", 0.0),
    ("frames", "shot", 7),
    ("faces", "face", 999999),
    ("faces", "face", 1),
    ("faces", "frame", 61),
    ("faces", "frame", -1),
    ("faces", "x1", float("nan")),
    ("faces", "x2", 1.0),
    ("faces", "y1", 1e30),
    ("faces", "score", 1.5),
    ("faces", "sharpness", -1.0),
    ("faces", "landmarks", [float("nan")] * 10),
    ("crops", "face", 3),
    ("tracks", "face", 999999),
    ("tracks", "face", -1),
    ("tracks", "face", 0),
    ("tracks", "track", -1),
    ("persons", "track", 1),
    ("persons", "best_face", 999999),
    ("persons", "best_face", -1),
    ("persons", "start_s", float("nan")),
    ("persons", "end_s", 2.9),
    ("persons", "faces", 0),
    ("persons", "identity", 1.5),
    ("segments", "track", 999999),
    ("segments", "face", 54),
    ("segments", "face", -1),
    ("segments", "start_s", float("nan")),
    ("segments", "end_s", float("nan")),
    ("segments", "class", "Person 999"),
    ("segments", "score", float("inf")),
]


@pytest.mark.parametrize(("name", "column", "value"), IMPOSSIBLE)
def test_an_impossible_value_names_file_and_column(film: Workspace, name: str, column: str, value: Any) -> None:
    path = spoil(film, name, column, value)
    read = tables.read_parts if name == "crops" else tables.read_table
    with pytest.raises(CorruptTable) as found:
        list(read(path, tables.SCHEMAS[name]))
    assert str(path) in found.value.message
    assert f"column {column}" in found.value.message


@pytest.mark.parametrize(
    ("name", "column", "value"),
    [
        ("frames", "pts_s", float("nan")),
        ("faces", "x1", float("nan")),
        ("tracks", "face", 999999),
        ("tracks", "face", -1),
        ("persons", "best_face", 999999),
        ("persons", "start_s", float("nan")),
        ("segments", "face", -1),
        ("segments", "end_s", float("nan")),
        ("segments", "class", "Person 999"),
    ],
)
def test_no_command_shows_it(
    film: Workspace, name: str, column: str, value: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = spoil(film, name, column, value)
    commands = [["show", film.path], ["people", film.path], ["report", film.path, "-o", tmp_path / "r.html"]]
    for words in commands:
        if (words[0], name) in (("people", "segments"), ("people", "faces")):
            continue  # it shows no segment, and only the best face of each track
        assert main([str(word) for word in words]) == 4, words
        said = capsys.readouterr().err
        assert str(path) in said and column in said


def test_people_looks_at_the_rows_it_shows(film: Workspace) -> None:
    spoil(film, "faces", "y2", float("nan"), row=4)  # the best face of track 0
    assert main(["people", str(film.path)]) == 4


def test_probabilities_are_checked(tmp_path: Path) -> None:
    rows = {"track": [0], "face": [0], "start_s": [0.0], "end_s": [1.0], "reason": [""]}
    rows |= {name: [0.0] for name in ("talking", "yaw", "pitch")}
    for value in (-0.5, 1.5, float("inf")):
        table = pa.table(rows | {label: [value] for label in EMOTIONS}).cast(tables.windows_schema(EMOTIONS))
        tables.write_table(tmp_path / "emotions.parquet", [table], table.schema)
        with pytest.raises(CorruptTable, match="column anger"):
            tables.read_windows(tmp_path / "emotions.parquet")


def test_windows_without_probabilities_are_refused(tmp_path: Path) -> None:
    schema = tables.windows_schema(())
    tables.write_table(tmp_path / "emotions.parquet", [schema.empty_table()], schema)
    with pytest.raises(CorruptTable):
        tables.read_windows(tmp_path / "emotions.parquet")


def test_what_float32_leaves_of_one_is_no_fault(film: Workspace) -> None:
    path = spoil(film, "segments", "score", 1.00001)
    assert tables.read_table(path, tables.SEGMENTS).num_rows == 5


def test_text_that_is_no_utf8_is_refused(film: Workspace) -> None:
    path = film.table("persons")
    table = pq.read_table(path)
    names = pa.array([b"\xff"] * table.num_rows, pa.binary()).view(pa.string())
    pq.write_table(table.set_column(1, tables.PERSONS.field("person").remove_metadata(), names), path)
    with pytest.raises(CorruptTable, match="person"):
        tables.read_table(path, tables.PERSONS)


@pytest.mark.parametrize("left", [3, 0])
def test_persons_cover_all_tracks(film: Workspace, left: int) -> None:
    table = tables.read_table(film.table("persons"), tables.PERSONS)
    tables.write_table(film.table("persons"), [table.slice(0, left)], tables.PERSONS)
    with pytest.raises(CorruptTable, match=f"column track: it lacks {left}, a track of"):
        tables.read_table(film.table("persons"), tables.PERSONS)


def test_embeddings_have_one_length_and_finite_numbers(tmp_path: Path) -> None:
    for vectors in ([[0.0, 1.0], [1.0]], [[0.0, float("nan")], [0.0, 0.0]]):
        table = pa.table([[0, 1], vectors, [0.5, 0.5], [0.0, 0.0]], schema=tables.EMBEDDINGS)
        tables.write_table(tmp_path / "e.parquet", [table], table.schema)
        with pytest.raises(CorruptTable, match="embedding"):
            tables.read_table(tmp_path / "e.parquet", tables.EMBEDDINGS)


def test_a_table_is_judged_alone_where_the_others_are_missing(film: Workspace) -> None:
    film.table("faces").unlink()
    film.table("persons").unlink()
    assert tables.read_table(film.table("tracks"), tables.TRACKS).num_rows


@pytest.mark.slow
def test_two_hundred_thousand_faces_are_checked_in_a_fraction_of_the_time_they_are_read(tmp_path: Path) -> None:
    count = 200_000
    rng = np.random.default_rng(0)
    left = rng.uniform(0, 1000, count)
    columns = {
        "face": np.arange(count),
        "frame": np.arange(count) // 3,
        **{"x1": left, "y1": left, "x2": left + 80, "y2": left + 100, "score": rng.random(count)},
        "landmarks": list(rng.uniform(0, 1000, (count, 10))),
    }
    columns = {name: columns.get(name, rng.random(count)) for name in tables.FACES.names}
    path = tmp_path / "w" / "faces" / "faces.parquet"
    path.parent.mkdir(parents=True)
    tables.write_table(path, [pa.table(columns).cast(tables.FACES)], tables.FACES)
    best: dict[str, float] = {}
    for what, schema in (("read", None), ("read and checked", tables.FACES)) * 5:
        begun = time.process_time()
        tables.read_table(path, schema)
        best[what] = min(best.get(what, 9.0), time.process_time() - begun)
    print({what: f"{1000 * seconds:.0f} ms" for what, seconds in best.items()})
    assert best["read and checked"] < 1.6 * best["read"]


RECEIPTS = [
    ("emotions", "params.model", 5),
    ("faces", "params.weights", 12),
    ("faces", "params.crop_scale", "x"),
    ("persons", "params.cast", {}),
    ("frames", "params.start_s", float("nan")),
    ("frames", "version", None),
    ("faces", "outputs", {"faces.parquet": 5}),
    ("tracks", "warnings", [5]),
    ("tracks", "seconds", "x"),
    ("emotions", "inputs", []),
]


@pytest.mark.parametrize(("directory", "key", "value"), RECEIPTS)
def test_a_receipt_with_another_type_is_stale_and_no_bug(
    film: Workspace, directory: str, key: str, value: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = film.path / directory / "receipt.json"
    document = json.loads(path.read_text())
    place, _, inner = key.partition(".")
    if inner:
        document[place][inner] = value
    else:
        document[place] = value
    path.write_text(json.dumps(document))
    assert main(["status", str(film.path)]) == 0
    assert "cannot be read" in capsys.readouterr().out
    for words in (
        ["show"],
        ["people"],
        ["report", "-o", str(tmp_path / "r.html")],
        ["export", "-o", str(tmp_path / "x.json")],
    ):
        assert main([words[0], str(film.path), *words[1:]]) in (0, 4), words


@pytest.mark.parametrize(
    "content",
    [
        "[" * 100_000,
        '{"format": 1}',
        "5",
        '{"format": 3, "video": {"path": 5}}',
        "\udcff",
        '{"format": true, "video": 1}',
    ],
)
def test_a_damaged_workspace_file_is_a_workspace_error(film: Workspace, content: str) -> None:
    (film.path / "workspace.json").write_text(content, errors="surrogateescape")
    for words in ("status", "show", "people"):
        assert main([words, str(film.path)]) == 4


def test_a_pipe_anywhere_in_a_workspace_blocks_nothing(film: Workspace) -> None:
    files = ("workspace.json", "emotions/receipt.json", "edits.jsonl", "persons/persons.parquet")
    for name in files:
        before = (film.path / name).read_bytes() if (film.path / name).exists() else None
        (film.path / name).unlink(missing_ok=True)
        os.mkfifo(film.path / name)
        assert main(["show", str(film.path)]) in (3, 4), name
        (film.path / name).unlink()
        if before is not None:
            (film.path / name).write_bytes(before)
    assert main(["show", str(film.path)]) == 0
