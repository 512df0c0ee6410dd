"""The service itself: health, version, networks, figures, and sessions of browsers."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from fercli.formats import FORMATS
from fercli.models.registry import MODELS
from fercli.serve import schemas
from fercli.serve.guard import COOKIE, SESSION_S
from fercli.serve.metrics import metrics
from fercli.serve.problems import MEDIA_TYPE, details
from fercli.serve.routes.common import errors, service_of
from fercli.version import VERSION


async def health(request: Request) -> Response:
    """Whether the service answers, and can read its table."""
    service_of(request).jobs.counts()
    return JSONResponse({"status": "ok"})


async def version(request: Request) -> Response:
    """The program, and what this service accepts."""
    settings = service_of(request).settings
    limits = settings.limits
    return JSONResponse(
        {
            "fercli": VERSION,
            "token": bool(settings.token),
            "limits": {
                "upload_bytes": limits.upload_bytes,
                "hours": limits.hours,
                "pixels": limits.pixels,
                "jobs": limits.jobs,
            },
            "formats": {name: format.summary for name, format in FORMATS.items()},
            "retention_days": settings.retention_days,
        }
    )


async def models(request: Request) -> Response:
    """The networks, with the terms of their weights."""
    return JSONResponse(
        [
            {
                "name": spec.name,
                "task": spec.task,
                "licence": spec.licence,
                "training_data": spec.training_data,
                "commercial_use": spec.commercial,
            }
            for spec in MODELS.values()
        ]
    )


async def get_metrics(request: Request) -> Response:
    """Figures for Prometheus."""
    return PlainTextResponse(metrics(service_of(request)), media_type="text/plain; version=0.0.4; charset=utf-8")


async def post_session(request: Request, wanted: schemas.SessionRequest) -> Response:
    """A cookie for a browser, in exchange for the token."""
    service, guard = service_of(request), request.app.state.guard
    if not service.settings.token:
        return Response(status_code=204)
    client = request.client.host if request.client else ""
    accepted = guard.accepts(wanted.token, client)
    if accepted is None:
        problem = details(429, "too-many-tokens", "too many wrong tokens", "wait a minute")
        return JSONResponse(problem, 429, media_type=MEDIA_TYPE, headers={"retry-after": "60"})
    if not accepted:
        return JSONResponse(details(401, "token-wrong", "the token is wrong"), 401, media_type=MEDIA_TYPE)
    answer = Response(status_code=204)
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, guard.session(), max_age=SESSION_S, httponly=True, samesite="strict", secure=secure)
    return answer


def router() -> APIRouter:
    """The routes."""
    found = APIRouter(tags=["service"])
    found.add_api_route("/v1/health", health, response_model=schemas.Health)
    found.add_api_route("/v1/version", version, response_model=schemas.VersionFacts, responses=errors())
    found.add_api_route("/v1/models", models, response_model=list[schemas.ModelFacts], responses=errors())
    found.add_api_route("/metrics", get_metrics, response_class=PlainTextResponse, responses=errors())
    found.add_api_route(
        "/v1/session",
        post_session,
        methods=["POST"],
        status_code=204,
        response_class=Response,
        responses=errors(403, 422, 429),
    )
    return found
