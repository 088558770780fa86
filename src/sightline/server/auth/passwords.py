"""Passwords as Argon2id hashes. Each takes 64 MiB and a quarter of a second, never on the event loop."""

import base64
import os
from typing import final

from anyio import CapacityLimiter, to_thread
from fastapi import HTTPException
from pwdlib import PasswordHash
from pwdlib.exceptions import PwdlibError

from sightline.errors import OptionError

SHORTEST = 10
"""Characters; there are no other rules."""
_MOST_WAITING = 64


@final
class Passwords:
    """Makes and checks hashes, few at once."""

    def __init__(self, at_once: int = 2) -> None:
        self._hasher = PasswordHash.recommended()
        self._nobodys = _nobodys_hash()
        self._turns = CapacityLimiter(at_once)

    def hash(self, password: str) -> str:
        """The hash to keep.

        Raises:
            OptionError: the password is too short.
        """
        if len(password) < SHORTEST:
            raise OptionError(f"password: give at least {SHORTEST} characters")
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
        self._queue()
        return await to_thread.run_sync(self.hash, password, limiter=self._turns)

    async def checked(self, password: str, known: str | None) -> tuple[bool, str | None]:
        """``check``, when it is its turn.

        Raises:
            HTTPException: too many are waiting.
        """
        self._queue()
        return await to_thread.run_sync(self.check, password, known, limiter=self._turns)

    def _queue(self) -> None:
        if self._turns.statistics().tasks_waiting >= _MOST_WAITING:
            raise HTTPException(503, "too many are logging in; try again shortly", {"retry-after": "5"})


def _bytes(password: str) -> bytes:
    """JSON may hold halves of characters, which UTF-8 proper does not."""
    return password.encode("utf-8", "surrogatepass")


def _nobodys_hash() -> str:
    """The hash of no password, with the costs of all others."""
    costs = PasswordHash.recommended().current_hasher._hasher  # type: ignore[attr-defined]  # noqa: SLF001
    salt, digest = (
        base64.b64encode(os.urandom(size)).decode().rstrip("=") for size in (costs.salt_len, costs.hash_len)
    )
    return f"$argon2id$v=19$m={costs.memory_cost},t={costs.time_cost},p={costs.parallelism}${salt}${digest}"
