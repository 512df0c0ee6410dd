"""Results of a job that is done: exports, tables, the report, pictures, the video, the timeline, and corrections."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi import Path as PathPart
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse

from fercli.errors import InputError
from fercli.exports import as_bytes
from fercli.formats import FORMATS, choose_format
from fercli.serve import schemas
from fercli.serve.corrections import correct
from fercli.serve.pictures import face, frame, policy_of, report
from fercli.serve.reading import version_of
from fercli.serve.routes.common import PRIVATE, Packed, errors, etag, packed, service_of, unchanged, versioned
from fercli.serve.rows import ARROW, CSV, JSON, TABLES, page_of, streamed, type_of
from fercli.serve.timeline import edits, timeline, tracks
from fercli.workspace import Workspace

_MEDIA_TYPES = {".json": "application/json", ".csv": "text/csv; charset=utf-8", ".vtt": "text/vtt; charset=utf-8"}
_VIDEO_TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/mp4",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
    ".ogv": "video/ogg",
}
_LARGEST_TABLE_PAGE = 10_000
_KNOWN = {"description": "You have it already"}


async def get_result(
    request: Request,
    job: str,
    format: Annotated[str, Query(max_length=40, description="a name from `fercli formats`")] = "json",
) -> Response:
    """The annotations in any format, with all corrections."""
    service = service_of(request)
    workspace = service.workspace_of(job)
    name = choose_format(Path(), format)
    version = version_of(workspace).whole
    if (answer := unchanged(request, f"{name}-{version}")) is not None:
        return answer

    def make() -> bytes:
        return as_bytes(service.reading.result(workspace), name)

    content = await service.read(make)
    suffix = FORMATS[name].suffix
    stem = Path(service.find(job).name).stem
    return Response(
        content,
        media_type=_MEDIA_TYPES.get(suffix, "application/octet-stream"),
        headers={
            "etag": etag(f"{name}-{version}"),
            "content-disposition": f"attachment; filename*=UTF-8''{quote(stem + suffix, safe='')}",
            **PRIVATE,
        },
    )


def table_route(name: str) -> Any:
    """The route of a table."""

    async def get_table(
        request: Request,
        job: str,
        offset: Annotated[int, Query(ge=0, le=2**53)] = 0,
        limit: Annotated[int, Query(ge=1, le=_LARGEST_TABLE_PAGE)] = 1000,
    ) -> Response:
        service = service_of(request)
        workspace = service.workspace_of(job)
        kind = type_of(request.headers.get("accept", ""))
        version = f"{name}-{kind.partition('/')[2]}-{version_of(workspace).whole}"
        if (answer := unchanged(request, version)) is not None:
            return answer
        result = await service.read(service.reading.result, workspace)
        headers = {"etag": etag(version), "vary": "accept", **PRIVATE}
        if kind != JSON:
            return StreamingResponse(streamed(result, name, kind), media_type=kind, headers=headers)
        rows, more = await service.read(page_of, result, name, offset, limit)
        following = f"/v1/jobs/{job}/{name}?offset={offset + limit}&limit={limit}" if more else None
        return JSONResponse({"rows": rows, "offset": offset, "next": following}, headers=headers)

    get_table.__name__ = f"get_{name}"
    get_table.__doc__ = (
        f"The table `{name}`: JSON in pages, or all of it as an Arrow stream ({ARROW}) or CSV, by the header Accept."
    )
    return get_table


async def get_report(request: Request, job: str) -> Response:
    """The report as one page."""
    service = service_of(request)
    workspace = service.workspace_of(job)
    version = f"report-{version_of(workspace).whole}"
    if (answer := unchanged(request, version)) is not None:
        return answer
    page = await service.read(report, workspace)
    headers = {"etag": etag(version), "content-security-policy": policy_of(page), **PRIVATE}
    return Response(page, media_type="text/html; charset=utf-8", headers=headers)


async def get_frame(
    request: Request, job: str, t: Annotated[float, PathPart(ge=-1e6, le=1e7, allow_inf_nan=False)]
) -> Response:
    """The frame at a time, seconds from the start in a player, as JPEG."""
    service = service_of(request)
    workspace = service.opened(job)
    content = await service.read(frame, workspace, t)
    return Response(content, media_type="image/jpeg", headers={"cache-control": "private, max-age=3600"})


async def get_face(request: Request, job: str, number: Annotated[int, PathPart(ge=0, le=2**53)]) -> Response:
    """The picture of a face, as JPEG; `best_face` of the table `tracks` names one."""
    service = service_of(request)
    workspace = service.opened(job)
    content = await service.read(face, workspace, number)
    return Response(content, media_type="image/jpeg", headers=PRIVATE)


async def get_video(request: Request, job: str) -> Response:
    """The video, with byte ranges."""
    service = service_of(request)
    row = service.find(job)
    path = Path(row.video)
    # A link may have been put there since.
    if not path.is_file() or not path.resolve().is_relative_to(service.settings.root.resolve()):
        raise InputError("the video is no longer there", hint="everything else works", code="file-missing")
    kind = _VIDEO_TYPES.get(path.suffix.lower(), "application/octet-stream")
    return FileResponse(path, media_type=kind, headers=PRIVATE)


async def get_timeline(request: Request, job: str) -> Response:
    """What the page draws: persons with segments and words, and the edits. The ETag is the version for If-Match."""
    service = service_of(request)
    workspace = service.workspace_of(job)
    version = version_of(workspace).whole
    if (answer := unchanged(request, version)) is not None:
        return answer

    def make() -> Packed:
        return packed(timeline(service.reading.result(workspace), Workspace.open(workspace)))

    content = await service.read(lambda: service.reading.kept(workspace, "timeline", version, make))
    return versioned(request, content, version)


async def get_tracks(request: Request, job: str) -> Response:
    """What the page draws and no edit changes: boxes, probabilities and ratings of every track, and the cuts."""
    service = service_of(request)
    workspace = service.workspace_of(job)
    version = version_of(workspace).tables
    if (answer := unchanged(request, version)) is not None:
        return answer
    content = await service.read(
        service.reading.tables_only, workspace, "tracks", lambda opened: packed(tracks(opened))
    )
    return versioned(request, content, version)


async def get_edits(request: Request, job: str) -> Response:
    """All edits, with their present effect."""
    service = service_of(request)
    workspace = service.workspace_of(job)
    version = version_of(workspace).whole

    def make() -> Packed:
        return packed(edits(service.reading.result(workspace), Workspace.open(workspace)))

    content = await service.read(lambda: service.reading.kept(workspace, "edits", version, make))
    return versioned(request, content, version)


async def post_edit(request: Request, job: str, wanted: schemas.EditRequest) -> Response:
    """Correct something; with If-Match only if nobody has corrected anything since that version."""
    service = service_of(request)
    workspace = service.opened(job)
    if_match = request.headers.get("if-match", "").strip().strip('"')
    added = await service.read(correct, workspace, wanted, if_match)
    version = version_of(workspace.path).whole
    service.hub.send("edits", job, {"version": version, "by": wanted.by})
    return JSONResponse({**added, "version": version}, 201)


def router() -> APIRouter:
    """The routes."""
    found = APIRouter(prefix="/v1/jobs/{job}", tags=["results"])
    fails = errors(404, 409, 422)
    found.add_api_route(
        "/result", get_result, response_class=Response, responses={**_files("application/json"), **fails}
    )
    for name in TABLES:
        found.add_api_route(
            f"/{name}",
            table_route(name),
            response_model=schemas.Page,
            responses={200: {"content": {ARROW: {}, CSV: {}}}, 304: _KNOWN, **errors(404, 406, 409, 422)},
        )
    found.add_api_route("/report", get_report, response_class=Response, responses={**_files("text/html"), **fails})
    found.add_api_route(
        "/frames/{t}.jpg", get_frame, response_class=Response, responses={**_files("image/jpeg"), **fails}
    )
    found.add_api_route(
        "/faces/{number}.jpg", get_face, response_class=Response, responses={**_files("image/jpeg"), **fails}
    )
    found.add_api_route("/video", get_video, response_class=Response, responses={**_files("video/mp4"), **errors(404)})
    known: dict[int | str, dict[str, Any]] = {304: _KNOWN, **fails}
    found.add_api_route("/timeline", get_timeline, response_model=schemas.Timeline, responses=known)
    found.add_api_route("/tracks-drawn", get_tracks, response_model=schemas.TracksDrawn, responses=known)
    found.add_api_route("/edits", get_edits, response_model=schemas.Edits, responses=fails)
    found.add_api_route(
        "/edits",
        post_edit,
        methods=["POST"],
        status_code=201,
        response_model=schemas.EditAnswer,
        responses=errors(403, 404, 409, 412, 422),
    )
    return found


def _files(kind: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"description": "The file", "content": {kind: {}}}, 304: _KNOWN}
