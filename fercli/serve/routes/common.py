"""What the routes share: the service of a request, conditional answers, and the descriptions of errors."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from fercli.serve.schemas import Problem
from fercli.serve.service import Service

PRIVATE = {"cache-control": "private, no-cache"}
"""A browser keeps the answer, and asks each time whether it still holds."""


def service_of(request: Request) -> Service:
    """The service that a request is for."""
    found: Service = request.app.state.service
    return found


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Descriptions of errors for OpenAPI."""
    content = {"application/problem+json": {"schema": Problem.model_json_schema()}}
    return {status: {"description": "Problem details", "content": content} for status in (401, *statuses)}


def unchanged(request: Request, version: str) -> Response | None:
    """An answer without content if the caller has this version already."""
    tag = etag(version)
    given = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    return Response(status_code=304, headers={"etag": tag, **PRIVATE}) if tag in given or "*" in given else None


def etag(version: str) -> str:
    """The header ETag of a version."""
    return f'"{version}"'


def versioned(content: Any, version: str) -> JSONResponse:
    """JSON with its version."""
    return JSONResponse(content, headers={"etag": etag(version), **PRIVATE})
