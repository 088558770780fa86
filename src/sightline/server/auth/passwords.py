"""Passwords as Argon2id hashes. Each takes 64 MiB and a quarter of a second, never on the event loop."""

import asyncio
import base64
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar, final

from fastapi import HTTPException
from pwdlib import PasswordHash
from pwdlib.exceptions import PwdlibError
from pwdlib.hashers.argon2 import Argon2Hasher

from sightline.errors import OptionError

SHORTEST = 10
"""Characters; there are no other rules."""
_N_PASSES, _KIBIBYTES, _N_LANES = 3, 64 << 10, 1
"""As RFC 9106 has it for little memory, but in one lane: what gains time on idle cores takes it from busy ones."""
_NICENESS = 5
Answer = TypeVar("Answer")


@final
class Passwords:
    """Makes and checks hashes, few at once."""

    def __init__(self, at_once: int = 2, most_waiting: int = 64) -> None:
        self._hasher = PasswordHash((Argon2Hasher(_N_PASSES, _KIBIBYTES, _N_LANES),))
        self._nobodys = _nobodys_hash()
        self._pool = ThreadPoolExecutor(at_once, "passwords", _be_modest)
        self._n_waiting = 0
        self._most_waiting = most_waiting

    def hash(self, password: str, shortest: int = SHORTEST) -> str:
        """The hash to keep.

        Raises:
            OptionError: the password is too short.
        """
        if len(password) < shortest:
            raise OptionError(f"password: give at least {shortest} characters")
        return self._hasher.hash(_bytes(password))

    def check(self, password: str, known: str | None) -> tuple[bool, str | None]:
        """Whether the password is that of the hash ``known``, and a newer hash where that one is outdated.

        None is nobody's, and takes as long to check.
        """
        try:
            is_right, newer = self._hasher.verify_and_update(_bytes(password), known or self._nobodys)
        except PwdlibError:  # kept in a form that nobody knows
            return False, None
        return is_right and known is not None, newer

    async def hashed(self, password: str) -> str:
        """``hash``, when it is its turn.

        Raises:
            OptionError: the password is too short.
            HTTPException: too many are waiting.
        """
        return await self._queued(lambda: self.hash(password))

    async def checked(self, password: str, known: str | None) -> tuple[bool, str | None]:
        """``check``, when it is its turn.

        Raises:
            HTTPException: too many are waiting.
        """
        return await self._queued(lambda: self.check(password, known))

    async def _queued(self, work: Callable[[], Answer]) -> Answer:
        if self._n_waiting >= self._most_waiting:
            raise HTTPException(503, "too many are logging in; try again shortly", {"retry-after": "5"})
        self._n_waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._n_waiting -= 1


def _be_modest() -> None:
    """Has this thread step back behind the one that serves requests."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def _bytes(password: str) -> bytes:
    """JSON may hold halves of characters, which UTF-8 proper does not."""
    return password.encode("utf-8", "surrogatepass")


def _nobodys_hash() -> str:
    """The hash of no password, with the costs of all others."""
    salt, digest = (base64.b64encode(os.urandom(size)).decode().rstrip("=") for size in (16, 32))
    return f"$argon2id$v=19$m={_KIBIBYTES},t={_N_PASSES},p={_N_LANES}${salt}${digest}"
