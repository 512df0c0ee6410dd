"""Runs a service until it is stopped."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from importlib.util import find_spec

from fercli.errors import ConfigError, MissingDependency
from fercli.serve.settings import Settings

_NEEDED = ("fastapi", "uvicorn", "python_multipart", "distributed")
_STOP_S = 5
_IDLE_S = 60
"""A client that asks again within it finds its connection open: with less, its request may meet the end of it."""
_LONGEST_HEADER = 32 * 1024


def require_packages() -> None:
    """Raises MissingDependency if a package of the extra `serve` is not installed."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise MissingDependency(
            f"the service needs {', '.join(missing)}, which is not installed",
            hint="run: pip install 'fercli[serve]'",
        )


def serve(settings: Settings, ready: Callable[[str], None]) -> None:
    """Serve until Ctrl-C or SIGTERM; unfinished jobs go on after the next start.

    Args:
        settings: of the service.
        ready: called with the address once it accepts requests.

    Raises:
        ConfigError: the port is taken.
        as `Service`.
    """
    import uvicorn

    from fercli.serve.app import make_app
    from fercli.serve.service import Service

    _log_to_stderr()
    os.umask(0o077)  # faces and voices are for the owner of the service only
    bound = _bound(settings.host, settings.port)
    service = Service(settings)
    config = uvicorn.Config(
        make_app(service),
        access_log=False,  # addresses have the names of jobs
        log_level="warning",
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=_STOP_S,
        timeout_keep_alive=_IDLE_S,
        h11_max_incomplete_event_size=_LONGEST_HEADER,
    )
    host, port = bound.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    bound.listen(128)
    ready(f"http://{'localhost' if shown in ('127.0.0.1', '[::1]') else shown}:{port}/")
    uvicorn.Server(config).run(sockets=[bound])


def _log_to_stderr() -> None:
    """Only the messages of the service itself: those of Dask are for its developers."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    log = logging.getLogger("fercli.serve")
    log.addHandler(handler)
    log.propagate = False


def _bound(host: str, port: int) -> socket.socket:
    name = host.strip("[]")
    try:
        family, kind, proto, _, address = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)[0]
        found = socket.socket(family, kind, proto)
        try:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind(address)
        except OSError:
            found.close()
            raise
    except OSError as error:
        raise ConfigError(
            f"cannot listen at {host}, port {port}: {error.strerror or error}",
            hint="give another --port; 0 takes a free one",
            code="port-taken",
        ) from error
    return found
