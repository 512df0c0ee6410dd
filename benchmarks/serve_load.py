"""How fast `fercli serve` answers many clients while jobs run, and whether the jobs run slower for it.

    python benchmarks/serve_load.py VIDEO --clients 50 --jobs 2

First the jobs run alone, then again (as new jobs) with the clients: half of them poll the list of jobs and one job, the
others read streams of events and ask for a table every second. Prints the percentiles of all GETs, and the time of the
jobs both ways. `--upload BYTES` measures the memory of the service during an upload of that size instead, and
`--restarts N` kills the service with SIGKILL N times while a queue of 20 jobs runs. See docs/serve.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np

EVERY_S = 0.5
"""A client waits so long between two requests."""


class Server:
    """`fercli serve` over a new root."""

    def __init__(self, root: Path, jobs: int) -> None:
        self._root, self._jobs = root, jobs
        self.start()

    def start(self) -> None:
        """Start it and wait for the address."""
        command = [sys.executable, "-m", "fercli.cli.entry", "serve", "--root", str(self._root), "--port", "0"]
        command += ["--jobs", str(self._jobs), "--max-gigabytes", "100"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        line = next(line for line in self.process.stderr if "fercli serves" in line)
        self.address = line.split()[-1].rstrip("/")

    @property
    def memory(self) -> float:
        """Resident memory, megabytes."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait()


async def post(client: httpx.AsyncClient, path: str) -> str:
    answer = await client.post("/v1/jobs", json={"path": path})
    answer.raise_for_status()
    return str(answer.json()["id"])


async def ended(client: httpx.AsyncClient, jobs: list[str]) -> float:
    """Seconds from the first start to the last end of these jobs."""
    while True:
        rows = [(await client.get(f"/v1/jobs/{job}")).json() for job in jobs]
        if all(row["ended"] for row in rows):
            assert {row["state"] for row in rows} == {"done"}, rows
            return sum(row["outcome"]["seconds"] for row in rows)
        await asyncio.sleep(EVERY_S)


async def poll(address: str, paths: list[str], took: list[float], stop: asyncio.Event) -> None:
    async with httpx.AsyncClient(base_url=address, timeout=60) as client:
        while not stop.is_set():
            for path in paths:
                begun = time.perf_counter()
                (await client.get(path)).raise_for_status()
                took.append(time.perf_counter() - begun)
                await asyncio.sleep(EVERY_S)


async def stream(address: str, events: Counter[str], stop: asyncio.Event) -> None:
    async with httpx.AsyncClient(base_url=address, timeout=60) as client, client.stream("GET", "/v1/events") as answer:
        async for line in answer.aiter_lines():
            events[line.partition(":")[0]] += 1
            if stop.is_set():
                return


async def load(video: Path, clients: int, jobs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for number in range(2 * jobs + 1):
            shutil.copy(video, root / f"{number}{video.suffix}")
        server = Server(root, jobs)
        names = [f"{number}{video.suffix}" for number in range(2 * jobs + 1)]
        try:
            async with httpx.AsyncClient(base_url=server.address, timeout=60) as client:
                finished = await post(client, names[0])  # loads the networks
                first = await ended(client, [finished])
                print(f"the first job, which loads the networks: {first:.1f} s of work", flush=True)
                alone = await ended(client, [await post(client, name) for name in names[1 : jobs + 1]])
                print(f"{jobs} jobs alone: {alone:.1f} s of work", flush=True)
                stop, took, events = asyncio.Event(), list[float](), Counter[str]()
                posted = [await post(client, name) for name in names[jobs + 1 :]]
                paths = ["/v1/jobs", f"/v1/jobs/{posted[0]}", f"/v1/jobs/{finished}/segments", "/v1/jobs?state=done"]
                tasks = [
                    asyncio.create_task(
                        poll(server.address, paths, took, stop) if n % 2 else stream(server.address, events, stop)
                    )
                    for n in range(clients)
                ]
                busy = await ended(client, posted)
                stop.set()
                await asyncio.wait(tasks, timeout=20)
                for task in tasks:
                    task.cancel()
            shares = np.percentile(np.array(took) * 1000, [50, 95, 99, 100])
            print(f"{len(took)} GETs by {clients // 2} clients, {events['event']} events to {clients - clients // 2}")
            print(
                "milliseconds: "
                + ", ".join(f"{n} {v:.0f}" for n, v in zip(("p50", "p95", "p99", "most"), shares, strict=True))
            )
            print(f"{jobs} jobs: {alone:.1f} s of work alone, {busy:.1f} s with the clients ({busy / alone - 1:+.0%})")
            print(f"memory of the service: {server.memory:.0f} MB")
        finally:
            server.kill()


async def upload(size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), 1)
        try:
            most = before = server.memory

            async def body() -> AsyncIterator[bytes]:
                nonlocal most
                yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="large.mp4"\r\n\r\n'
                yield b"\x00\x00\x00\x20ftypisom" + bytes(20)
                piece = bytes(1 << 20)
                for _ in range(size >> 20):
                    yield piece
                    most = max(most, server.memory)
                yield b"\r\n--x--\r\n"

            begun = time.perf_counter()
            headers = {"content-type": "multipart/form-data; boundary=x"}
            async with httpx.AsyncClient(base_url=server.address, timeout=600) as client:
                answer = await client.post("/v1/jobs", content=body(), headers=headers)
            took = time.perf_counter() - begun
            print(f"{size / 1e9:.2f} GB in {took:.1f} s; answer {answer.status_code} {answer.json().get('code', '')}")
            print(f"memory of the service: {before:.0f} MB before, {most:.0f} MB at most")
            left = [path for path in (Path(folder) / ".fercli" / "jobs").iterdir()]
            print(f"left of it, which is no video: {len(left)} folders")
        finally:
            server.kill()


def restarts(count: int) -> None:
    """Kill a service again and again; its jobs make small films, see tests/serve/film_server.py."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.media_samples import numbered_video
    from tests.serve.browsers import Server as FilmServer

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        video = numbered_video(root / "a.mp4", 20)
        server = FilmServer(root, films=1.0)
        posted: list[str] = []
        rng = np.random.default_rng(0)
        for number in range(count):
            while len(posted) < 20 and len(posted) <= number:
                posted.append(server.client.post("/v1/jobs", json={"path": video.name}).json()["id"])
            time.sleep(float(rng.uniform(0.05, 1.2)))
            server.kill()
            server.start()
        rows: list[dict[str, Any]] = []
        while True:
            rows = server.jobs()
            if all(row["state"] == "done" for row in rows):
                break
            time.sleep(0.5)
        server.stop()
        worked = Counter((root / "worked").read_text().split())
        lost = set(posted) - {row["id"] for row in rows}
        twice = {job: times for job, times in worked.items() if times > 1}
        print(f"{count} kills, {len(posted)} jobs: {len(lost)} lost, {len(rows)} done, {len(twice)} ended twice")
        print(json.dumps(twice))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path, nargs="?")
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--upload", type=int, metavar="BYTES")
    parser.add_argument("--restarts", type=int, metavar="N")
    given = parser.parse_args()
    if given.upload:
        asyncio.run(upload(given.upload))
    elif given.restarts:
        restarts(given.restarts)
    elif given.video:
        asyncio.run(load(given.video, given.clients, given.jobs))
    else:
        parser.error("give a video, --upload or --restarts")


if __name__ == "__main__":
    main()
