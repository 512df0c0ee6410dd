"""Events for open pages: progress, changes of state, and edits, sent from any thread to all streams that are open."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from fercli.batch.events import Event
from fercli.chain import STAGES

_WAITING = 64
"""Events that a stream may be behind; a slower reader loses the oldest, and fetches the state when it sees a gap."""
STAGE_SHARES = {
    "extract-frames": 0.15,
    "detect-faces": 0.45,
    "track": 0.12,
    "persons": 0.03,
    "measure-faces": 0.1,
    "classify-emotions": 0.15,
    "estimate-valence": 0.01,
    "extract-audio": 0.02,
    "transcribe": 0.3,
}
"""Title of a stage -> its usual share of the time of a job, for the progress of the whole. Measured with the shipped
networks on two cores; only the estimate depends on it."""


@dataclass(frozen=True)
class JobProgress:
    """Progress of a running job.

    Attributes:
        stage: title of the stage, such as `detect-faces`.
        done, total, unit: steps of the stage; the total is None if unknown.
        share: of the whole job, in [0, 1].
        left_s: estimated seconds until it ends; None while unknown.
    """

    stage: str
    done: int
    total: int | None
    unit: str
    share: float
    left_s: float | None


class Watch:
    """Makes the progress of one run of a job from the events of the engine."""

    def __init__(self, stages: list[str], clock: Callable[[], float] = time.monotonic) -> None:
        known = [STAGE_SHARES.get(title, 0.1) for title in stages]
        whole = sum(known) or 1.0
        self._share = {title: share / whole for title, share in zip(stages, known, strict=True)}
        self._before = {title: sum(known[:place]) / whole for place, title in enumerate(stages)}
        self._clock = clock
        self._began: tuple[float, float] | None = None
        self._latest = 0.0

    def progress(self, event: Event) -> JobProgress:
        """The progress after an event; the share never falls."""
        inside = event.done / event.total if event.total else 0.0
        share = self._before.get(event.text, self._latest) + self._share.get(event.text, 0.0) * min(inside, 1.0)
        self._latest = share = min(max(share, self._latest), 1.0)
        now = self._clock()
        if self._began is None:  # stages that were finished before count as no time
            self._began = now, share
        begun_at, begun_share = self._began
        gone = share - begun_share
        left = (now - begun_at) * (1 - share) / gone if gone > 0.01 and now - begun_at > 1 else None
        return JobProgress(event.text, event.done, event.total, event.unit, round(share, 4), left and round(left, 1))


def stage_titles() -> list[str]:
    """Titles of all stages, in order."""
    return [stage.title for stage in STAGES]


class Hub:
    """Open streams, and the latest progress of each running job."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._streams: set[Stream] = set()
        self._lock = threading.Lock()
        self._progress: dict[str, JobProgress] = {}

    def open(self, job: str = "") -> Stream | None:
        """A stream of the events of one job, or of all; None if too many are open. Call it in the event loop."""
        with self._lock:
            if len(self._streams) >= self._most:
                return None
            stream = Stream(job, asyncio.get_running_loop())
            self._streams.add(stream)
            return stream

    def close(self, stream: Stream) -> None:
        """Forget a stream."""
        with self._lock:
            self._streams.discard(stream)

    def end_all(self) -> None:
        """End all streams, because the service stops."""
        self._send(None, "")

    @property
    def watchers(self) -> int:
        """Number of open streams."""
        return len(self._streams)

    def progress_of(self, job: str) -> JobProgress | None:
        """The latest progress of a running job."""
        return self._progress.get(job)

    def set_progress(self, job: str, progress: JobProgress) -> None:
        """Keep and send the progress of a job."""
        self._progress[job] = progress
        self.send("progress", job, asdict(progress))

    def forget(self, job: str) -> None:
        """The job does not run any more."""
        self._progress.pop(job, None)

    def send(self, kind: str, job: str, content: dict[str, Any] | None = None) -> None:
        """Send an event to the streams of a job and of all jobs; from any thread."""
        text = json.dumps({"job": job, **(content or {})}, ensure_ascii=False)
        self._send(f"event: {kind}\ndata: {text}\n\n".encode(), job)

    def _send(self, message: bytes | None, job: str) -> None:
        with self._lock:
            streams = [one for one in self._streams if not one.job or not job or one.job == job]
        for stream in streams:
            stream.put(message)


class Stream:
    """One open stream of server-sent events."""

    def __init__(self, job: str, loop: asyncio.AbstractEventLoop) -> None:
        self.job = job
        self._loop = loop
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(_WAITING)

    def put(self, message: bytes | None) -> None:
        """Add an event, from any thread; None ends the stream."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._put, message)

    def _put(self, message: bytes | None) -> None:
        if self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(message)

    async def next(self, timeout_s: float) -> bytes | None:
        """The next event, or a comment that keeps the connection alive; None at the end."""
        try:
            return await asyncio.wait_for(self._queue.get(), timeout_s)
        except asyncio.TimeoutError:
            return b": still here\n\n"
