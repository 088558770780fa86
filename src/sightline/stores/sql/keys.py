"""Keys for programs, kept without their secrets."""

import hashlib
import hmac
import re
import secrets
import time
from dataclasses import asdict
from typing import final

from sqlalchemy import Engine, or_, select, update

from sightline.errors import OptionError, UnknownError
from sightline.model.user import ApiKey, Role
from sightline.stores.sql.database import row_of
from sightline.stores.sql.tables import API_KEYS

PREFIX = "slk_"
"""How every key begins, so that leaked ones can be searched for."""
_TEXT = re.compile(PREFIX + r"([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_ID = re.compile(r"[0-9a-f]{12}")
_LONGEST_LABEL = 255
_TOUCH_S = 60.0


@final
class ApiKeys:
    """What programs may come in with."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = engine.execution_options(reads=True)

    def create(self, label: str, role: Role) -> tuple[ApiKey, str]:
        """A new key, and its text ``slk_ID_SECRET``, which nobody can tell again.

        Raises:
            OptionError: the label is empty, too long, or not to be printed.
        """
        if not 1 <= len(label) <= _LONGEST_LABEL or not label.isprintable():
            raise OptionError(f"key label: give 1 to {_LONGEST_LABEL} printable characters")
        secret = secrets.token_urlsafe(32)
        key = ApiKey(
            id=secrets.token_hex(6), secret_hash=_digest(secret), label=label, role=role, created_utc_s=time.time()
        )
        with self._engine.begin() as connection:
            connection.execute(API_KEYS.insert().values(asdict(key)))
        return key, f"{PREFIX}{key.id}_{secret}"

    def find(self, text: str) -> ApiKey | None:
        """The good key that this is the text of; None where there is none."""
        parts = _TEXT.fullmatch(text)
        if parts is None:
            return None
        key = self.look_up(parts[1])
        # A wrong number takes as long to refuse as a wrong secret.
        is_right = hmac.compare_digest(_digest(parts[2]), key.secret_hash if key else _digest(""))
        return key if key and is_right and key.revoked_utc_s is None else None

    def look_up(self, key_id: str) -> ApiKey | None:
        """The key of that number, good or not; None where there is none."""
        if not _ID.fullmatch(key_id):
            return None
        with self._reading.connect() as connection:
            row = connection.execute(select(API_KEYS).where(API_KEYS.c.id == key_id)).mappings().first()
        return None if row is None else row_of(ApiKey, row)

    def all(self) -> list[ApiKey]:
        """Every key, oldest first, those taken back too."""
        with self._reading.connect() as connection:
            rows = connection.execute(select(API_KEYS).order_by(API_KEYS.c.created_utc_s, API_KEYS.c.id)).mappings()
            return [row_of(ApiKey, row) for row in rows]

    def revoke(self, key_id: str) -> ApiKey:
        """Takes a key back, for good. One that was taken back keeps the time of that.

        Raises:
            UnknownError: there is none of that number.
        """
        good = (API_KEYS.c.id == key_id) & API_KEYS.c.revoked_utc_s.is_(None)
        key = self.look_up(key_id)
        if key is None:
            raise UnknownError(f"no key {key_id[:64]!r}")
        with self._engine.begin() as connection:
            connection.execute(update(API_KEYS).where(good).values(revoked_utc_s=time.time()))
        return self.look_up(key_id) or key

    def touch(self, key: ApiKey) -> None:
        """Notes that a key is in use, at most once a minute."""
        now = time.time()
        if key.last_used_utc_s is not None and key.last_used_utc_s > now - _TOUCH_S:
            return
        stale = or_(API_KEYS.c.last_used_utc_s.is_(None), API_KEYS.c.last_used_utc_s < now - _TOUCH_S)
        with self._engine.begin() as connection:
            connection.execute(update(API_KEYS).where(API_KEYS.c.id == key.id, stale).values(last_used_utc_s=now))

    def exist(self) -> bool:
        """Whether there is any, good or not."""
        with self._reading.connect() as connection:
            return connection.execute(select(API_KEYS.c.id).limit(1)).first() is not None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
