"""``/api/v1/auth``: logging in, who one is, and tickets; ``/api/v1/users`` and ``/api/v1/keys`` for admins."""

import time
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError

from sightline.model.user import Role
from sightline.server.auth import admin
from sightline.server.auth.guard import LOGIN, Guard, Principal
from sightline.server.auth.logins import Credentials, Login, Logins
from sightline.server.auth.tokens import TICKET_S
from sightline.server.errors import Fault, Faults
from sightline.server.installation import Installation
from sightline.server.limits.rate import address_of

_FORM = "application/x-www-form-urlencoded"
_BODY = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": Credentials.model_json_schema()} for kind in ("application/json", _FORM)},
    }
}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"model": Fault, "description": "Wrong name or password"},
    415: {"model": Fault, "description": "Neither JSON nor a form"},
    422: {"model": Faults, "description": "Something is missing"},
    429: {"model": Fault, "description": "Too many logins; Retry-After says when to try again"},
}


class Me(BaseModel):
    """Whoever is asking."""

    name: str = Field(description="Name of the user, `key:` and the number of the key, or `anonymous`.")
    role: Role = Field(description="What they may do.")


class TicketAsked(BaseModel):
    """What a ticket is wanted for."""

    path: str = Field(pattern=r"^/[^?#]*$", max_length=1024, description="Path of the link, without query.")


class Ticket(BaseModel):
    """Opens one path for a few minutes."""

    token: str = Field(description="Goes into the link as `?token=`.")
    expires_in: int = Field(description="Seconds for which it is good.")


def router(services: Installation, guard: Guard) -> APIRouter:
    """Routes about who may come in."""
    routes = APIRouter()
    routes.include_router(_own_router(services, guard))
    routes.include_router(admin.router(guard))
    return routes


def _own_router(services: Installation, guard: Guard) -> APIRouter:
    routes = APIRouter(tags=["access"])
    logins = Logins(guard, services.settings.auth.logins_per_minute)
    viewer = Annotated[Principal, Depends(guard.allow(Role.VIEWER))]

    @routes.post(LOGIN, summary="Log in", openapi_extra=_BODY, responses=_REFUSALS)
    async def login(request: Request) -> Login:
        return await logins.enter(await _credentials(request), address_of(request.scope))

    @routes.get("/api/v1/auth/me", summary="Who one is")
    async def me(who: viewer) -> Me:
        return Me(name=who.name, role=who.role)

    @routes.post("/api/v1/auth/ticket", summary="A link for a browser, good for a few minutes")
    async def ticket(who: viewer, asked: TicketAsked) -> Ticket:
        issued_utc_s = time.time() if who.issued_utc_s is None else who.issued_utc_s
        token = guard.tokens.ticket(who.name, who.role, unquote(asked.path), issued_utc_s)
        return Ticket(token=token, expires_in=int(TICKET_S))

    return routes


async def _credentials(request: Request) -> Credentials:
    """From JSON or from a form.

    Raises:
        HTTPException: it is neither.
        RequestValidationError: something is missing or too long.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in {_FORM, "multipart/form-data"}:
        given: Any = dict(await request.form())
    elif kind == "application/json":
        try:
            given = await request.json()
        except (ValueError, RecursionError):
            raise HTTPException(400, "body: not JSON") from None
    else:
        raise HTTPException(415, f"send username and password as application/json or {_FORM}")
    try:
        return Credentials.model_validate(given)
    except ValidationError as error:
        raise RequestValidationError(
            [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors(include_input=False)]
        ) from None
