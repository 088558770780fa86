"""Who is at the other end of a connection."""

import asyncio
import hashlib
import json
import logging
import math
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, final
from weakref import WeakValueDictionary

from anyio import to_thread
from fastapi import HTTPException

from sightline.errors import RefusedError
from sightline.model.user import Role, User
from sightline.server.auth.guard import ANYBODY, Guard
from sightline.server.counts import Counts
from sightline.settings import Settings

_WINDOW_S = 60
_PER_ADDRESS = 4
"""So many times what one name may fail from one address."""
_MOST_INHERITED = 4096
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who logged in."""

    name: str
    """Their name."""
    is_vip: bool
    """What clients are told."""
    since_utc_s: float
    """When they logged in."""
    is_anybody: bool = False
    """Whether they needed no password, since nobody does."""


@final
class Members:
    """Lets people in, and remembers them where the settings say so."""

    def __init__(self, settings: Settings, guard: Guard) -> None:
        self._guard = guard
        self._inherits = settings.tcp.inherit_login_by_address
        self._lasts_s = settings.auth.token_minutes * 60.0
        self._failures = _Failures(guard.counts, settings.auth.logins_per_minute)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._last: OrderedDict[str, Member] = OrderedDict()

    async def log_in(self, payload: bytes, address: str, group: str) -> Member | None:
        """Whoever has the name and password that ``payload`` says, as JSON; ``group`` are those who fail together.

        Raises:
            StoreError, SQLAlchemyError: the database does not answer.
        """
        given = _credentials(payload)
        if given is None:
            return None
        if await self._guard.is_open():
            return _anybody()
        turn = self._turns.setdefault(group, asyncio.Lock())
        async with turn:  # one after the other, so that failures are counted before the next one tries
            member = await self._checked(*given, group)
        if member is None:
            _log.warning("login refused: address=%s", address)
        elif self._inherits:
            self._last[address] = member
            self._last.move_to_end(address)
            if len(self._last) > _MOST_INHERITED:
                self._last.popitem(last=False)
        return member

    async def at(self, address: str) -> Member | None:
        """Who a new connection from there begins as."""
        if await self._guard.is_open():
            return _anybody()
        last = self._last.get(address)
        return last if last and time.time() < last.since_utc_s + self._lasts_s else None

    async def check(self, member: Member | None, role: Role) -> Member:
        """``member``, if they may still do what this role may.

        Raises:
            RefusedError: nobody is logged in, not any more, or may not.
            StoreError: the database does not answer.
        """
        if member is None:
            raise RefusedError("not logged in")
        if member.is_anybody:
            if await self._guard.is_open():
                return member
            raise RefusedError("not logged in; meanwhile one must be")
        user = await self._guard.accounts.user(member.name)
        if user is None or user.changed_utc_s > member.since_utc_s:
            raise RefusedError("not logged in any more")
        if not user.role.includes(role):
            raise RefusedError(f"this needs the role {role.value}; {user.name} has the role {user.role.value}")
        return member

    async def _checked(self, name: str, password: str, group: str) -> Member | None:
        """The user of this name, if the password is right and not too many were wrong lately."""
        hashed = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        if await self._failures.are_too_many(group, hashed):
            return None
        now, users = time.time(), self._guard.accounts.users
        user: User | None = await to_thread.run_sync(users.find, name)
        known = user.password_hash if user and not user.is_disabled else None
        try:
            is_right, newer = await self._guard.passwords.checked(password, known)
        except HTTPException:  # too many are waiting
            return None
        if user is None or not is_right:
            await self._failures.note(group, hashed)
            return None
        if newer is not None:
            await to_thread.run_sync(users.rehash, user, newer)
        return Member(user.name, user.is_vip_at(now), now)


@final
class _Failures:
    """How many attempts failed in the last minute, by address and name and by address. Right ones cost nothing."""

    def __init__(self, counts: Counts, most: int) -> None:
        self._counts, self._most = counts, most

    async def are_too_many(self, group: str, name: str) -> bool:
        """Whether the next attempt is not even looked at."""
        of_name = await self._add(f"tcp-login:{group}:{name}", 0)
        of_group = await self._add(f"tcp-login:{group}", 0)
        return of_name >= self._most or of_group >= self._most * _PER_ADDRESS

    async def note(self, group: str, name: str) -> None:
        """One more."""
        await self._add(f"tcp-login:{group}:{name}", 1)
        await self._add(f"tcp-login:{group}", 1)

    async def _add(self, key: str, amount: int) -> int:
        number, passed_s = divmod(time.time(), _WINDOW_S)
        now, before = await self._counts.add(key, _WINDOW_S, int(number), amount)
        return now + math.ceil(before * (1.0 - passed_s / _WINDOW_S))


def _anybody() -> Member:
    """Whoever it is, where nobody needs to log in."""
    return Member(ANYBODY.name, is_vip=False, since_utc_s=time.time(), is_anybody=True)


def _credentials(payload: bytes) -> tuple[str, str] | None:
    """Name and password; None where there are none."""
    try:
        said: Any = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    name, password = said.get("u"), said.get("p")
    return (name, password) if isinstance(name, str) and isinstance(password, str) else None
