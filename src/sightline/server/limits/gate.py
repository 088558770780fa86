"""Nobody unknown gets past here, whatever a route forgets: before a body is read, before a WebSocket opens."""

from collections.abc import Container, Mapping
from typing import final

from fastapi import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from sightline.errors import StoreError
from sightline.model.user import Role
from sightline.server.auth.guard import Guard, need
from sightline.server.limits.refusal import refuse


@final
class Gate:
    """Middleware that lets strangers only to public paths."""

    def __init__(self, app: ASGIApp, *, guard: Guard, public: Container[str], needs: Mapping[str, Role]) -> None:
        self._app = app
        self._guard = guard
        self._public = public
        self._needs = needs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request or WebSocket."""
        if scope["type"] in {"http", "websocket"} and scope["path"] not in self._public:
            try:
                who = await self._guard.who(HTTPConnection(scope))
                if scope.get("method") == "POST":
                    need(self._needs.get(scope["path"], Role.VIEWER), who)
            except HTTPException as error:
                await refuse(scope, receive, send, error.status_code, error.detail, error.headers)
                return
            except StoreError as error:
                await refuse(scope, receive, send, 503, str(error))
                return
        await self._app(scope, receive, send)
