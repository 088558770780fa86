"""Answers of middlewares, which stand outside of what turns exceptions into answers."""

from collections.abc import Mapping

from fastapi.responses import JSONResponse
from starlette.types import Receive, Scope, Send


async def refuse(
    scope: Scope, receive: Receive, send: Send, status: int, detail: str, headers: Mapping[str, str] | None = None
) -> None:
    """Answers a request, or declines a WebSocket, in the field's shape. What is left of the body is not read."""
    closing = {"connection": "close"} if scope["type"] == "http" and scope["method"] not in {"GET", "HEAD"} else {}
    response = JSONResponse({"detail": detail}, status, {**(headers or {}), **closing})
    if scope["type"] == "websocket" and "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008, "reason": detail[:100]})
        return
    await response(scope, receive, send)
