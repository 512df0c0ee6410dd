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


@pytest.mark.parametrize("name", ["/dev/stdin", "/dev/fd/63", "/proc/self/fd/0"])
def test_what_the_shell_passes_instead_of_a_file_is_to_be_copied_to_one(name: str) -> None:
    with pytest.raises(DatasetError) as found:
        require_regular_file(Path(name), DatasetError, hint="not this one")
    assert name in found.value.message and "COMMAND > FILE" in found.value.hint


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("-", "COMMAND > FILE"),
        ("http://host/a%20b.mp4?x=1&y", "curl -L -o FILE 'http://host/a%20b.mp4?x=1&y'"),
        ("https://www.youtube.com/watch?v=x", "yt-dlp -o video.mp4 'https://www.youtube.com/watch?v=x'"),
        ("https://notyoutube.com/x", "curl -L -o FILE https://notyoutube.com/x"),
        ("RTSP://camera:554/live", "ffmpeg -i RTSP://camera:554/live -t 60"),
        ("https://host/live.m3u8?t=1", "ffmpeg -i 'https://host/live.m3u8?t=1' -t 60"),
        ("file:///tmp/none here.mp4", "'/tmp/none here.mp4'"),
        ("file:none.mp4", ": none.mp4"),
    ],
)
def test_what_is_no_path_is_said_with_the_command_that_makes_a_file(name: str, how: str) -> None:
    with pytest.raises(InputError) as found:
        require_regular_file(Path(name), hint="not this one")
    assert name in found.value.message or "stdin" in found.value.message or name.startswith("file:")
    assert how in found.value.hint


@pytest.mark.parametrize("name", ["talk:1.mp4", "C:/films/a.mp4", "http", "a:b"])
def test_a_colon_alone_makes_no_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as found:
        require_regular_file(Path(name), hint="look there")
    assert "there is no file" in found.value.message and found.value.hint == "look there"


def test_a_file_that_is_called_like_an_address_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("http:").mkdir()
    for name in ("-", "file:a", "http:/a"):
        Path(name).touch()
        require_regular_file(Path(name))
