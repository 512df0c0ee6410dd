"""The application: routes, errors as problem details, and the guard around all of it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from fercli.errors import FercliError
from fercli.serve.guard import Guard, Message, Receive, Scope, Send
from fercli.serve.problems import INTERNAL, MEDIA_TYPE, details, problem, status_of
from fercli.serve.routes import about, events, jobs, page, results
from fercli.serve.service import Service
from fercli.version import VERSION

LOG = logging.getLogger("fercli.serve")
_METHODS = frozenset({"GET", "HEAD", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"})
_STREAMED = "/v1/jobs"
"""Where a body may have any length; it is read in pieces."""
_LONGEST_BODY = 2_000_000


def make_app(service: Service) -> Any:
    """The ASGI application of a service."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await service.start()
        try:
            yield
        finally:
            await service.stop()

    app = FastAPI(
        title="fercli",
        version=VERSION,
        summary="Who felt what, when, in a video.",
        lifespan=lifespan,
        docs_url=None,  # their scripts come from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.service = service
    for router in (jobs.router(), events.router(), results.router(), about.router(), page.router()):
        app.include_router(router)
    root = service.settings.root

    async def deliberate(request: Request, error: Exception) -> Response:
        assert isinstance(error, FercliError)
        if status_of(error) >= 500 and error.code != "disk-full":
            LOG.error("%s %s: %s", request.method, request.url.path, error.message)
        return _problem(problem(error, root))

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        return _problem(details(422, "request-invalid", f"{where}: {first['msg']}", "see /openapi.json"))

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
        return _problem(details(error.status_code, code, str(error.detail)), error.headers)

    async def bug(request: Request, error: Exception) -> Response:
        return _problem(details(500, INTERNAL, "a bug in fercli; the log of the service has the details"))

    app.add_exception_handler(FercliError, deliberate)
    app.add_exception_handler(Exception, bug)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.state.guard = guard = Guard(_Outermost(app, service), service.settings)
    return guard


class _Outermost:
    """Counts the answers, and logs what no route expected."""

    def __init__(self, app: Any, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"] != _STREAMED and _is_too_long(scope):
            text = f"a body has a Content-Length of at most {_LONGEST_BODY} bytes"
            await _problem(details(413, "body-too-long", text))(scope, receive, send)
            return

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                method = scope["method"] if scope["method"] in _METHODS else "other"
                key = method, message["status"]
                self._service.requests[key] = self._service.requests.get(key, 0) + 1
            await send(message)

        try:
            await self._app(scope, receive, counted)
        except Exception:  # answered already, unless the connection was lost
            LOG.exception("%s %s", scope["method"], scope["path"])


def _is_too_long(scope: Scope) -> bool:
    """Whether a body is longer than any but an upload needs, or does not say how long it is."""
    headers = dict(scope["headers"])
    length = headers.get(b"content-length", b"0")
    return b"transfer-encoding" in headers or not length.isdigit() or int(length) > _LONGEST_BODY


def _problem(content: dict[str, Any], headers: Any = None) -> JSONResponse:
    return JSONResponse(content, content["status"], media_type=MEDIA_TYPE, headers=headers)
