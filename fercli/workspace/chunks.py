"""Finished chunks of a running stage, which the next run reuses after a kill.

Several processes may add chunks to one directory; the numbers of the chunks are fixed by the stage, so it does not
matter who does which, or in what order.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pyarrow as pa

from fercli.tables import read_parts, write_table
from fercli.writing import OWNER_ONLY_DIRECTORY, names_on_disk, on_disk, writing


class Chunks:
    """Finished chunks of a long stage. Each is a directory of tables that is complete or absent.

    Only the owner can read it. Incomplete chunks of a killed run are removed with the directory of the chunks.

    Args:
        directory: created with the first chunk, in a directory that exists.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @property
    def done(self) -> frozenset[int]:
        """Numbers of the finished chunks."""
        if not self.directory.exists():
            return frozenset()
        return frozenset(int(place.name) for place in self.directory.iterdir() if place.name.isdecimal())

    def commit(self, number: int, tables: dict[str, pa.Table], schemas: dict[str, pa.Schema]) -> None:
        """Add a chunk; if another process has added it in the meantime, its tables are the same, and are kept."""
        name = self._name(number)
        with writing(name):
            self.directory.mkdir(OWNER_ONLY_DIRECTORY, exist_ok=True)
            temporary = Path(mkdtemp(".tmp", f".{name.name}.", self.directory))
            for table, rows in tables.items():
                write_table(temporary / f"{table}.parquet", [rows], schemas[table])
            on_disk(temporary)
            try:
                temporary.rename(name)
            except OSError:
                if not name.exists():
                    raise
                shutil.rmtree(temporary)
            names_on_disk(self.directory)

    def parts(self, table: str, schema: pa.Schema, *, numbered: str = "") -> Iterator[pa.Table]:
        """The rows of one table over all chunks, in order, one chunk at a time.

        Args:
            table, schema: name and columns of the table.
            numbered: a column that counts the rows of each chunk from 0; here it counts those of all chunks.
        """
        before = 0
        for number in sorted(self.done):
            for part in read_parts(self._name(number) / f"{table}.parquet", schema, piece=True):
                yield _shifted(part, numbered, before) if numbered and before else part
                before += part.num_rows

    def merge(self, out: Path, schemas: dict[str, pa.Schema], *, numbered: str = "") -> dict[str, int]:
        """Join the chunks into the final tables under `out`; returns the rows of each. `numbered` as for `parts`."""
        return {
            table: write_table(out / f"{table}.parquet", self.parts(table, schema, numbered=numbered), schema)
            for table, schema in schemas.items()
        }

    def _name(self, number: int) -> Path:
        return self.directory / f"{number:06d}"


def _shifted(part: pa.Table, column: str, by: int) -> pa.Table:
    place, field = part.schema.get_field_index(column), part.schema.field(column)
    moved = pa.array(part[column].to_numpy() + by, type=field.type)
    return part.set_column(place, field, moved)
