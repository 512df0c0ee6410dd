"""Arrays and archives of a data set; their size in memory is checked before they are unpacked."""

from __future__ import annotations

import tokenize
import zlib
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from fercli.errors import DatasetError, reason_of
from fercli.files import require_regular_file

MAX_UNPACKED = 4 * 2**30
"""Bytes that an archive may unpack to: all of FER2013 is 82 MB, half a million faces of 64 x 64 pixels are 2 GB."""

_HINT = "copy or download the file again"
_BROKEN_HEADER = (ValueError, EOFError, SyntaxError, tokenize.TokenError, TypeError, RecursionError, MemoryError)
"""Errors of numpy for an invalid array header, which it evaluates as a Python literal."""


def read_npz(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an .npz file.

    Raises:
        DatasetError: it is not an .npz file, is damaged, holds Python objects, or unpacks to more than MAX_UNPACKED.
    """
    require_unpacked_size(path)
    try:
        with ZipFile(path) as archive:
            arrays = {}
            for member in archive.infolist():
                with archive.open(member) as file:
                    arrays[member.filename.removesuffix(".npy")] = read_npy(file, member.file_size)
            return arrays
    except (OSError, NotImplementedError, RuntimeError, ValueError, EOFError, zlib.error, BadZipFile) as error:
        raise DatasetError(f"cannot read {path}: {reason_of(error)}", hint=_HINT, code="file-unreadable") from error


def read_npy(file: IO[bytes], size: int) -> NDArray[Any]:
    """The array of an .npy file of `size` bytes, which is not allocated unless the file has that many numbers.

    Raises:
        ValueError: it is not an array, is truncated, or holds Python objects.
        OSError: it cannot be read.
    """
    try:
        version = np.lib.format.read_magic(file)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, in_columns, kind = read_header(file)
        count = 1
        for side in shape:
            count *= int(side)
    except _BROKEN_HEADER as error:
        raise ValueError(f"the header of the array is broken: {reason_of(error)}") from error
    if kind.hasobject:
        raise ValueError("the array holds Python objects")
    if count < 0 or count * kind.itemsize > size:
        raise ValueError(f"the array declares {count * kind.itemsize} bytes, but the file has {size}")
    content = file.read(count * kind.itemsize)
    if len(content) < count * kind.itemsize:
        raise ValueError("the array is truncated")
    if not kind.itemsize:
        raise ValueError("the array has no data type")
    return np.frombuffer(content, dtype=kind).reshape(shape, order="F" if in_columns else "C")


def require_unpacked_size(path: Path) -> None:
    """Refuse an archive that unpacks to more than MAX_UNPACKED, before it is unpacked.

    Raises:
        DatasetError: it is too large, or not a zip archive.
    """
    require_regular_file(path, DatasetError, _HINT)
    try:
        with ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except (OSError, ValueError, NotImplementedError, BadZipFile) as error:
        raise DatasetError(f"cannot read {path}: {reason_of(error)}", hint=_HINT, code="file-unreadable") from error
    if size > MAX_UNPACKED:
        raise DatasetError(
            f"{path} unpacks to {size / 2**30:.1f} GiB, and fercli takes at most {MAX_UNPACKED / 2**30:.0f} GiB",
            hint="give the data set in parts, or as a folder of pictures",
        )
