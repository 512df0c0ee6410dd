"""A service in a process of its own, and real Chromium in front of it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_S = 120


class Server:
    """`fercli serve` in its own process; with `films`, jobs make a small film instead of running networks.

    Args:
        root: the root.
        films: seconds that a job takes; None for the real engine.
    """

    def __init__(self, root: Path, *options: str, films: float | None = None) -> None:
        self.root, self.options, self.films = root, options, films
        self.port = 0
        self.start()

    def start(self) -> None:
        """Start it, at the port it had before."""
        program = ["-m", "fercli.cli.entry", "serve"] if self.films is None else ["-m", "tests.serve.film_server"]
        pace = [] if self.films is None else ["--films", str(self.films)]
        command = [sys.executable, *program, "--root", str(self.root), "--port", str(self.port), *pace, *self.options]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self.process.stderr is not None
        self.said = []
        for line in self.process.stderr:
            self.said.append(line)
            if found := re.search(r"fercli serves http://localhost:(\d+)/", line):
                self.port = int(found[1])
                break
        else:
            raise AssertionError(f"the service did not start: {self.said}")
        # A service whose messages nobody reads stands still as soon as the pipe is full.
        self._reader = threading.Thread(target=self.said.extend, args=(self.process.stderr,), daemon=True)
        self._reader.start()
        self.client = httpx.Client(base_url=f"http://localhost:{self.port}", timeout=60, trust_env=False)
        for _ in range(600):
            try:
                self.client.get("/v1/health")
                return
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError("the service does not answer")

    @property
    def address(self) -> str:
        """Of the page."""
        return f"http://localhost:{self.port}/"

    def kill(self) -> None:
        """SIGKILL."""
        self.client.close()
        self.process.kill()
        self._ended()

    def stop(self) -> str:
        """End it as Ctrl-C does; returns what it said on stderr."""
        self.client.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(60)
            self.process.kill()
            self._ended()
        return "".join(self.said)

    def _ended(self) -> None:
        """The process has gone, with its last words; its workers may hold the pipe a little longer."""
        self.process.wait()
        self._reader.join(10)
        if not self._reader.is_alive():
            assert self.process.stderr is not None
            self.process.stderr.close()

    def jobs(self) -> list[dict[str, Any]]:
        """All jobs, the latest first."""
        found: list[dict[str, Any]] = self.client.get("/v1/jobs?limit=1000").json()["jobs"]
        return found

    def wait(self, job: str, *states: str, patience_s: float = PATIENCE_S) -> dict[str, Any]:
        """The job once it has one of these states; by default once it is done."""
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            found: dict[str, Any] = self.client.get(f"/v1/jobs/{job}").json()
            if found["state"] in (states or ("done",)):
                return found
            time.sleep(0.1)
        raise AssertionError(found)


@contextmanager
def serving(root: Path, *options: str, films: float | None = None) -> Iterator[Server]:
    """A service that is stopped at the end."""
    server = Server(root, *options, films=films)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser; without one the test is skipped."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    playwright.expect.set_options(timeout=1000 * PATIENCE_S)  # by default 5 s, which a busy machine needs at times
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield opened
        opened.close()


class Visit:
    """A page in a browser of its own, and everything it complained of or asked elsewhere."""

    def __init__(
        self, browser: Browser, server: Server, path: str = "#/", by: str = "annotator-1", **context: Any
    ) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context})
        self.context.add_init_script(f"localStorage.getItem('annotator') ?? localStorage.setItem('annotator', {by!r})")
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None
        )
        self.page.on("request", lambda asked: self._asked(asked.url, server.address))
        self.page.goto(server.address + path)
        self.page.wait_for_selector("html[data-ready]")

    def _asked(self, url: str, own: str) -> None:
        if not url.startswith((own, "data:", "blob:")):
            self.elsewhere.append(url)

    def close(self) -> None:
        """Close it; nothing was complained of."""
        self.context.close()
        assert (self.complaints, self.elsewhere) == ([], [])
