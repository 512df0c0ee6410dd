"""Who may ask, and the headers of every answer: pure ASGI, so that nothing reaches a route unchecked."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from fercli.serve.problems import MEDIA_TYPE, details
from fercli.serve.settings import Settings

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

COOKIE = "fercli_session"
SESSION_S = 7 * 86400
_PUBLIC = frozenset({"/", "/v1/session", "/v1/health"})
_PUBLIC_FOLDER = "/page/"
_SAFE_METHODS = frozenset({"GET", "HEAD"})
_FAILURES, _WINDOW_S = 10, 60.0
"""Wrong tokens from one address in that time, before it is refused without a look at the token."""
_ADDRESSES = 4096
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"x-frame-options": b"DENY",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=()",
    b"content-security-policy": PAGE_POLICY.encode(),
    b"cache-control": b"no-store",
}
"""Set where a route has not set its own."""


class Guard:
    """Refuses requests under a foreign host name, without the token, or sent by another page.

    Args:
        app: what is guarded.
        settings: of the service.
        clock: seconds.
    """

    def __init__(self, app: Any, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._app, self._settings, self._clock = app, settings, clock
        self._failures: dict[str, deque[float]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await _answer(send, *refusal)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _completed(message.get("headers", ()))
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def session(self) -> str:
        """The value of a cookie that stands for the token, for a week."""
        ends = str(int(self._clock()) + SESSION_S)
        return f"{ends}.{self._signature(ends)}"

    def accepts(self, token: str, client: str) -> bool | None:
        """Whether a token is right; None if this address has given too many wrong ones. Takes the same time for all."""
        now = self._clock()
        failed = self._failures.setdefault(client, deque())
        while failed and failed[0] < now - _WINDOW_S:
            failed.popleft()
        if len(failed) >= _FAILURES:
            return None
        if hmac.compare_digest(token.encode(), self._settings.token.encode()):
            if not failed:
                self._failures.pop(client, None)
            return True
        failed.append(now)
        while len(self._failures) > _ADDRESSES:
            self._failures.pop(next(iter(self._failures)))
        return False

    def _refusal(self, scope: Scope) -> tuple[int, str, str, str] | None:
        """Status, code, text and hint if a request is refused."""
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"host", "")
        if self._settings.only_local_names and not _is_local_name(host):
            return 421, "host-refused", "the request names another host", "use http://localhost"
        if scope["method"] not in _SAFE_METHODS and not _from_here(headers, host):
            return 403, "origin-refused", "the request was sent by a page of another site", "use the service's own page"
        path = scope["path"]
        if not self._settings.token or path in _PUBLIC or path.startswith(_PUBLIC_FOLDER):
            return None
        if self._has_session(headers.get(b"cookie", "")):
            return None
        kind, _, token = headers.get(b"authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            return 401, "token-missing", "this service needs a token", "send the header Authorization: Bearer TOKEN"
        accepted = self.accepts(token.strip(), _client(scope))
        if accepted is None:
            return 429, "too-many-tokens", "too many wrong tokens", f"wait {_WINDOW_S:.0f} seconds"
        return None if accepted else (401, "token-wrong", "the token is wrong", "the token file has the right one")

    def _has_session(self, text: str) -> bool:
        try:
            morsel = SimpleCookie(text).get(COOKIE)
        except CookieError:
            return False
        if morsel is None:
            return False
        ends, _, signature = morsel.value.partition(".")
        right = hmac.compare_digest(signature.encode(), self._signature(ends).encode())
        return right and ends.isdecimal() and int(ends) > self._clock()

    def _signature(self, ends: str) -> str:
        return hmac.new(self._settings.token.encode(), f"session {ends}".encode(), hashlib.sha256).hexdigest()


def _is_local_name(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    return name in ("localhost", "127.0.0.1", "::1")


def _from_here(headers: dict[bytes, str], host: str) -> bool:
    """Whether a page of this service sent a request, or no page at all. Browsers send `Origin` with every request that
    may change something, and no page can leave it out or change it."""
    site = headers.get(b"sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = headers.get(b"origin")
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc == host
    except ValueError:
        return False


def _client(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _completed(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    given = [(name, value) for name, value in headers if name.lower() != b"server"]
    present = {name.lower() for name, _ in given}
    return [*given, *((name, value) for name, value in _HEADERS.items() if name not in present)]


async def _answer(send: Send, status: int, code: str, text: str, hint: str) -> None:
    body = json.dumps(details(status, code, text, hint)).encode()
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="fercli"'))
    if status == 429:
        headers.append((b"retry-after", str(int(_WINDOW_S)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": _completed(headers)})
    await send({"type": "http.response.body", "body": body})
