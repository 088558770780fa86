"""Messages on a connection: numbers and lengths first, then exactly that much, and nobody waits for ever.

A request is a byte (the command), four bytes (how much follows) and that. Numbers are big-endian and unsigned.
"""

import asyncio
import struct
from collections.abc import AsyncIterator
from typing import final

from sightline.errors import FormatError

PIECE = 128 << 10
"""Most bytes of a connection that are in memory at a time, give or take."""
LONGEST = (1 << 32) - 1
"""Largest length that can be said."""
_HEAD = struct.Struct(">BI")
_NUMBER = struct.Struct(">I")
_LINGER_S = 2.0
"""How long what a client still sends is thrown away, so that it comes to read why."""


class HungUpError(Exception):
    """Nothing more can be said on this connection: it is lost, too slow, or was left in the middle."""


@final
class Ends(asyncio.StreamReaderProtocol):
    """Streams, and the news that a connection is lost even while nobody reads from it."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        super().__init__(reader)
        self.lost = asyncio.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tells whoever waits."""
        super().connection_lost(exc)
        self.lost.set()


@final
class Wire:
    """One connection, as messages. Whatever takes longer than ``silence_s`` for one piece hangs up."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, silence_s: float) -> None:
        self._reader, self._writer, self._silence_s = reader, writer, silence_s
        self.left = 0
        """How many bytes of the request have not been read."""
        # What is sent is with the system, or the sending waits. Under TLS, 0 would mean that it waits for ever.
        writer.transport.set_write_buffer_limits(high=1, low=0)

    async def begin(self, patience_s: float) -> tuple[int, int] | None:
        """Command and length of the next request; None where the client left, or kept silent so long.

        Raises:
            HungUpError: it left in the middle.
        """
        try:
            async with asyncio.timeout(patience_s):
                first = await self._reader.read(1)
        except OSError:  # also the time-out
            return None
        if not first:
            return None
        command, self.left = _HEAD.unpack(first + await self._exactly(_HEAD.size - 1))
        return command, self.left

    async def take(self, n_bytes: int) -> bytes:
        """So many bytes of the request; for little ones.

        Raises:
            FormatError: the request does not have so many.
            HungUpError: they do not come.
        """
        self._check(n_bytes)
        self.left -= n_bytes
        return await self._exactly(n_bytes)

    async def number(self) -> int:
        """The next four bytes as a number.

        Raises:
            FormatError: the request ends before.
            HungUpError: they do not come.
        """
        (number,) = _NUMBER.unpack(await self.take(_NUMBER.size))
        return int(number)

    async def pieces(self, n_bytes: int) -> AsyncIterator[bytes]:
        """So many bytes of the request, in pieces.

        Raises:
            FormatError: the request does not have so many.
            HungUpError: they do not come.
        """
        self._check(n_bytes)
        while n_bytes:
            piece = await self.take(min(n_bytes, PIECE))
            n_bytes -= len(piece)
            yield piece

    async def skip(self) -> None:
        """Reads the rest of the request and forgets it.

        Raises:
            HungUpError: it does not come.
        """
        async for _ in self.pieces(self.left):
            pass

    async def send(self, data: bytes) -> None:
        """Says something.

        Raises:
            HungUpError: nobody takes it.
        """
        try:
            async with asyncio.timeout(self._silence_s):
                self._writer.write(data)
                await self._writer.drain()
        except OSError as error:
            raise HungUpError(f"nobody took the answer ({type(error).__name__})") from None

    async def linger(self) -> None:
        """For a client that is about to be hung up on while it sends: gives it a moment to see the answer.

        The system would take the answer back if there was anything unread at the end.
        """
        try:
            async with asyncio.timeout(_LINGER_S):
                if self._writer.can_write_eof():
                    self._writer.write_eof()
                while await self._reader.read(PIECE):
                    pass
        except OSError:
            return

    def _check(self, n_bytes: int) -> None:
        if n_bytes > self.left:
            raise FormatError(f"the request ends after {self.left} of {n_bytes} bytes")

    async def _exactly(self, n_bytes: int) -> bytes:
        try:
            async with asyncio.timeout(self._silence_s):
                return await self._reader.readexactly(n_bytes)
        except asyncio.IncompleteReadError:
            raise HungUpError("the client left in the middle of a request") from None
        except TimeoutError:
            raise HungUpError("the client fell silent in the middle of a request") from None
        except OSError as error:
            raise HungUpError(f"the connection was lost ({type(error).__name__})") from None


def counted(data: bytes) -> bytes:
    """``data`` behind its length."""
    return length(len(data)) + data


def length(n_bytes: int) -> bytes:
    """A length, as it is said."""
    return _NUMBER.pack(n_bytes)
