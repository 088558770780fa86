"""Errors as clients of the run server know them: ``{"error": ..., "details": ...}``."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field

from sightline.errors import SightlineError
from sightline.server.errors import status_of

_FAILED: Mapping[str, str] = {
    "create": "Failed to create run",
    "images": "Failed to upload images",
    "video": "Failed to upload video",
    "process": "Failed to start processing",
    "rerun": "Failed to rerun",
    "cancel": "Failed to cancel run",
    "remove": "Failed to delete run",
    "cameras": "Failed to read cameras",
    "artifact": "Failed to read artifact",
}
"""By the name of the route's function, what did not come off."""
_MEANING: Mapping[int, str] = {
    400: "It makes no sense, or not now; `details` says why",
    404: "There is no such run, or nothing of that kind yet",
}


class RunFault(BaseModel):
    """What went wrong."""

    error: str = Field(description="What did not come off.")
    details: str | None = Field(None, description="Why, and what to do about it.")


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route says of the errors with which it may answer, for the API's description."""
    return {status: {"model": RunFault, "description": _MEANING[status]} for status in statuses}


class RefusalError(HTTPException):
    """A request that is refused for a reason that clients know."""

    def __init__(self, status: int, error: str, details: str | None = None) -> None:
        super().__init__(status, error)
        self.details = details
        """Why."""


class RunRoute(APIRoute):
    """A route whose errors have this shape."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What serves a request."""
        serve = super().get_route_handler()
        failed = _FAILED.get(self.name, "Failed")

        async def shaped(request: Request) -> Response:
            try:
                return await serve(request)
            except RequestValidationError as error:
                first = error.errors()[0]
                where = ".".join(str(part) for part in first["loc"][1:]) or "body"
                return _answer(400, failed, f"{where}: {first['msg'].removeprefix('Value error, ')}")
            except RefusalError as error:
                return _answer(error.status_code, error.detail, error.details)
            except HTTPException as error:
                return _answer(error.status_code, failed, str(error.detail), error.headers)
            except SightlineError as error:
                return _answer(status_of(error), failed, str(error))

        return shaped


def _answer(status: int, error: str, details: str | None, headers: Mapping[str, str] | None = None) -> JSONResponse:
    said = {"error": error} | ({} if details is None else {"details": details})
    return JSONResponse(said, status, headers)
