"""Finished pieces of a running stage, which the next run reuses after a kill."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pyarrow as pa

from fercli.tables import read_parts, write_table
from fercli.writing import OWNER_ONLY_DIRECTORY, names_on_disk, on_disk, writing


class Chunks:
    """Finished pieces of a long stage. Each is a directory of tables that is complete or absent.

    Only the owner can read it. Incomplete pieces of a killed run are removed with the directory of the pieces.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @property
    def done(self) -> int:
        """Number of consecutive finished pieces, from the first one."""
        number = 0
        while self._name(number).exists():
            number += 1
        return number

    def commit(self, tables: dict[str, pa.Table], schemas: dict[str, pa.Schema]) -> None:
        """Add the next piece."""
        name = self._name(self.done)
        with writing(name):
            self.directory.mkdir(OWNER_ONLY_DIRECTORY, parents=True, exist_ok=True)
            temporary = Path(mkdtemp(".tmp", f".{name.name}.", self.directory))
            for table, rows in tables.items():
                write_table(temporary / f"{table}.parquet", [rows], schemas[table])
            on_disk(temporary)
            temporary.rename(name)
            names_on_disk(self.directory)

    def parts(self, table: str, schema: pa.Schema) -> Iterator[pa.Table]:
        """The rows of one table over all pieces, in order, one piece at a time."""
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
