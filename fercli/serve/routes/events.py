"""Server-sent events: of one job, or of all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from fercli.errors import InputError
from fercli.serve.hub import Hub, Stream
from fercli.serve.routes.common import errors, service_of

_KEEP_ALIVE_S = 15.0


async def all_events(request: Request) -> Response:
    """Events of all jobs: `state`, `progress`, `edits`, `erased`. Each has `job`."""
    return _streamed(service_of(request).hub, "")


async def job_events(request: Request, job: str) -> Response:
    """Events of one job: `state` (the new state), `progress` (stage, done, total, share, seconds left), `edits` (the
    new version of the timeline), `erased`."""
    service = service_of(request)
    service.find(job)
    return _streamed(service.hub, job)


def _streamed(hub: Hub, job: str) -> Response:
    stream = hub.open(job)
    if stream is None:
        raise InputError("too many event streams are open", hint="poll the job instead", code="too-many-watchers")
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(_messages(hub, stream), media_type="text/event-stream", headers=headers)


async def _messages(hub: Hub, stream: Stream) -> AsyncIterator[bytes]:
    try:
        yield b"retry: 2000\n\n"
        while (message := await stream.next(_KEEP_ALIVE_S)) is not None:
            yield message
    finally:
        hub.close(stream)


def router() -> APIRouter:
    """The routes."""
    found = APIRouter(prefix="/v1", tags=["events"])
    stream: dict[int | str, dict[str, Any]] = {
        200: {
            "description": "A stream of events",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        }
    }
    extra: dict[str, Any] = {"response_class": StreamingResponse}
    found.add_api_route("/events", all_events, responses={**stream, **errors(429)}, **extra)
    found.add_api_route("/jobs/{job}/events", job_events, responses={**stream, **errors(404, 429)}, **extra)
    return found
