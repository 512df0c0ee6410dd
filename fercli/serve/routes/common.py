"""What the routes share: the service of a request, conditional answers, and the descriptions of errors."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

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


@dataclass(frozen=True)
class Packed:
    """JSON as it is sent, so that it is written once and not in the event loop: `plain`, and compressed by gzip."""

    plain: bytes
    gzip: bytes


def packed(content: Any) -> Packed:
    """Some content as JSON."""
    plain = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    return Packed(plain, gzip.compress(plain, 4, mtime=0))


def versioned(request: Request, content: Packed, version: str) -> Response:
    """JSON with its version, compressed if the caller reads that."""
    headers = {"etag": etag(version), "vary": "accept-encoding", **PRIVATE}
    coding = [one.strip().lower() for one in request.headers.get("accept-encoding", "").split(",")]
    if "gzip" in coding:
        return Response(content.gzip, media_type="application/json", headers={**headers, "content-encoding": "gzip"})
    return Response(content.plain, media_type="application/json", headers=headers)
