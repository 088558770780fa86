"""One connection: requests one after the other, each answered before the next is read."""

import asyncio
import json
import logging
import re
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar, final

from anyio import to_thread
from sqlalchemy.exc import SQLAlchemyError

from sightline.errors import EngineError, FormatError, RefusedError, SightlineError, StoreError, UnknownError
from sightline.model.user import Role
from sightline.server.auth.guard import is_near
from sightline.server.tcp import uploads
from sightline.server.tcp.members import Member, Members
from sightline.server.tcp.reconstructions import Found, Reconstructions
from sightline.server.tcp.wire import LONGEST, HungUpError, Wire, counted, length
from sightline.settings import Tcp

_HASH = re.compile(r"[0-9a-f]{64}")
_CREDENTIALS_BYTES = 8 << 10
_WORD_BYTES = 1 << 10
_MISTAKE_BYTES = 64 << 10
"""Longest payload of a command that there is not; what is longer was not meant for us."""
_NOBODY = b"[false, false]"
Result = TypeVar("Result")
_log = logging.getLogger(__name__)


class Command(IntEnum):
    """What can be asked for."""

    LOGIN = 1
    """``{"u": NAME, "p": PASSWORD}``; ``[whether it is right, whether it is a VIP]`` comes back."""
    IMAGES = 2
    """How many, then of each its length and it; the name and the GLB come back."""
    VIDEO = 3
    """A video; the name and the GLB come back."""
    GET = 4
    """A hash; the GLB comes back."""


_UNKNOWN = b"UNKNOWN_COMMAND"
_STRANGER = b"ERROR_NOT_LOGGED_IN"
_NOT_MADE = {Command.IMAGES: b"ERROR_IMAGE_REQUEST", Command.VIDEO: b"ERROR_VIDEO_REQUEST"}
_NOT_GIVEN: tuple[tuple[type[Exception], bytes], ...] = (
    (RefusedError, _STRANGER),
    (FormatError, b"ERROR_INVALID_HASH"),
    (UnknownError, b"ERROR_HASH_NOT_FOUND"),
    (Exception, b"ERROR_FILE_MISSING"),
)


@dataclass(frozen=True, slots=True)
class Shared:
    """What all connections use."""

    limits: Tcp
    """How much one may take."""
    members: Members
    """Who is who."""
    works: Reconstructions
    """Makes and keeps reconstructions."""
    folder: Path
    """Where uploads are on their way."""


