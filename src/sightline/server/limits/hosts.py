"""Keeps other people's web pages out of a server that needs no login.

A browser on this machine reaches it, and any page can make a browser send requests. Two things give such pages away:
the name they were told to ask (DNS rebinding), and the origin that browsers add (cross-site requests). Programs such
as curl send no origin and are not concerned.
"""

import ipaddress
from collections.abc import Iterable
from typing import final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from sightline.errors import StoreError
from sightline.server.auth.guard import Guard, is_near
from sightline.server.limits.refusal import refuse

_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_LOOKING = {"GET", "HEAD", "OPTIONS"}


@final
class Hosts:
    """Middleware that refuses requests for names that are not ours, and changes that other pages ask for."""

    def __init__(self, app: ASGIApp, *, guard: Guard, host: str, names: Iterable[str], origins: Iterable[str]) -> None:
        self._app = app
        self._guard = guard
        self._is_near = is_near(host)
        self._names = {name.lower().rstrip(".") for name in names}
        self._origins = {_origin(origin) for origin in origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request or WebSocket."""
        if scope["type"] in {"http", "websocket"}:
            headers = Headers(scope=scope)
            if not all(map(self._is_ours, headers.getlist("host"))) and await self._is_open():
                name = headers["host"][:100]
                why = f"host {name!r} is not served here; if it is yours, add it to the setting allowed_hosts"
                await refuse(scope, receive, send, 421, why)
                return
            if self._is_foreign(scope, headers):
                why = "this page's origin may not do that; if it is yours, add it to the setting cors_origins"
                await refuse(scope, receive, send, 403, why)
                return
        await self._app(scope, receive, send)

    async def _is_open(self) -> bool:
        """Whether it matters by which name we are asked: a page that must log in gains nothing."""
        try:
            return await self._guard.is_open()
        except StoreError:
            return True

    def _is_ours(self, host: str) -> bool:
        """Whether no stranger can have a page under this name."""
        try:
            name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        except ValueError:
            return False
        if is_near(name) or name in self._names:
            return True
        if self._is_near:
            return False
        # Where all may come in, names of other machines are known only to their network; rebinding needs a public one.
        return bool(name) and ("." not in name or _is_address(name))

    def _is_foreign(self, scope: Scope, headers: Headers) -> bool:
        """Whether another page wants something changed, or to listen."""
        if scope["type"] == "http" and scope["method"] in _LOOKING:
            return False
        origin = headers.get("origin")
        if origin is None:
            return headers.get("sec-fetch-site") == "cross-site"
        known = _origin(origin)
        if known is not None and known in self._origins:
            return False
        host = _origin(f"{known[0] if known else 'http'}://{headers.get('host', '')}")
        return known is None or known != host


def _origin(text: str) -> tuple[str, str, int] | None:
    """Scheme, host and port; None for what is none, such as ``null``."""
    try:
        parts = urlsplit(text.strip().lower())
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname and port else None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
