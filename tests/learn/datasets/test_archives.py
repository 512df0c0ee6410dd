"""Arrays and archives that claim more than they hold, or hold more than fits, are refused before memory is taken."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fercli.errors import DatasetError
from fercli.learn.datasets import archives
from fercli.learn.datasets.archives import read_npy, read_npz, require_unpacked_size
from tests.failing import fails


def header(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + (128).to_bytes(2, "little") + text.ljust(127).encode("latin-1") + b"\n"


BROKEN = {
    "745 GiB": header("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999,), }"),
    "an open bracket": header("{'descr': '<f8', 'fortran_order': False, 'shape': (1, "),
    "bytes that are no text": header("{'descr': '<U1', 'fortran_order': False, 'shape': (), }\xab\xff"),
    "a negative side": header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }"),
    "objects": header("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }") + b"x" * 8,
    "nothing": b"",
    "no array": b"PK\x03\x04",
    "a cut": header("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }") + b"x" * 8,
    "no size": header("{'descr': '|S0', 'fortran_order': False, 'shape': (9999999999,), }"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_array_is_a_value_error(what: str) -> None:
    with pytest.raises(ValueError):
        read_npy(io.BytesIO(BROKEN[what]), len(BROKEN[what]))


@pytest.mark.parametrize("what", BROKEN)
def test_an_archive_of_a_broken_array_is_named(tmp_path: Path, what: str) -> None:
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("images.npy", BROKEN[what])
    with fails(DatasetError, "file-unreadable", "x.npz"):
        read_npz(tmp_path / "x.npz")


def test_whole_arrays_come_back(tmp_path: Path) -> None:
    arrays: dict[str, Any] = {
        "images": np.arange(24, dtype=np.uint8).reshape(2, 3, 4),
        "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "names": np.array(["angry", "happy"]),
        "none": np.zeros((0, 5)),
    }
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "x.npz", **arrays)
        found = read_npz(tmp_path / "x.npz")
        assert found.keys() == arrays.keys()
        for name, array in arrays.items():
            assert found[name].dtype == array.dtype
            np.testing.assert_array_equal(found[name], array)


def test_what_unpacks_to_too_much_is_refused_without_unpacking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_UNPACKED", 50 * 2**20)
    with zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", bytes(60 * 2**20))
    tracemalloc.start()
    with pytest.raises(DatasetError, match="at most"):
        read_npz(tmp_path / "x.npz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


def test_what_is_no_archive_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.xlsx").write_bytes(b"text")
    for name in ("x.xlsx", "missing.xlsx"):
        with pytest.raises(DatasetError, match=name.replace(".", r"\.")):
            require_unpacked_size(tmp_path / name)
