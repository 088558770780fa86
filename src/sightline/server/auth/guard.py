"""Who is there, and whether they may: the one door that every request and WebSocket passes."""

import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, final

from fastapi import HTTPException, Security
from fastapi.openapi.models import APIKey, APIKeyIn, OAuthFlowPassword, OAuthFlows
from fastapi.openapi.models import OAuth2 as OAuth2Model
from fastapi.openapi.models import SecurityBase as SecurityModel
from fastapi.security.base import SecurityBase
from sqlalchemy import Engine
from starlette.requests import HTTPConnection

from sightline.errors import RefusedError
from sightline.model.user import Role
from sightline.server.auth.accounts import Accounts
from sightline.server.auth.passwords import Passwords
from sightline.server.auth.tokens import Token, Tokens, secret_of
from sightline.server.counts import counts_at
from sightline.settings import Settings
from sightline.stores.sql.keys import PREFIX, ApiKeys
from sightline.stores.sql.users import Users

LOGIN = "/api/v1/auth/login"
"""Where tokens are had."""
_FOUND = "sightline.principal"
_KEY = "key:"
"""How the names of keys begin; no user's can."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever is asking."""

    name: str
    """Name of the user, ``key:`` and the number of the key, or ``anonymous``."""
    role: Role
    """What they may do."""
    issued_utc_s: float | None = None
    """Since when their token is good; None: they came with something else."""


ANYBODY = Principal("anonymous", Role.ADMIN)
"""Everybody, where nobody needs to log in."""


@final
class _Scheme(SecurityBase):
    """A way to log in, as the API's description shows it; the guard does the checking."""

    def __init__(self, name: str, model: SecurityModel) -> None:
        self.scheme_name = name
        self.model = model

    async def __call__(self) -> None:
        """Nothing: for the description only."""


_BEARER = _Scheme("login", OAuth2Model(flows=OAuthFlows(password=OAuthFlowPassword(tokenUrl=LOGIN, scopes={}))))
_API_KEY = _Scheme("api_key", APIKey.model_validate({"in": APIKeyIn.header, "name": "X-API-Key"}))


@final
class Guard:
    """Knows who may do what."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        given = settings.auth.secret
        secret = secret_of(given.get_secret_value() if given else None, settings.data_folder)
        self.accounts = Accounts(engine)
        """Who there is."""
        self.passwords = Passwords()
        """Checks passwords."""
        self.tokens = Tokens(secret, settings.auth.token_minutes * 60.0)
        """Issues and reads tokens."""
        self.counts = counts_at(settings.redis_url())
        """How often who did what."""
        self._mode = settings.auth.mode
        self._may_be_open = is_near(settings.host) or settings.insecure

    async def is_open(self) -> bool:
        """Whether nobody needs to log in."""
        if self._mode == "auto":
            return self._may_be_open and not await self.accounts.exist()
        return self._mode == "off"

    async def who(self, connection: HTTPConnection) -> Principal:
        """Who sent a request or opens a WebSocket.

        Raises:
            HTTPException: 401, nobody that is known.
            StoreError: the database does not answer.
        """
        found: Principal | None = connection.scope.get(_FOUND)
        if found is None:
            found = ANYBODY if await self.is_open() else await self._known(connection)
            connection.scope[_FOUND] = found
        return found

    async def is_still(self, connection: HTTPConnection) -> bool:
        """Whether who opened a WebSocket could do so now: not expired, locked out or taken back."""
        before = connection.scope.pop(_FOUND, None)
        try:
            return await self.who(connection) == before
        except HTTPException:
            return False

    def allow(self, role: Role) -> Callable[..., Awaitable[Principal]]:
        """A dependency of routes and WebSockets: whoever is asking, if they have at least this role."""

        async def allowed(
            connection: HTTPConnection,
            _bearer: Annotated[None, Security(_BEARER)],
            _key: Annotated[None, Security(_API_KEY)],
        ) -> Principal:
            return need(role, await self.who(connection))

        return allowed

    async def close(self) -> None:
        """Lets go of connections."""
        await self.counts.close()

    async def _known(self, connection: HTTPConnection) -> Principal:
        scheme, _, bearer = connection.headers.get("authorization", "").partition(" ")
        key = connection.headers.get("x-api-key", "")
        bearer = bearer.strip() if scheme.lower() == "bearer" else ""
        # A token in an address may lie in a history or a log, so it can only look, and keys are not taken from there.
        is_looking = connection.scope["type"] == "websocket" or connection.scope["method"] in {"GET", "HEAD"}
        shown = connection.query_params.get("token", "") if is_looking else ""
        if key or bearer.startswith(PREFIX):
            found = await self._of_key(key or bearer)
        elif bearer:
            found = await self._of_token(self.tokens.read(bearer))
        elif shown:
            read = self.tokens.read_ticket(shown, connection.scope["path"]) or self.tokens.read(shown)
            found = await self._of_token(read)
        else:
            raise HTTPException(401, "log in first, or send an API key", {"www-authenticate": "Bearer"})
        if found is None:
            wrong = {"www-authenticate": 'Bearer error="invalid_token"'}
            raise HTTPException(401, "this token or key is wrong, expired or revoked", wrong)
        return found

    async def _of_key(self, text: str) -> Principal | None:
        key = await self.accounts.key(text)
        return None if key is None else Principal(f"{_KEY}{key.id}", key.role)

    async def _of_token(self, token: Token | None) -> Principal | None:
        """Of a token, as its subject is now."""
        if token is None:
            return None
        if token.subject.startswith(_KEY):
            key = await self.accounts.key_by_id(token.subject.removeprefix(_KEY))
            return None if key is None else Principal(token.subject, key.role, token.issued_utc_s)
        user = await self.accounts.user(token.subject)
        if user is None or token.issued_utc_s < user.changed_utc_s:
            return None
        return Principal(user.name, user.role, token.issued_utc_s)


def need(role: Role, who: Principal) -> Principal:
    """``who``, if they have at least this role.

    Raises:
        HTTPException: 403, with the role that is needed.
    """
    if not who.role.includes(role):
        raise HTTPException(403, f"this needs the role {role.value}; {who.name} has the role {who.role.value}")
    return who


def is_near(host: str) -> bool:
    """Whether an address to listen on can only be reached from this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_bind(settings: Settings, engine: Engine) -> None:
    """Returns if it is safe to listen where the settings say.

    Raises:
        RefusedError: anybody could come in from elsewhere, or nobody at all; says what to do.
    """
    is_safe = is_near(settings.host) or settings.insecure
    add = "add somebody with: sightline users add NAME --role admin"
    if settings.auth.mode == "off":
        if not is_safe:
            raise RefusedError(
                f"host {settings.host} can be reached from elsewhere and auth.mode is off: take --host 127.0.0.1, or "
                f"set auth.mode to auto and {add}; --insecure serves everybody all the same"
            )
        return
    if Users(engine).exist() or ApiKeys(engine).exist():
        return
    if settings.auth.mode == "on":
        raise RefusedError(f"auth.mode is on, but there is no user and no key: {add}")
    if not is_safe:
        raise RefusedError(
            f"host {settings.host} can be reached from elsewhere, but there is no user and no key: {add}; or take "
            "--host 127.0.0.1; --insecure serves everybody all the same"
        )
