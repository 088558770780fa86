"""Bodies: counted as they come, whatever their length claims, and given up when they stop coming."""

import asyncio
from collections.abc import Container
from typing import final

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sightline.server.limits.refusal import refuse

_MOST_HEADERS = 100
_MOST_HEADER_BYTES = 32 << 10


@final
class Bodies:
    """Middleware that ends requests which bring too much, or too slowly."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        most_bytes: int,
        uploads: Container[str],
        most_upload_bytes: int,
        chunk_timeout_s: float,
    ) -> None:
        self._app = app
        self._most_bytes = most_bytes
        self._uploads = uploads
        self._most_upload_bytes = most_upload_bytes
        self._chunk_timeout_s = chunk_timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request or WebSocket."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = scope["headers"]
        if len(headers) > _MOST_HEADERS or sum(len(n) + len(v) for n, v in headers) > _MOST_HEADER_BYTES:
            await refuse(scope, receive, send, 431, "too many header fields, or too long ones")
            return
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        is_upload = scope["method"] == "POST" and scope["path"] in self._uploads
        most = self._most_upload_bytes if is_upload else self._most_bytes
        if any(name == b"content-length" and _is_more(value, most) for name, value in headers):
            await refuse(scope, receive, send, 413, _too_much(most))
            return
        body = _Body(scope, receive, send, most, self._chunk_timeout_s)
        try:
            await self._app(scope, body.receive, body.send)
        except HTTPException as error:
            if error is not body.fault:
                raise
        await body.settle()


@final
class _Body:
    """One request's body on its way in, and the answer on its way out, which a fault of the body replaces."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, most: int, timeout_s: float) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._most = most
        self._timeout_s = timeout_s
        self._n_bytes = 0
        self._is_whole = False
        self._has_answered = False
        self.fault: HTTPException | None = None
        """What is wrong with the body."""

    async def receive(self) -> Message:
        """The next piece.

        Raises:
            HTTPException: it is too much, or does not come. Whatever is made of that, the answer will say so.
        """
        if self.fault is not None:
            raise self.fault
        if self._is_whole:  # what comes now is the end of the connection, which may take as long as it likes
            return await self._receive()
        try:
            async with asyncio.timeout(self._timeout_s):
                message = await self._receive()
        except TimeoutError:
            self.fault = HTTPException(408, f"nothing more of the body came within {self._timeout_s:g} s")
            raise self.fault from None
        if message["type"] == "http.request":
            self._n_bytes += len(message.get("body", b""))
            self._is_whole = not message.get("more_body", False)
            if self._n_bytes > self._most:
                self.fault = HTTPException(413, _too_much(self._most))
                raise self.fault
        return message

    async def send(self, message: Message) -> None:
        """Passes the answer on, unless the body was at fault before there was one."""
        if self.fault is None or self._has_answered:
            self._has_answered = True
            await self._send(message)

    async def settle(self) -> None:
        """Says what was wrong, if anything was."""
        if self.fault is not None and not self._has_answered:
            await refuse(self._scope, self._receive, self._send, self.fault.status_code, self.fault.detail)


def _is_more(value: bytes, most: int) -> bool:
    return value.isdigit() and (len(value) > 18 or int(value) > most)


def _too_much(most: int) -> str:
    return f"the body is larger than {most} bytes"
