"""Every request gets a number, a line in the log and a place in the metrics."""

import asyncio
import logging
import re
import time
from secrets import token_hex
from typing import final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sightline.server.metrics import Metrics

_NUMBER = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SILENT = ("/health", "/metrics")
"""Asked every few seconds by machines: only in the log when they fail."""
_log = logging.getLogger(__name__)


@final
class Numbered:
    """Middleware that numbers requests. A number that the client sends in ``X-Request-ID`` is kept."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        number = given if _NUMBER.fullmatch(given) else token_hex(8)
        scope.setdefault("state", {})["request_id"] = number
        began_s, status = time.perf_counter(), 500

        async def numbered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = number
            elif message["type"] == "websocket.accept":
                status = 101
            await send(message)

        with structlog.contextvars.bound_contextvars(request=number):
            try:
                await self._app(scope, receive, numbered)
            except asyncio.CancelledError:  # the server ends and has waited long enough
                _log.warning("%s %s cut off", scope.get("method", "WS"), scope["path"])
            finally:
                self._note(scope, status, time.perf_counter() - began_s)

    def _note(self, scope: Scope, status: int, took_s: float) -> None:
        """In the log and the metrics. The route's pattern, not the path: that may hold anything."""
        route = getattr(scope.get("route"), "path", "unmatched")
        method = scope.get("method", "WS")
        self._metrics.seen(method, route, status, took_s)
        level = logging.DEBUG if scope["path"].startswith(_SILENT) and status < 400 else logging.INFO
        _log.log(level, "%s %s %d", method, scope["path"], status, extra={"seconds": round(took_s, 4)})
