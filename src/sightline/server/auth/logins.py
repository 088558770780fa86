"""Logging in: so many attempts a minute, each as slow for a wrong name as for a wrong password."""

import hashlib
import logging
import time
from typing import final

from anyio import to_thread
from fastapi import HTTPException
from pydantic import BaseModel, Field

from sightline.model.user import Role
from sightline.server.auth.guard import Guard
from sightline.server.counts import Rate

_PER_ADDRESS = 4
_IN_ALL = 24
"""So many times what one name may from one address."""
_log = logging.getLogger(__name__)


class Credentials(BaseModel):
    """Who logs in."""

    username: str = Field(max_length=256, description="Their name.")
    password: str = Field(max_length=1024, description="Their password.")


class Login(BaseModel):
    """A token, to be sent as ``Authorization: Bearer TOKEN``."""

    access_token: str = Field(description="The token.")
    token_type: str = Field("bearer", description="How to send it.")
    expires_in: int = Field(description="Seconds for which it is good.")
    role: Role = Field(description="What it allows.")


@final
class Logins:
    """Takes names and passwords, gives tokens."""

    def __init__(self, guard: Guard, per_minute: int) -> None:
        self._guard = guard
        self._rates = [
            Rate(guard.counts, "login-name", per_minute),
            Rate(guard.counts, "login-address", per_minute * _PER_ADDRESS),
            Rate(guard.counts, "login", per_minute * _IN_ALL),
        ]

    async def enter(self, given: Credentials, address: str) -> Login:
        """A token for whoever has this name and password.

        Raises:
            HTTPException: 401, wrong; 429, too often; 503, too many at once.
        """
        await self._take(given.username, address)
        users, now = self._guard.accounts.users, time.time()
        user = await to_thread.run_sync(users.find, given.username)
        # The time from before the password was checked: should it be changed meanwhile, the token is void.
        known = user.password_hash if user and not user.is_disabled else None
        is_right, newer = await self._guard.passwords.checked(given.password, known)
        if user is None or not is_right:
            _log.warning("login refused: name=%r address=%s", given.username[:64], address)
            raise HTTPException(401, "wrong name or password", {"www-authenticate": "Bearer"})
        if newer is not None:
            await to_thread.run_sync(users.rehash, user, newer)
        _log.info("login: name=%s address=%s", user.name, address)
        token = self._guard.tokens.login(user.name, user.role, now)
        return Login(access_token=token, expires_in=int(self._guard.tokens.lifetime_s), role=user.role)

    async def _take(self, name: str, address: str) -> None:
        """Counts an attempt, first where it hurts least."""
        hashed = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        for rate, key in zip(self._rates, (f"{address}:{hashed}", address, "all"), strict=True):
            budget = await rate.take(key)
            if not budget.is_left:
                wait = f"too many logins; try again in {budget.reset_s} s"
                raise HTTPException(429, wait, {"retry-after": str(budget.reset_s)})
