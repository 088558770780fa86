"""Connections that come to the point, and streams that end when the server does."""

import asyncio
import socket
from collections.abc import Callable
from typing import ClassVar, final

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol


class PromptHttp(H11Protocol):
    """One connection of HTTP/1.1, on which the header of a request must come in time, or it is ended.

    Otherwise whoever opens connections and hardly says anything could hold as many as the server may have.
    """

    header_s: ClassVar[float]
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """It begins."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Something came."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._rest()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._rest()
        elif self._timer is None:
            self._timer = self.loop.call_later(self.header_s, self._give_up)

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        if self.conn.their_state is h11.IDLE:
            self.transport.abort()


def prompt_http(header_s: float) -> type[PromptHttp]:
    """Connections on which a header may take so many seconds."""
    return type("PromptHttp", (PromptHttp,), {"header_s": header_s})


@final
class Server(uvicorn.Server):
    """Ends what has no end of its own as soon as it is told to stop; all other answers it lets come to theirs."""

    def __init__(self, config: uvicorn.Config, end_streams: Callable[[], None]) -> None:
        super().__init__(config)
        self._end_streams = end_streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Once it was told to stop."""
        self._end_streams()
        await super().shutdown(sockets)
