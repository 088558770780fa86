"""So many requests a minute for everybody."""

import ipaddress
from typing import final

from fastapi import HTTPException
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sightline.errors import StoreError
from sightline.server.auth.guard import ANYBODY, Guard
from sightline.server.counts import Rate
from sightline.server.limits.refusal import refuse


@final
class Rates:
    """Middleware that counts requests of each user or key, and those of strangers by their address."""

    def __init__(self, app: ASGIApp, *, guard: Guard, per_minute: int, exempt: frozenset[str]) -> None:
        self._app = app
        self._guard = guard
        self._exempt = exempt
        self._rate = Rate(guard.counts, "requests", per_minute) if per_minute else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request or WebSocket."""
        if self._rate is None or scope["type"] not in {"http", "websocket"} or scope["path"] in self._exempt:
            await self._app(scope, receive, send)
            return
        budget = await self._rate.take(await self._key(scope))
        told = budget.headers()
        if not budget.is_left:
            why = f"too many requests; try again in {budget.reset_s} s"
            await refuse(scope, receive, send, 429, why, told)
            return

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(told)
            await send(message)

        await self._app(scope, receive, telling)

    async def _key(self, scope: Scope) -> str:
        """Whose request it is."""
        try:
            who = await self._guard.who(HTTPConnection(scope))
        except (HTTPException, StoreError):  # the gate says so, where it matters
            return f"address:{address_of(scope)}"
        return f"address:{address_of(scope)}" if who == ANYBODY else f"name:{who.name}"


def address_of(scope: Scope) -> str:
    """The address that a request came from; of IPv6 the network, as everybody has many addresses there."""
    client = scope.get("client")
    if not client:
        return "local"
    try:
        address = ipaddress.ip_address(client[0].partition("%")[0])
    except ValueError:
        return str(client[0])[:64]
    if address.version == 4:
        return str(address)
    mapped = address.ipv4_mapped
    return str(mapped) if mapped else str(ipaddress.ip_network((int(address), 64), strict=False))
