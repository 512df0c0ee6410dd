"""The web page: one document, its styles and its scripts, all from the package."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Request
from starlette.responses import Response

from fercli.errors import InputError
from fercli.serve.routes.common import PRIVATE, etag, unchanged

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@cache
def _assets() -> dict[str, tuple[bytes, str]]:
    """Name -> content and digest of every file of the page."""
    found = {}
    for file in files("fercli.serve.page").iterdir():
        if any(file.name.endswith(suffix) for suffix in _TYPES):
            content = file.read_bytes()
            found[file.name] = content, hashlib.sha256(content).hexdigest()[:16]
    return found


async def index(request: Request) -> Response:
    """The page."""
    return _asset(request, "index.html")


async def asset(request: Request, name: str) -> Response:
    """A style or a script of the page."""
    return _asset(request, name)


def _asset(request: Request, name: str) -> Response:
    if name not in _assets():
        raise InputError("the page has no such file", hint="open /", code="file-missing")
    content, digest = _assets()[name]
    if (answer := unchanged(request, digest)) is not None:
        return answer
    kind = _TYPES[name[name.rindex(".") :]]
    return Response(content, media_type=f"{kind}; charset=utf-8", headers={"etag": etag(digest), **PRIVATE})


def router() -> APIRouter:
    """The routes."""
    found = APIRouter(include_in_schema=False)
    found.add_api_route("/", index)
    found.add_api_route("/page/{name}", asset)
    return found
