"""A service that is killed: nothing is lost, and nothing is worked to the end twice."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from pathlib import Path

import pytest

from examples.make_sample import make_sample
from tests.media_samples import numbered_video
from tests.serve.browsers import Server, serving

pytestmark = pytest.mark.slow


def test_a_queue_survives_sigkill(tmp_path: Path) -> None:
    numbered_video(tmp_path / "a.mp4", 20)
    server = Server(tmp_path, films=1.0)
    try:
        posted = [server.client.post("/v1/jobs", json={"path": "a.mp4"}).json()["id"] for _ in range(4)]
        for pause in (0.3, 0.9, 1.4):
            time.sleep(pause)
            server.kill()
            server.start()
        assert [server.wait(job)["state"] for job in posted] == ["done"] * 4
        worked = Counter((tmp_path / "worked").read_text().split())
        assert worked == dict.fromkeys(posted, 1)
    finally:
        server.stop()


def test_a_killed_service_goes_on_in_the_middle_of_a_stage(tmp_path: Path) -> None:
    """The real engine and the real networks: worker processes end with the service, and stages go on by pieces."""
    make_sample(tmp_path / "sample.mp4")
    server = Server(tmp_path, "--jobs", "1")
    try:
        options = {"frames": {"fps": 5}}
        job = server.client.post("/v1/jobs", json={"path": "sample.mp4", "options": options}).json()["id"]
        workspace = tmp_path / ".fercli" / "jobs" / job / "video.fercli"
        until = time.monotonic() + 300
        while not (workspace / "frames" / "receipt.json").exists():
            assert time.monotonic() < until
            time.sleep(0.05)
        made = (workspace / "frames" / "receipt.json").stat().st_mtime_ns
        server.kill()
        server.start()
        until = time.monotonic() + 600
        while (found := server.client.get(f"/v1/jobs/{job}").json())["state"] != "done":
            assert time.monotonic() < until and found["state"] in ("queued", "running"), found
            time.sleep(0.5)
        assert (workspace / "frames" / "receipt.json").stat().st_mtime_ns == made, "the first stage did not run again"
        assert (found["outcome"]["persons"], found["outcome"]["code"]) == (2, "")
        assert len(server.client.get(f"/v1/jobs/{job}/segments").json()["rows"]) == found["outcome"]["segments"]
    finally:
        server.stop()


def test_uploads_take_little_memory(tmp_path: Path) -> None:
    with serving(tmp_path, films=0) as server:
        before = resident(server.process.pid)

        def body() -> object:
            yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n\0\0\0 ftypisom'
            for _ in range(300):
                yield bytes(1 << 20)
            yield b"\r\n--x--\r\n"

        answer = server.client.post(
            "/v1/jobs",
            content=body(),  # type: ignore[arg-type]
            headers={"content-type": "multipart/form-data; boundary=x"},
        )
        assert answer.status_code in (415, 422), answer.text  # its header is that of no video
        assert resident(server.process.pid, "VmHWM") - before < 60
        assert list((tmp_path / ".fercli" / "jobs").iterdir()) == []


def resident(process: int, what: str = "VmRSS") -> float:
    """Resident memory of a process, megabytes."""
    found = re.search(rf"{what}:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    assert found is not None and os.name == "posix"
    return int(found[1]) / 1000
