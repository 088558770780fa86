"""Answers of middlewares, which stand outside of what turns exceptions into answers."""

import asyncio
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from sightline.server.errors import answer

_MOST_DRAINED = 8 << 20
_DRAIN_S = 1.0


async def refuse(
    scope: Scope, receive: Receive, send: Send, status: int, detail: str, headers: Mapping[str, str] | None = None
) -> None:
    """Answers a request, or declines a WebSocket, in the shape of its path; the connection ends if a body is left."""
    if scope["type"] == "websocket" and "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008, "reason": detail[:100]})
        return
    closing = {}
    if scope["type"] == "http" and scope["method"] not in {"GET", "HEAD"}:
        await _drain(scope, receive)
        closing = {"connection": "close"}
    await answer(status, detail, {**(headers or {}), **closing}, scope["path"])(scope, receive, send)


async def _drain(scope: Scope, receive: Receive) -> None:
    """Throws away what little is left of a body: who is still sending when the connection ends misses the answer."""
    headers = Headers(scope=scope)
    length = headers.get("content-length", "0")
    if "expect" in headers or not length.isdigit() or len(length) > 9 or int(length) > _MOST_DRAINED:
        return
    n_bytes = 0
    try:
        async with asyncio.timeout(_DRAIN_S):
            while n_bytes <= _MOST_DRAINED:
                message = await receive()
                n_bytes += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return
    except TimeoutError:
        return
