"""Videos from an address: memory and a local HTTP server stand for the cloud."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import fsspec
import pytest

from fercli.errors import MissingDependency, VideoError
from fercli.media.remote import fetch
from fercli.progress import CallbackReporter, Progress, Silent
from tests.failing import fails

CONTENT = bytes(range(256)) * 9000


class Handler(SimpleHTTPRequestHandler):
    """Counts the requests for content."""

    def do_GET(self) -> None:
        self.server.fetched.append(self.path)  # type: ignore[attr-defined]
        super().do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Any]:
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "e 1.mp4").write_bytes(CONTENT)
    made: Any = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    made.fetched, made.folder = [], folder
    made.url = f"http://127.0.0.1:{made.server_address[1]}/e%201.mp4"
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def memory() -> Iterator[str]:
    system = fsspec.filesystem("memory")
    system.pipe("/season/e1.mp4", CONTENT)
    yield "memory://season/e1.mp4"
    system.rm("/season", recursive=True)


def test_a_video_from_memory_is_the_same_bytes_and_progress_is_reported(tmp_path: Path, memory: str) -> None:
    steps: list[Progress] = []
    fetch(memory, tmp_path / "videos" / "e1.mp4", CallbackReporter(steps.append))
    assert (tmp_path / "videos" / "e1.mp4").read_bytes() == CONTENT
    assert (steps[-1].done, steps[-1].total, steps[-1].unit) == (len(CONTENT), len(CONTENT), "byte")


def test_a_video_is_fetched_once_until_it_changes(tmp_path: Path, server: Any) -> None:
    video = tmp_path / "e1.mp4"
    for _ in range(2):
        fetch(server.url, video, Silent())
    assert video.read_bytes() == CONTENT
    whole = len(server.fetched)
    fetch(server.url, video, Silent())
    assert len(server.fetched) == whole
    (server.folder / "e 1.mp4").write_bytes(CONTENT[:-1])
    fetch(server.url, video, Silent())
    assert video.read_bytes() == CONTENT[:-1]


def test_a_fetched_file_that_was_altered_is_fetched_again(tmp_path: Path, memory: str) -> None:
    video = tmp_path / "e1.mp4"
    fetch(memory, video, Silent())
    video.write_bytes(b"")
    os.utime(video, ns=(1, 1))
    fetch(memory, video, Silent())
    assert video.read_bytes() == CONTENT


def test_a_video_that_cannot_be_had(tmp_path: Path, server: Any, memory: str) -> None:
    for url in (server.url.replace("e%201", "none"), "http://127.0.0.1:9/e.mp4", "memory://season/none.mp4"):
        with fails(VideoError, "video-unfetchable", url):
            fetch(url, tmp_path / "e.mp4", Silent())
    with fails(VideoError, "video-unfetchable", "nonsense://x"):
        fetch("nonsense://x/e.mp4", tmp_path / "e.mp4", Silent())
    assert not list(tmp_path.glob("*e.mp4*"))


def test_the_digest_decides(tmp_path: Path, memory: str) -> None:
    right = hashlib.sha256(CONTENT).hexdigest()
    fetch(memory, tmp_path / "e.mp4", Silent(), sha256=right.upper())
    with fails(VideoError, "video-other-digest", right):
        fetch(memory, tmp_path / "f.mp4", Silent(), sha256="0" * 64)
    assert not (tmp_path / "f.mp4").exists()


def test_an_address_whose_package_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingDependency) as caught:
        fetch("s3://bucket/e.mp4", tmp_path / "e.mp4", Silent())
    assert "s3fs" in caught.value.hint
