"""Signed tokens: who logged in, until when; and tickets, which open one path for a few minutes."""

import secrets
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import jwt

from sightline.errors import OptionError, StoreError
from sightline.model.user import Role

TICKET_S = 300.0
"""How long a ticket is good."""
_ALGORITHM = "HS256"
_LOGIN, _TICKET = "sightline", "sightline-ticket"
_SHORTEST_SECRET = 32
_LONGEST = 4096


@dataclass(frozen=True, slots=True)
class Token:
    """What a good token says."""

    subject: str
    """Name of the user, or ``key:`` and the number of the key."""
    issued_utc_s: float
    """Since when it is good; void where the subject changed later."""
    expires_utc_s: float
    """Until when."""


@final
class Tokens:
    """Issues and reads tokens of one secret."""

    def __init__(self, secret: str, lifetime_s: float) -> None:
        self._secret = secret
        self.lifetime_s = lifetime_s
        """How long a login is good."""

    def login(self, subject: str, role: Role, issued_utc_s: float) -> str:
        """A token for everything that the subject may do."""
        claims = {"aud": _LOGIN, "iat": issued_utc_s, "exp": issued_utc_s + self.lifetime_s}
        return self._signed(subject, role, claims)

    def ticket(self, subject: str, role: Role, path: str, issued_utc_s: float) -> str:
        """A token for looking at exactly ``path``; void with what it was asked for with, issued at that time."""
        claims = {"aud": _TICKET, "iat": issued_utc_s, "exp": time.time() + TICKET_S, "path": path}
        return self._signed(subject, role, claims)

    def read(self, text: str) -> Token | None:
        """What a login's token says; None where it is not good."""
        claims = self._claims(text, _LOGIN)
        return None if claims is None else _token(claims)

    def read_ticket(self, text: str, path: str) -> Token | None:
        """What a ticket says; None where it is not good for ``path``."""
        claims = self._claims(text, _TICKET)
        return None if claims is None or claims.get("path") != path else _token(claims)

    def _signed(self, subject: str, role: Role, claims: dict[str, Any]) -> str:
        claims |= {"sub": subject, "role": role.value, "jti": secrets.token_hex(8)}
        return jwt.encode(claims, self._secret, algorithm=_ALGORITHM)

    def _claims(self, text: str, audience: str) -> dict[str, Any] | None:
        if len(text) > _LONGEST or not text.isascii():
            return None
        must_have = {"require": ["sub", "role", "iat", "exp", "jti", "aud"]}
        try:
            return jwt.decode(text, self._secret, [_ALGORITHM], must_have, audience=audience)  # type: ignore[arg-type]
        except (jwt.PyJWTError, RecursionError, ValueError):  # the latter two for what is hardly a token
            return None


def secret_of(given: str | None, folder: Path) -> str:
    """What tokens are signed with: what the settings say, or what was drawn once and is kept in ``folder``.

    Raises:
        OptionError: the given one is too short.
        StoreError: others can read the kept one.
        OSError: it can neither be read nor written.
    """
    if given is not None:
        if len(given.encode()) < _SHORTEST_SECRET:
            raise OptionError(f"setting auth.secret: give at least {_SHORTEST_SECRET} characters")
        return given
    path = folder / "token.secret"
    if not path.exists():
        _draw(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise StoreError(f"{path}: others can read it; remove it (everybody must log in again), or chmod 600 it")
    kept = path.read_text().strip()
    if len(kept) < _SHORTEST_SECRET:
        raise StoreError(f"{path}: too short for a secret; remove it, and another is made")
    return kept


def _draw(path: Path) -> None:
    """Makes the file, whole, unless somebody else was first."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    drawn = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    drawn.touch(mode=0o600, exist_ok=False)
    try:
        drawn.write_text(secrets.token_hex(32) + "\n")
        path.hardlink_to(drawn)
    except FileExistsError:
        pass
    finally:
        drawn.unlink()


def _token(claims: dict[str, Any]) -> Token | None:
    times = claims["iat"], claims["exp"]
    if not isinstance(claims["sub"], str) or not all(isinstance(one, int | float) for one in times):
        return None
    return Token(claims["sub"], float(times[0]), float(times[1]))