@final
class Session:
    """Talks to one client."""

    def __init__(self, wire: Wire, lost: asyncio.Event, address: tuple[str, str], shared: Shared) -> None:
        """``address`` is where it comes from, exactly, and under which it is counted."""
        self._wire, self._lost, self._shared = wire, lost, shared
        self._address, self._group = address
        self._member: Member | None = None
        self.is_idle = True
        """Whether it waits for the client to ask for something."""

    async def run(self, is_over: Callable[[], bool]) -> None:
        """Answers until the client leaves, breaks the rules, or it is over.

        Raises:
            HungUpError: the client left in the middle, or stopped reading or writing.
        """
        self._member = await self._shared.members.at(self._address)
        while not is_over():
            limits = self._shared.limits
            request = await self._wire.begin(limits.login_s if self._member is None else limits.idle_s)
            if request is None:
                return
            self.is_idle = False
            if not await self._answer(*request):
                return
            self.is_idle = True

    async def _answer(self, command: int, n_bytes: int) -> bool:
        """Whether the conversation can go on."""
        if n_bytes > self._most(command):
            self._note(command, n_bytes, "too long", 0.0)
            await self._wire.send(_error(command, FormatError("too long")))
            await self._wire.linger()
            return False
        began_s, rest = time.monotonic(), None
        try:
            reply, rest, told = await self._reply(command)
        except (SightlineError, SQLAlchemyError, OSError) as error:
            # An error of the database may quote what was sent.
            told = str(error) if isinstance(error, SightlineError) else type(error).__name__
            reply = _error(command, error)
        await self._wire.skip()
        await self._wire.send(reply)
        if rest is not None:
            await self._pass_on(rest)
        self._note(command, n_bytes, told, time.monotonic() - began_s)
        return True

    async def _reply(self, command: int) -> tuple[bytes, Iterator[bytes] | None, str]:
        """What to say, what to say after that, and what the log says.

        Raises:
            HungUpError, SightlineError, SQLAlchemyError, OSError: it cannot be done.
        """
        match command:
            case Command.LOGIN:
                return counted(await self._log_in()), None, "done"
            case Command.IMAGES | Command.VIDEO:
                found = await self._reconstruct(command)
                return await _opened(found, counted(f"{found.hash}.glb".encode()))
            case Command.GET:
                return await _opened(await self._get(), b"")
        return counted(_UNKNOWN), None, "no such command"

    async def _log_in(self) -> bytes:
        payload = await self._wire.take(self._wire.left)
        self._member = None
        self._member = await self._shared.members.log_in(payload, self._address, self._group)
        if self._member is None:
            return _NOBODY
        return json.dumps([True, self._member.is_vip]).encode()

    async def _reconstruct(self, command: int) -> Found:
        """Who may not is told so before anything is kept."""
        member = await self._shared.members.check(self._member, Role.OPERATOR)
        async with _folder(self._shared.folder) as folder:
            if command == Command.VIDEO:
                files = [await uploads.video(self._wire, folder)]
            else:
                files = await uploads.images(self._wire, folder, self._shared.limits.images)
                if self._wire.left:
                    raise FormatError(f"{self._wire.left} bytes follow the last image")
            number = await self._shared.works.submit(files, member.name, is_near=is_near(self._address))
        return await self._unless_lost(self._shared.works.result(number))

    async def _get(self) -> Found:
        if self._shared.limits.downloads_need_login:
            await self._shared.members.check(self._member, Role.VIEWER)
        digits = (await self._wire.take(self._wire.left)).decode("ascii", "replace").strip()
        if not _HASH.fullmatch(digits):
            raise FormatError("no hash")
        return await self._shared.works.find(digits)

    async def _unless_lost(self, work: Coroutine[Any, Any, Result]) -> Result:
        """What comes of it, as long as the client is there and it does not take too long.

        Raises:
            HungUpError: the client is gone.
            EngineError: it took too long.
        """
        doing, losing = asyncio.ensure_future(work), asyncio.ensure_future(self._lost.wait())
        try:
            await asyncio.wait({doing, losing}, timeout=self._shared.limits.result_s, return_when="FIRST_COMPLETED")
            if doing.done():
                return doing.result()
            if losing.done():
                raise HungUpError("the client left before it was done")
            raise EngineError("it took too long")
        finally:
            for task in (doing, losing):
                task.cancel()
            await asyncio.gather(doing, losing, return_exceptions=True)

    async def _pass_on(self, rest: Iterator[bytes]) -> None:
        """Sends the rest of a file, whose length was said already."""
        try:
            while piece := await to_thread.run_sync(next, rest, b""):
                await self._wire.send(piece)
        except StoreError as error:
            raise HungUpError(f"a result could not be read to its end: {error}") from None

    def _most(self, command: int) -> int:
        """Longest payload of a command."""
        match command:
            case Command.LOGIN:
                return _CREDENTIALS_BYTES
            case Command.IMAGES | Command.VIDEO:
                return self._shared.limits.payload_bytes
            case Command.GET:
                return _WORD_BYTES
        return _MISTAKE_BYTES

    def _note(self, command: int, n_bytes: int, told: str, took_s: float) -> None:
        name = Command(command).name.lower() if command in list(Command) else f"unknown ({command})"
        who = self._member.name if self._member else "nobody"
        _log.info("%s: address=%s who=%s bytes=%d took_s=%.3f %s", name, self._address, who, n_bytes, took_s, told)


async def _opened(found: Found, before: bytes) -> tuple[bytes, Iterator[bytes], str]:
    """The beginning of a file, behind ``before`` and its length, the rest of it, and what the log says.

    All in one: clients that read only once get small files whole.

    Raises:
        StoreError: it cannot be read, or is too long for this protocol.
    """
    if found.n_bytes > LONGEST:
        raise StoreError(f"{found.n_bytes} bytes are too many for this protocol")
    rest = await to_thread.run_sync(found.pieces)
    first = await to_thread.run_sync(next, rest, b"")
    return before + length(found.n_bytes) + first, rest, f"sent={found.n_bytes} hash={found.hash[:8]}..."


def _error(command: int, error: Exception) -> bytes:
    """What clients know an error by."""
    if command == Command.LOGIN:
        return counted(_NOBODY)
    if command in _NOT_MADE:
        text = _STRANGER if isinstance(error, RefusedError) else _NOT_MADE[Command(command)]
        return counted(b"") + counted(text)
    if command == Command.GET:
        return counted(next(text for kind, text in _NOT_GIVEN if isinstance(error, kind)))
    return counted(_UNKNOWN)


@asynccontextmanager
async def _folder(parent: Path) -> AsyncIterator[Path]:
    """A new folder for a while."""
    folder = await to_thread.run_sync(lambda: TemporaryDirectory(dir=parent))
    try:
        yield Path(folder.name)
    finally:
        await asyncio.shield(to_thread.run_sync(folder.cleanup))
