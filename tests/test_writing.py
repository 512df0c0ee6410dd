"""A file is written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fercli.errors import OutputError
from fercli.writing import require_parent, write_atomically


def test_a_failed_write_keeps_the_old_file(tmp_path: Path, fill_disk: Callable[[], None]) -> None:
    path = tmp_path / "out.json"
    path.write_bytes(b"old")
    fill_disk()
    with pytest.raises(OutputError, match="No space left on device"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["out.json"]


def test_a_link_stays_and_what_it_points_to_is_replaced(tmp_path: Path) -> None:
    real = tmp_path / "elsewhere" / "real.json"
    real.parent.mkdir()
    real.write_bytes(b"old")
    link = tmp_path / "link.json"
    link.symlink_to(real)
    write_atomically(link, b"new")
    assert link.is_symlink() and real.read_bytes() == b"new"


def test_a_missing_directory_is_named_with_a_command_that_can_be_pasted(tmp_path: Path) -> None:
    require_parent(tmp_path / "show.cast", "the cast")
    with pytest.raises(OutputError, match=r"no directory .*season 1 for the cast") as caught:
        require_parent(tmp_path / "season 1" / "show.cast", "the cast")
    assert caught.value.hint == f"run: mkdir -p '{tmp_path / 'season 1'}'"
