"""Jobs: post, list, look at, cancel, let go on, erase."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import ValidationError
from starlette.responses import JSONResponse, Response

from fercli.errors import ConfigError, InputError
from fercli.serve import orders, schemas, table
from fercli.serve.inspect_video import inspect
from fercli.serve.places import list_videos, video_below
from fercli.serve.routes.common import errors, service_of
from fercli.serve.service import Service
from fercli.serve.table import Row
from fercli.serve.uploads import receive, refuse_too_large
from fercli.writing import OWNER_ONLY_DIRECTORY, writing

_LONGEST_BODY = 128 * 1024


async def post_job(request: Request) -> Response:
    """Annotate a video: upload it, or name one below the root. The answer comes when the job is queued.

    As `multipart/form-data`, `options` (JSON) comes before `file`; the file is streamed to the disk.
    """
    service = service_of(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        row = await _uploaded(service, request)
    elif kind == "application/json":
        row = await _named(service, await _body(request))
    else:
        raise ConfigError("the body has another type", hint="post JSON or a form with a file", code="body-type")
    service.hub.send("state", row.id, {"state": table.QUEUED})
    service.runner.wake()
    return JSONResponse(service.shown(row), 201, headers={"location": f"/v1/jobs/{row.id}"})


async def list_jobs(
    request: Request,
    state: Annotated[str, Query(pattern="^(queued|running|done|failed|cancelled)?$")] = "",
    after: Annotated[int, Query(ge=0, le=2**53, description="`number` of the last job seen")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Jobs, the latest first."""
    service = service_of(request)
    rows = service.jobs.listed(state=state, after=after, limit=limit + 1)
    following = None
    if len(rows) > limit:
        rows = rows[:limit]
        following = f"/v1/jobs?state={state}&limit={limit}&after={rows[-1].number}"
    return JSONResponse({"jobs": [service.shown(row) for row in rows], "next": following})


async def get_job(request: Request, job: str) -> Response:
    """One job, with its progress."""
    service = service_of(request)
    return JSONResponse(service.shown(service.find(job)))


async def cancel_job(request: Request, job: str) -> Response:
    """Cancel a queued or running job; what is finished is kept."""
    service = service_of(request)
    row = service.find(job)
    if row.state not in (table.QUEUED, table.RUNNING):
        raise ConfigError(
            f"the job is {row.state}", hint="only queued and running jobs can be cancelled", code="nothing-to-do"
        )
    service.cancel(row)
    return JSONResponse(service.shown(service.find(job)), 202)


async def resume_job(request: Request, job: str) -> Response:
    """Queue a failed or cancelled job again; it goes on where it stopped."""
    service = service_of(request)
    row = service.find(job)
    if row.state not in (table.FAILED, table.CANCELLED):
        raise ConfigError(
            f"the job is {row.state}", hint="only failed and cancelled jobs can go on", code="nothing-to-do"
        )
    service.go_on(row)
    return JSONResponse(service.shown(service.find(job)), 202)


async def delete_job(request: Request, job: str) -> Response:
    """Erase everything of a job: the uploaded video, its workspace with all faces, and its row. A running job is
    cancelled first (202, erased as soon as its worker stops). A video that was named below the root stays."""
    service = service_of(request)
    row = service.find(job)
    erased = await asyncio.to_thread(service.erase, row)
    return Response(status_code=204 if erased else 202)


async def get_files(
    request: Request, folder: Annotated[str, Query(max_length=4000, description="relative to the root")] = ""
) -> Response:
    """Folders and videos in a folder below the root."""
    service = service_of(request)
    found = await service.read(list_videos, service.settings.root, folder)
    videos = [{"path": path, "bytes": size} for path, size in found.videos]
    return JSONResponse({"folder": folder, "folders": found.folders, "videos": videos, "complete": found.complete})


async def _body(request: Request) -> Any:
    pieces = bytearray()
    async for piece in request.stream():
        pieces += piece
        if len(pieces) > _LONGEST_BODY:
            raise ConfigError("the body is too long", hint="post a path and options", code="request-invalid")
    return _json(bytes(pieces).decode("utf-8", "replace"))


def _json(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"this is not JSON: {error}", hint="see GET /openapi.json", code="request-invalid") from error


def _refused(text: str) -> Any:
    raise ValueError(f"{text} is not a number")


