"""Errors as clients of the run server know them: ``{"error": ..., "details": ...}``."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field

from sightline.errors import SightlineError
from sightline.server.errors import anywhere, status_of

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
    416: "There is no such part of the file",
}


class RunFault(BaseModel):
    """What went wrong."""

    error: str = Field(description="What did not come off.")
    details: str | None = Field(None, description="Why, and what to do about it.")


def answers() -> dict[int | str, dict[str, Any]]:
    """What routes say of the errors with which any of them may answer, for the API's description."""
    said = anywhere()
    said.update({status: {"description": meaning} for status, meaning in _MEANING.items()})
    return {status: {**one, "model": RunFault} for status, one in said.items()}


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
                return _answer(400, failed, _said(request, error.errors()[0]))
            except RefusalError as error:
                return _answer(error.status_code, error.detail, error.details)
            except HTTPException as error:
                return _answer(error.status_code, failed, str(error.detail), error.headers)
            except SightlineError as error:
                return _answer(status_of(error), failed, str(error))

        return shaped


def _said(request: Request, fault: Mapping[str, Any]) -> str:
    """What is wrong with a request, and where."""
    if fault["type"] == "json_invalid":
        return f"body: no JSON from character {fault['loc'][-1]} on: {fault['ctx']['error']}"
    if fault["loc"] == ("body",) and "json" not in request.headers.get("content-type", ""):
        return "body: send JSON, and say so: content-type: application/json"
    where = ".".join(str(part) for part in fault["loc"][1:]) or "body"
    return f"{where}: {fault['msg'].removeprefix('Value error, ')}"


def _answer(status: int, error: str, details: str | None, headers: Mapping[str, str] | None = None) -> JSONResponse:
    said = {"error": error} | ({} if details is None else {"details": details})
    return JSONResponse(said, status, headers)
