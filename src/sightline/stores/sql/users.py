"""People with passwords, kept."""

import re
import time
from dataclasses import asdict
from typing import Any, final

from sqlalchemy import Engine, select, update
from sqlalchemy.exc import IntegrityError

from sightline.errors import ConflictError, OptionError, UnknownError
from sightline.model.user import Role, User
from sightline.stores.sql.database import row_of
from sightline.stores.sql.tables import USERS

_NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}")


@final
class Users:
    """Who may log in."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = engine.execution_options(reads=True)

    def add(
        self,
        name: str,
        password_hash: str,
        role: Role,
        *,
        is_vip: bool = False,
        expires_utc_s: float | None = None,
    ) -> User:
        """Keeps somebody new; whether they are a VIP, and until when.

        Raises:
            OptionError: nobody can be called that.
            ConflictError: somebody is.
        """
        if not _NAME.fullmatch(name):
            raise OptionError(f"user name {name[:64]!r}: give 1 to 64 of A-Z a-z 0-9 . _ @ -")
        now = time.time()
        user = User(
            name=name,
            password_hash=password_hash,
            role=role,
            created_utc_s=now,
            changed_utc_s=now,
            is_vip=is_vip,
            expires_utc_s=expires_utc_s,
        )
        try:
            with self._engine.begin() as connection:
                connection.execute(USERS.insert().values(asdict(user)))
        except IntegrityError:
            raise ConflictError(f"there is a user {name!r} already") from None
        return user

    def find(self, name: str) -> User | None:
        """Somebody; None where nobody is called that, or can be."""
        if not _NAME.fullmatch(name):
            return None
        with self._reading.connect() as connection:
            row = connection.execute(select(USERS).where(USERS.c.name == name)).mappings().first()
        return None if row is None else row_of(User, row)

    def get(self, name: str) -> User:
        """Somebody.

        Raises:
            UnknownError: nobody is called that.
        """
        user = self.find(name)
        if user is None:
            raise UnknownError(f"no user {name[:64]!r}")
        return user

    def all(self) -> list[User]:
        """Everybody, by name."""
        with self._reading.connect() as connection:
            return [row_of(User, row) for row in connection.execute(select(USERS).order_by(USERS.c.name)).mappings()]

    def in_order(self) -> list[User]:
        """Everybody, in the order in which they were added; nobody is ever removed, so their places stay."""
        wanted = select(USERS).order_by(USERS.c.created_utc_s, USERS.c.name)
        with self._reading.connect() as connection:
            return [row_of(User, row) for row in connection.execute(wanted).mappings()]

    def known_as(self, text: str) -> User:
        """Somebody by name, or else by number: 1 is who was added first.

        Raises:
            UnknownError: there is nobody.
        """
        if (user := self.find(text)) is None and text.isascii() and text.isdigit():
            user = dict(enumerate(self.in_order(), 1)).get(int(text))
        return user or self.get(text)

    def set_password(self, name: str, password_hash: str) -> User:
        """Changes a password; tokens issued before are void.

        Raises:
            UnknownError: nobody is called that.
        """
        return self._change(name, password_hash=password_hash)

    def set_role(self, name: str, role: Role) -> User:
        """Changes what somebody may do; tokens issued before are void.

        Raises:
            UnknownError: nobody is called that.
        """
        return self._change(name, role=role)

    def set_disabled(self, name: str, is_disabled: bool) -> User:
        """Locks somebody out, or lets them in again; tokens issued before are void.

        Raises:
            UnknownError: nobody is called that.
        """
        return self._change(name, is_disabled=is_disabled)

    def set_vip(self, name: str, is_vip: bool, expires_utc_s: float | None = None) -> User:
        """Has clients told that somebody is special, for ever or until a moment. Tokens stay good.

        Raises:
            UnknownError: nobody is called that.
        """
        self.get(name)
        wanted = update(USERS).where(USERS.c.name == name).values(is_vip=is_vip, expires_utc_s=expires_utc_s)
        with self._engine.begin() as connection:
            connection.execute(wanted)
        return self.get(name)

    def rehash(self, user: User, password_hash: str) -> None:
        """Keeps the same password in a newer form, unless it was changed meanwhile. Tokens stay good."""
        same = (USERS.c.name == user.name) & (USERS.c.password_hash == user.password_hash)
        with self._engine.begin() as connection:
            connection.execute(update(USERS).where(same).values(password_hash=password_hash))

    def exist(self) -> bool:
        """Whether there is anybody, locked out or not."""
        with self._reading.connect() as connection:
            return connection.execute(select(USERS.c.name).limit(1)).first() is not None

    def _change(self, name: str, **changes: Any) -> User:
        one = update(USERS).where(USERS.c.name == name).values(changed_utc_s=time.time(), **changes)
        self.get(name)
        with self._engine.begin() as connection:
            connection.execute(one)
        return self.get(name)
