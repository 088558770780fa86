"""What went wrong, as a client sees it: the right status and one line under ``detail``. Never a stack trace."""

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

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
_log = logging.getLogger(__name__)


def add_error_answers(app: FastAPI) -> None:
    """Has ``app`` answer every error in the field's shape."""
    app.add_exception_handler(SightlineError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _said)
    app.add_exception_handler(Exception, _fault)


def status_of(error: SightlineError) -> int:
    """The HTTP status that fits."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def _ours(_connection: HTTPConnection, error: Exception) -> JSONResponse:
    if not isinstance(error, SightlineError):
        raise error
    status = status_of(error)
    if status >= 500:
        _log.error("error=%s why=%r", type(error).__name__, str(error))
    return answer(status, str(error))


def _said(_connection: HTTPConnection, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    return answer(error.status_code, error.detail, error.headers)


def _invalid(_request: Request, error: Exception) -> JSONResponse:
    """Which field, and what is wrong with it; not what was sent, which may hold a password."""
    if not isinstance(error, RequestValidationError):
        raise error
    faults = [{"loc": list(one["loc"]), "msg": one["msg"], "type": one["type"]} for one in error.errors()]
    return answer(422, faults)


def _fault(request: Request, error: Exception) -> JSONResponse:
    """A fault of ours: the log has it, under the number that the client is told."""
    number = request.scope.get("state", {}).get("request_id", "unknown")
    _log.error("fault=%s path=%s", type(error).__name__, request.url.path, exc_info=error)
    return answer(500, f"a fault of ours; the server's log has it under request {number}")


def answer(status: int, detail: Any, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An error, in the field's shape."""
    return JSONResponse({"detail": detail}, status, headers)