async def _named(service: Service, body: Any) -> Row:
    """A job for a video below the root."""
    try:
        wanted = schemas.PathRequest.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise ConfigError(f"{where}: {first['msg']}", hint="see GET /openapi.json", code="request-invalid") from error
    path = await asyncio.to_thread(video_below, service.settings.root, wanted.path)
    await _check(service, wanted.options)
    facts = await asyncio.to_thread(inspect, path, service.settings.limits)
    facts["bytes"] = path.stat().st_size
    job = secrets.token_hex(8)
    with writing(service.folder_of(job)):
        service.folder_of(job).mkdir(OWNER_ONLY_DIRECTORY)
    return _added(service, job, path, wanted.options, facts, uploaded=False)


async def _uploaded(service: Service, request: Request) -> Row:
    """A job for an uploaded video; nothing of it stays if it is not accepted."""
    settings, job = service.settings, secrets.token_hex(8)
    refuse_too_large(request.headers.get("content-length"), service.folder, settings.limits)
    if service.jobs.full(settings.limits.jobs):
        raise _too_many(service)
    folder = service.folder_of(job)
    with writing(folder):
        folder.mkdir(OWNER_ONLY_DIRECTORY)
    try:
        upload = await receive(request.stream(), request.headers["content-type"], folder, settings.limits)
        service.uploaded_bytes += upload.size
        options = _json(upload.options) if upload.options else {}
        await _check(service, options)
        facts = await asyncio.to_thread(inspect, upload.path, settings.limits)
        facts |= {"bytes": upload.size, "sha256": upload.sha256}
        return _added(service, job, upload.path, options, facts, uploaded=True)
    except BaseException:
        service.remove_folder(job)
        raise


async def _check(service: Service, options: Any) -> None:
    settings = service.settings
    order = await asyncio.to_thread(orders.order_of, options, settings.root, settings.device)
    await asyncio.to_thread(orders.check, order, service.digests)


def _added(
    service: Service, job: str, path: Path, options: dict[str, Any], facts: dict[str, Any], *, uploaded: bool
) -> Row:
    row = Row(job, path.name, str(path.absolute()), uploaded, options, facts, table.QUEUED, time.time())
    if not service.jobs.add(row, service.settings.limits.jobs):
        service.remove_folder(job)
        raise _too_many(service)
    return service.find(job)


def _too_many(service: Service) -> InputError:
    return InputError(
        f"there are {service.settings.limits.jobs} jobs already",
        hint="erase jobs that are done",
        code="too-many-jobs",
    )


def post_body() -> dict[str, Any]:
    """The body of `post_job`, for OpenAPI."""
    options = {"type": "object", "properties": orders.option_schemas(), "additionalProperties": False}
    named = schemas.PathRequest.model_json_schema()
    named["properties"]["options"] = {**options, "default": {}}
    form = {
        "type": "object",
        "required": ["file"],
        "properties": {
            "options": {
                "type": "string",
                "contentMediaType": "application/json",
                "description": "JSON as in `options`",
            },
            "file": {"type": "string", "format": "binary"},
        },
    }
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": named}, "multipart/form-data": {"schema": form}},
        }
    }


def router() -> APIRouter:
    """The routes."""
    found = APIRouter(prefix="/v1", tags=["jobs"])
    found.add_api_route(
        "/jobs",
        post_job,
        methods=["POST"],
        status_code=201,
        response_model=schemas.Job,
        responses=errors(403, 404, 413, 415, 422, 429, 507),
        openapi_extra=post_body(),
    )
    found.add_api_route("/jobs", list_jobs, response_model=schemas.Jobs, responses=errors(422))
    found.add_api_route("/jobs/{job}", get_job, response_model=schemas.Job, responses=errors(404))
    for name, function in (("cancel", cancel_job), ("resume", resume_job)):
        found.add_api_route(
            f"/jobs/{{job}}/{name}",
            function,
            methods=["POST"],
            status_code=202,
            response_model=schemas.Job,
            responses=errors(403, 404, 409),
        )
    found.add_api_route(
        "/jobs/{job}",
        delete_job,
        methods=["DELETE"],
        status_code=204,
        response_class=Response,
        responses={**errors(403, 404), 202: {"description": "It is erased as soon as its worker stops."}},
    )
    found.add_api_route("/files", get_files, response_model=schemas.Files, responses=errors(404, 422))
    return found
