"""What is no regular file is refused before it is opened."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from fercli.errors import DatasetError, InputError
from fercli.files import require_regular_file


def test_a_file_and_a_link_to_one_pass(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to("file")
    require_regular_file(tmp_path / "file")
    require_regular_file(tmp_path / "link")


def test_what_blocks_or_never_ends_is_refused_with_the_way_round(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    (tmp_path / "to the pipe").symlink_to("pipe")
    for name in ("pipe", "link", "to the pipe"):
        with pytest.raises(InputError) as found:
            require_regular_file(tmp_path / name, hint="not this one")
        assert str(tmp_path / name) in found.value.message
        assert "copy" in found.value.hint


def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket has at most 108 bytes
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        with pytest.raises(InputError):
            require_regular_file(Path("socket"))


@pytest.mark.parametrize("name", ["missing", "loop", "x" * 300, "a\0b", "."])
def test_what_is_not_there_or_a_directory_is_refused_with_the_class_and_hint_of_the_caller(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(DatasetError) as found:
        require_regular_file(tmp_path / name, DatasetError, hint="look there")
    assert found.value.hint == "look there"
