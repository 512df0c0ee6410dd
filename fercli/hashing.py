"""sha256 of files and directories, with which fercli detects changes."""

from __future__ import annotations

import hashlib
from pathlib import Path

_PIECE = 1 << 20


def sha256_file(path: Path) -> str:
    """Hex sha256 of a file, read in pieces.

    Raises:
        OSError: it cannot be read.
    """
    total = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            total.update(piece)
    return total.hexdigest()


def digest(path: Path) -> str:
    """Hex sha256 of a file, or of the names and contents of all files in a directory."""
    if path.is_file():
        return sha256_file(path)
    total = hashlib.sha256()
    for file_path in sorted(p for p in path.rglob("*") if p.is_file()):
        total.update(f"{file_path.relative_to(path).as_posix()} {digest(file_path)}\n".encode())
    return total.hexdigest()


def output_digests(directory: Path) -> dict[str, str]:
    """sha256 of every file a stage wrote, by name; without its receipt and the directory of images."""
    files = sorted(path for path in directory.iterdir() if path.is_file() and path.name != "receipt.json")
    return {path.name: digest(path) for path in files}
