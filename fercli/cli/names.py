"""The path given with `-o`: a file, or a directory in which the file is named after the video."""

from __future__ import annotations

import os
from pathlib import Path

from fercli.writing import writing


def is_folder(output: str) -> bool:
    """Whether -o is a directory: an existing one, or a path that ends with a slash."""
    return output.endswith("/") or os.path.isdir(output)


def output_file(output: str, name: str) -> Path:
    """The file of -o: `name` in it if it is a directory, which is created.

    Raises:
        OutputError: the directory cannot be made.
    """
    if not is_folder(output):
        return Path(output)
    folder = Path(output)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder / name
