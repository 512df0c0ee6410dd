"""The CSV files of FER2013 and FER+, row by row."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from fercli.errors import DatasetError, reason_of
from fercli.files import require_regular_file


def csv_rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and the named columns of each row; missing cells of a short row are empty. Spaces around names and
    values are ignored: `icml_face_data.csv` is headed `emotion, Usage, pixels`.

    Raises:
        DatasetError: it cannot be read, is not text, or lacks a column.
    """
    line = 0
    require_regular_file(path, DatasetError)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            names = [name.strip() for name in next(reader, [])]
            if not set(columns) <= set(names):
                raise DatasetError(f"{path}:1: expected the columns {','.join(columns)}, found {','.join(names)}")
            places = [names.index(column) for column in columns]
            for cells in reader:
                line = reader.line_num
                if cells:
                    values = (cells[place].strip() if place < len(cells) else "" for place in places)
                    yield line, dict(zip(columns, values, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path}:{line + 1}: {reason_of(error)}", hint="copy or download the file again") from error


def csv_columns(path: Path) -> tuple[str, ...]:
    """The names of the columns, stripped; empty for a file that is empty or not text.

    Raises:
        DatasetError: it is not a file.
    """
    require_regular_file(path, DatasetError)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return tuple(name.strip() for name in next(csv.reader(file), []))
    except (OSError, UnicodeDecodeError, csv.Error):
        return ()
