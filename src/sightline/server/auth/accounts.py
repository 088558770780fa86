"""Users and keys as they were a few seconds ago at most, so that requests need not ask the database."""

import hashlib
import time
from collections.abc import Callable
from typing import Generic, TypeVar, final

from anyio import to_thread
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from sightline.errors import StoreError
from sightline.model.user import ApiKey, User
from sightline.stores.sql.keys import ApiKeys
from sightline.stores.sql.users import Users

KEEP_S = 5.0
"""How long what was changed elsewhere may go unnoticed."""
_MOST = 4096
Value = TypeVar("Value")


@final
class Recent(Generic[Value]):
    """Answers of a slow function, remembered for a moment."""

    def __init__(self, keep_s: float) -> None:
        self._keep_s = keep_s
        self._known: dict[str, tuple[float, Value]] = {}
        self._turn = 0

    async def get(self, name: str, ask: Callable[[], Value]) -> Value:
        """The answer under this name; asked for in a thread where it is not known, or not recent.

        Raises:
            StoreError: nobody answers.
        """
        found = self._known.get(name)
        if found is not None and found[0] > time.monotonic():
            return found[1]
        turn, asked_s = self._turn, time.monotonic()
        try:
            value = await to_thread.run_sync(ask)
        except SQLAlchemyError as error:
            raise StoreError(f"the database does not answer ({type(error).__name__})") from None
        if turn == self._turn:  # nothing changed while it was asked
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[name] = (asked_s + self._keep_s, value)
        return value

    def forget(self) -> None:
        """Everything has to be asked for again."""
        self._turn += 1
        self._known.clear()


@final
class Accounts:
    """Who there is."""

    def __init__(self, engine: Engine, keep_s: float = KEEP_S) -> None:
        self.users = Users(engine)
        """People, asking the database."""
        self.keys = ApiKeys(engine)
        """Keys, asking the database."""
        self._users: Recent[User | None] = Recent(keep_s)
        self._keys: Recent[ApiKey | None] = Recent(keep_s)
        self._exist: Recent[bool] = Recent(keep_s)

    async def user(self, name: str) -> User | None:
        """Somebody who may come in."""
        user = await self._users.get(name, lambda: self.users.find(name))
        return None if user is None or user.is_disabled else user

    async def key(self, text: str) -> ApiKey | None:
        """A good key, by its text."""
        return await self._keys.get(hashlib.sha256(text.encode()).hexdigest(), lambda: self._used(text))

    async def key_by_id(self, key_id: str) -> ApiKey | None:
        """A good key, by its number."""
        key = await self._keys.get(key_id, lambda: self.keys.look_up(key_id))
        return None if key is None or key.revoked_utc_s is not None else key

    async def exist(self) -> bool:
        """Whether there is any user or key at all."""
        return await self._exist.get("", lambda: self.users.exist() or self.keys.exist())

    def forget(self) -> None:
        """Has everything asked for again, because it was changed."""
        for recent in (self._users, self._keys, self._exist):
            recent.forget()

    def _used(self, text: str) -> ApiKey | None:
        key = self.keys.find(text)
        if key is not None:
            self.keys.touch(key)
        return key
