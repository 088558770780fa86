"""What went wrong, as a client sees it: the right status and one line, under ``detail``. Never a stack trace.

Clients of the run server know it as ``{"error": ..., "details": ...}``, whoever it is that answers them.
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.routing import Match

from sightline.errors import (
    AbsentError,
    ConflictError,
    EngineError,
    FormatError,
    OptionError,
    RefusedError,
    SightlineError,
    SourceError,
    StoreError,
    UnknownEngineError,
    UnknownError,
    WeightsError,
)

STATUS: Mapping[type[SightlineError], int] = {
    OptionError: 400,
    FormatError: 400,
    SourceError: 400,
    RefusedError: 403,
    UnknownEngineError: 400,
    UnknownError: 404,
    AbsentError: 404,
    ConflictError: 409,
    WeightsError: 409,
    EngineError: 500,
    StoreError: 503,
}
"""The nearest class on an error's line of descent counts."""
_MEANING: Mapping[int, str] = {
    400: "Something that was asked for makes no sense, or is no video; `detail` names it",
    401: "Nobody that is known",
    403: "Not allowed",
    404: "There is no such thing",
    408: "The body stopped coming",
    409: "It cannot be done in the state that the thing is in",
    413: "The body is too large",
    421: "This name is not served here",
    429: "Too many requests; Retry-After says when to try again",
    431: "The header is too large",
    500: "A fault of the server's, or of work that it had done; `detail` says what",
    503: "A store does not answer",
    504: "Not done in time",
}
_ANYWHERE = (400, 401, 403, 408, 413, 421, 429, 431, 500, 503)
RUNS = "/api/runs"
"""Below this path, errors have the run server's shape."""
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_log = logging.getLogger(__name__)


class Fault(BaseModel):
    """What went wrong."""

    detail: str = Field(description="One line for people: what, and what to do about it.")


class FieldFault(BaseModel):
    """What is wrong with one field."""

    loc: list[str | int] = Field(description="Where it is: body, query or path, and its name.")
    msg: str = Field(description="What is wrong with it.")
    type: str = Field(description="The same, for programs.")


class Faults(BaseModel):
    """What was sent does not fit."""

    detail: list[FieldFault] = Field(description="Each field that does not.")


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route says of the errors with which it may answer, for the API's description."""
    return {status: {"model": Fault, "description": _MEANING[status]} for status in statuses}


def anywhere() -> dict[int | str, dict[str, Any]]:
    """The same of all routes."""
    return answers(*_ANYWHERE)


def add_error_answers(app: FastAPI) -> None:
    """Has ``app`` answer every error in the field's shape, and describe those that any route may answer with.

    To be called before routes are added.
    """
    app.router.responses = anywhere() | app.router.responses
    app.add_exception_handler(SightlineError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _said)
    app.add_exception_handler(OperationalError, _away)
    app.add_exception_handler(Exception, _fault)


def status_of(error: SightlineError) -> int:
    """The HTTP status that fits."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def _ours(connection: HTTPConnection, error: Exception) -> JSONResponse:
    if not isinstance(error, SightlineError):
        raise error
    status = status_of(error)
    if status >= 500:
        _log.error("error=%s why=%r", type(error).__name__, str(error))
    return answer(status, str(error), path=connection.scope["path"])


def _away(connection: HTTPConnection, error: Exception) -> JSONResponse:
    """The database does not answer, or cannot be written; the log has why."""
    _log.error("database=away path=%s why=%r", connection.scope["path"], " ".join(str(error).split())[:300])
    why = "the database does not answer just now; try again in a moment"
    return answer(503, why, {"retry-after": "2"}, connection.scope["path"])


def _said(connection: HTTPConnection, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    headers = {"allow": ", ".join(_methods(connection))} if error.status_code == 405 else error.headers
    return answer(error.status_code, error.detail, headers, connection.scope["path"])


def _methods(connection: HTTPConnection) -> list[str]:
    """All that may be done with a path; the router itself names only those of the first route that has it."""
    described = connection.app.openapi()["paths"].get(connection.scope["path"])
    if described is not None:  # what "/{id}" takes is not meant for "/kinds"
        return [method for method in _METHODS if method.lower() in described]
    routes = connection.app.router.routes
    return [
        method
        for method in _METHODS
        if any(route.matches({**connection.scope, "method": method})[0] is Match.FULL for route in routes)
    ]


def _invalid(request: Request, error: Exception) -> JSONResponse:
    """Which field, and what is wrong with it; not what was sent, which may hold a password."""
    if not isinstance(error, RequestValidationError):
        raise error
    faults = [{"loc": list(one["loc"]), "msg": one["msg"], "type": one["type"]} for one in error.errors()]
    return answer(422, faults, path=request.scope["path"])


def _fault(request: Request, error: Exception) -> JSONResponse:
    """A fault of ours: the log has it, under the number that the client is told."""
    number = request.scope.get("state", {}).get("request_id", "unknown")
    _log.error("fault=%s path=%s", type(error).__name__, request.url.path, exc_info=error)
    why = f"a fault of ours; the server's log has it under request {number}"
    return answer(500, why, path=request.scope["path"])


def answer(status: int, detail: Any, headers: Mapping[str, str] | None = None, path: str = "") -> JSONResponse:
    """An error, in the shape that clients of the path know."""
    if path != RUNS and not path.startswith(f"{RUNS}/"):
        return JSONResponse({"detail": detail}, status, headers)
    error = HTTPStatus(status).phrase
    return JSONResponse({"error": error} | ({} if detail == error else {"details": detail}), status, headers)
