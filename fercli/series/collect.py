"""Tables of a whole series in files: Parquet, CSV, JSON lines, or a database of DuckDB. One video is held at a time.

The files appear together when all videos have been read. In CSV and JSON lines numbers are rounded as by `export`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from fercli.errors import FercliError, MissingDependency, OutputError, WorkspaceError
from fercli.formats.streams import as_json, parts, safe_cells
from fercli.formats.tables_out import rounded
from fercli.series.reading import Episode, Series
from fercli.series.tables import KINDS, Kind, rows
from fercli.version import VERSION
from fercli.writing import new_file, writing

Write = Callable[[pa.Table], None]
"""Takes the next rows of one table."""
TABLE_SUFFIXES = (".parquet", ".csv", ".jsonl")
"""Files with one table."""
DATABASE = ".duckdb"
"""A file with all tables."""
_GROUP = 50_000
"""Least number of rows written at a time: a series has many small tables."""
_DETAILED = ("signals", "windows", "faces")
"""Tables for which each face is read."""


def require_duckdb() -> None:
    """Raises MissingDependency if DuckDB is not installed."""
    if find_spec("duckdb") is None:
        raise MissingDependency(
            "a .duckdb file needs DuckDB, which is not installed",
            hint="run: pip install 'fercli[duckdb]'; or write a folder of Parquet files: -o season/",
        )


def files_of(output: Path, names: Sequence[str], *, folder: bool) -> dict[str, Path]:
    """Table -> the file it is written to: in a folder one file each, `NAME.parquet`."""
    return {name: output / f"{name}.parquet" if folder else output for name in names}


def collect(series: Series, files: dict[str, Path], *, raw_cells: bool = False) -> dict[str, int]:
    """Write tables of all videos of a series.

    Videos that cannot be read are left out, and are in `series.missing` afterwards.

    Args:
        series: the videos.
        files: table -> its file; several tables may have one file, if it is a database.
        raw_cells: for CSV, do not escape text that spreadsheets would read as formulas.

    Returns:
        Table -> number of rows.

    Raises:
        WorkspaceError: no video can be read.
        OutputError: a file cannot be written.
        MissingDependency: DuckDB is needed and not installed.
    """
    counts = dict.fromkeys(files, 0)
    with ExitStack() as stack:
        writers = {name: stack.enter_context(writer) for name, writer in _writers(files, raw_cells=raw_cells).items()}
        read = 0
        for episode in series:
            try:
                ready = _with_details(episode) if any(name in _DETAILED for name in files) else episode
            except (FercliError, OSError) as error:
                series.miss(episode.member, episode.workspace, error)
                continue
            for name, write in writers.items():
                for part in rows(KINDS[name], ready):
                    counts[name] += part.num_rows
                    with writing(files[name]):
                        write(part)
            read += 1
        if not read:
            raise nothing_read(series)
    return counts


def nothing_read(series: Series) -> WorkspaceError:
    """The error for a series without a readable video: that of the first one."""
    first = series.missing[0]
    return WorkspaceError(
        f"no video of {series.folder} has a result; {first.name}: {first.message}",
        hint=first.hint or f"run `fercli annotate` again with -o {series.folder}",
        code="nothing-collected",
    )


def _with_details(episode: Episode) -> Episode:
    """The episode whose faces and ratings are read once, now, so that a damaged table is noticed before anything is
    written."""
    details, read = episode.result.details(), episode.result.ratings
    kept = None if read is None else list(read())
    ratings = None if kept is None else lambda: iter(kept)
    return replace(episode, result=replace(episode.result, details=lambda: details, ratings=ratings))


def _writers(files: dict[str, Path], *, raw_cells: bool) -> dict[str, AbstractContextManager[Write]]:
    databases = {file for file in files.values() if file.suffix.lower() == DATABASE}
    if databases:
        return _database_writers(databases.pop(), list(files))
    return {name: _one_table(file, name, raw_cells=raw_cells) for name, file in files.items()}


def _one_table(file: Path, name: str, *, raw_cells: bool) -> AbstractContextManager[Write]:
    if file.suffix.lower() == ".csv":
        return _csv(file, name, raw_cells=raw_cells)
    return _json_lines(file, name) if file.suffix.lower() == ".jsonl" else _parquet(file, name)


@contextmanager
def _grouped(write: Write, schema: pa.Schema) -> Iterator[Write]:
    """Small tables are written together."""
    waiting: list[pa.Table] = []

    def add(part: pa.Table) -> None:
        waiting.append(part)
        if sum(one.num_rows for one in waiting) >= _GROUP:
            flush()

    def flush() -> None:
        write(pa.concat_tables([schema.empty_table(), *waiting]).combine_chunks())
        waiting.clear()

    yield add
    if waiting:
        flush()


@contextmanager
def _parquet(file: Path, name: str) -> Iterator[Write]:
    schema = KINDS[name].schema.with_metadata(_about(name))
    with (
        writing(file),
        new_file(file) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as out,
        _grouped(out.write_table, schema) as write,
    ):
        yield write


@contextmanager
def _csv(file: Path, name: str, *, raw_cells: bool) -> Iterator[Write]:
    schema = _flat(KINDS[name])

    def write(part: pa.Table) -> None:
        part = rounded(part.select(schema.names))
        out.write_table(part if raw_cells else safe_cells(part))

    with writing(file), new_file(file) as temporary, pacsv.CSVWriter(temporary, schema) as out:
        yield write


@contextmanager
def _json_lines(file: Path, name: str) -> Iterator[Write]:
    def write(part: pa.Table) -> None:
        for piece in parts(rounded(part)):
            out.writelines(as_json(row) + "\n" for row in piece.to_pylist())

    with writing(file), new_file(file) as temporary, temporary.open("w", encoding="utf-8") as out:
        yield write


def _database_writers(file: Path, names: list[str]) -> dict[str, AbstractContextManager[Write]]:
    """DuckDB takes no empty file, so that the database is made elsewhere, and copied when it is complete."""
    require_duckdb()
    # Managers are entered in this order and left in the reverse one: the first opens and publishes the database.
    database = _Database(file)
    return {name: database.table(name, opens=number == 0) for number, name in enumerate(names)}


class _Database:
    def __init__(self, file: Path) -> None:
        self._file = file

    @contextmanager
    def table(self, name: str, *, opens: bool) -> Iterator[Write]:
        with self._opened() if opens else ExitStack():
            schema = KINDS[name].schema
            with self._errors():
                self._insert(name, schema.empty_table(), f'CREATE TABLE "{name}" AS')
                self._describe(name, schema)

            def write(part: pa.Table) -> None:
                with self._errors():
                    self._insert(name, part, f'INSERT INTO "{name}"')

            with _grouped(write, schema) as add:
                yield add

    @contextmanager
    def _opened(self) -> Iterator[None]:
        import duckdb

        with writing(self._file), new_file(self._file) as temporary, TemporaryDirectory() as scratch:
            made = Path(scratch) / "series.duckdb"
            with self._errors():
                self._connection = duckdb.connect(str(made))
            try:
                yield
            finally:
                with self._errors():
                    self._connection.close()
            shutil.copyfile(made, temporary)

    def _insert(self, name: str, part: pa.Table, into: str) -> None:
        self._connection.register("part", part)
        self._connection.execute(f"{into} SELECT * FROM part")
        self._connection.unregister("part")

    def _describe(self, name: str, schema: pa.Schema) -> None:
        about = json.loads(_about(name)[b"fercli"])
        self._connection.execute(f'COMMENT ON TABLE "{name}" IS {_quoted(about["about"])}')
        for field in schema:
            meaning = (field.metadata or {}).get(b"meaning", b"").decode()
            self._connection.execute(f'COMMENT ON COLUMN "{name}"."{field.name}" IS {_quoted(meaning)}')

    @contextmanager
    def _errors(self) -> Iterator[None]:
        import duckdb

        try:
            yield
        except duckdb.Error as error:
            raise OutputError(f"cannot write {self._file}: {error}", hint="choose another place") from error


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _flat(kind: Kind) -> pa.Schema:
    """The columns that a cell of text can hold."""
    return pa.schema([field for field in kind.schema if not pa.types.is_nested(field.type)])


def _about(name: str) -> dict[bytes, bytes]:
    about = f"{name} of a series, by fercli {VERSION}"
    if KINDS[name].person:
        about += f"; `{KINDS[name].person}` holds within one video, `person_in_series` over all"
    return {b"fercli": as_json({"version": VERSION, "table": name, "about": about}).encode()}
