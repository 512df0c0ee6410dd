"""Finished pieces of a stage at work, which a killed run leaves for the next."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from fercli.tables import read_parts, write_table
from fercli.writing import writing


class Chunks:
    """Finished pieces of a long stage. Each is a directory of tables that appears whole or not at all."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @property
    def done(self) -> int:
        """How many pieces, counted from the first, are finished."""
        number = 0
        while self._name(number).exists():
            number += 1
        return number

    def commit(self, tables: dict[str, pa.Table], schemas: dict[str, pa.Schema]) -> None:
        """Add the next piece."""
        name = self._name(self.done)
        temporary = name.with_suffix(".tmp")
        with writing(name):
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(parents=True)
            for table, rows in tables.items():
                write_table(temporary / f"{table}.parquet", [rows], schemas[table])
            temporary.rename(name)

    def parts(self, table: str, schema: pa.Schema) -> Iterator[pa.Table]:
        """One table's rows over all pieces, in order, a piece at a time."""
        for number in range(self.done):
            yield from read_parts(self._name(number) / f"{table}.parquet", schema, piece=True)

    def merge(self, out: Path, schemas: dict[str, pa.Schema]) -> dict[str, int]:
        """Join the pieces into the final tables under `out`; returns the rows of each."""
        return {
            table: write_table(out / f"{table}.parquet", self.parts(table, schema), schema)
            for table, schema in schemas.items()
        }

    def _name(self, number: int) -> Path:
        return self.directory / f"{number:06d}"
