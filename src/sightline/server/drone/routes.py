"""The paths of the drone service: as its guide has them, and below the prefix that its clients use too."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, UploadFile
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import UploadFile as AnyUpload
from starlette.responses import Response

from sightline import __version__
from sightline.model.user import Role
from sightline.server.auth.guard import Guard, Principal
from sightline.server.drone import shapes
from sightline.server.drone.desk import DroneDesk, taken
from sightline.server.drone.shapes import Parameters
from sightline.server.errors import answers
from sightline.server.health import Health, health_of
from sightline.server.installation import Installation

_PREFIX = "/vggt_p"
_PARTS = {"video": "source", "flight_log": "log", "tracking_json": "tracks"}
"""Names of files in a form, and what they are to the job."""
_STRUCTURED = frozenset({"source_resolution", "doubts"})
"""Parameters that a form holds as JSON."""
_LATER: dict[int | str, dict[str, Any]] = {
    200: {"model": shapes.Answered, "description": "Where everything was"},
    202: {"model": shapes.Taken, "description": "Taken in; asked for with `async=1`"},
    502: {"description": "A file could not be fetched; `detail` says which, and why"},
}
Later = Annotated[bool, Query(alias="async", description="Do not wait: answer with the number of the job.")]


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """What a form held."""

    files: Mapping[str, UploadFile]
    """By what they are to the job."""
    parameters: Parameters
    """All else."""


async def form_of(request: Request) -> AsyncIterator[Form]:
    """The form's files and parameters, as long as the request lasts.

    Raises:
        RequestValidationError: a file is missing, or a parameter makes no sense.
    """
    async with request.form(max_files=8, max_fields=100) as form:
        items = form.multi_items()
        files = {
            _PARTS[name]: UploadFile(part.file, size=part.size, filename=part.filename, headers=part.headers)
            for name, part in items
            if isinstance(part, AnyUpload) and name in _PARTS
        }
        texts = {name: part for name, part in items if isinstance(part, str)}
        missing = [name for name, field in _PARTS.items() if field not in files and not _is_unsaid(name, texts)]
        if missing:
            faults = [{"type": "missing", "loc": ("body", n), "msg": "Field required", "input": None} for n in missing]
            raise RequestValidationError(faults)
        yield Form(files, _parameters(texts))


def _is_unsaid(name: str, texts: Mapping[str, str]) -> bool:
    """Whether a form says that there are no tracks, by a field without anything in it."""
    return name == "tracking_json" and texts.get(name) == ""


def _parameters(texts: Mapping[str, str]) -> Parameters:
    """Those in a form; what a client calls things is none.

    Raises:
        RequestValidationError: one makes no sense.
    """
    found: dict[str, Any] = {}
    for name, text in texts.items():
        if name in _STRUCTURED:
            with suppress(ValueError):  # what is no JSON is refused below, by name
                found[name] = json.loads(text)
        if text and name not in {"job_id", "file_id"}:
            found.setdefault(name, text)
    try:
        return Parameters.model_validate(found)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False)
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in faults]) from None


def router(services: Installation, guard: Guard) -> APIRouter:
    """All of them."""
    both = APIRouter()
    both.include_router(_work(services, guard, shown=True))
    both.include_router(_work(services, guard, shown=False), prefix=_PREFIX)
    both.include_router(_about(guard), prefix=_PREFIX)
    return both


def _work(services: Installation, guard: Guard, *, shown: bool) -> APIRouter:
    routes = APIRouter(tags=["drone"], include_in_schema=shown)
    operator = Annotated[Principal, Depends(guard.allow(Role.OPERATOR))]
    desk = DroneDesk(services)

    @routes.post("/process", summary="Place what a drone filmed", responses=_LATER | answers(404, 504))
    async def process(who: operator, request: Request, asked: shapes.Asked, later: Later = False) -> Response:
        job = await run_in_threadpool(desk.take, asked, who.name)
        return taken(job) if later else await desk.answer(job, request)

    @routes.post(
        "/process-upload",
        summary="The same with files in a form",
        responses=_LATER | answers(504),
        openapi_extra=_form_schema(),
    )
    async def process_upload(
        who: operator, request: Request, form: Annotated[Form, Depends(form_of)], later: Later = False
    ) -> Response:
        job = await run_in_threadpool(desk.take_files, form.files, form.parameters, who.name)
        return taken(job) if later else await desk.answer(job, request)

    return routes


def _about(guard: Guard) -> APIRouter:
    routes = APIRouter(tags=["drone"])
    viewer = Annotated[Principal, Depends(guard.allow(Role.VIEWER))]

    @routes.get("/", summary="What this is")
    def root(_who: viewer) -> dict[str, Any]:
        paths = ["/process", "/process-upload", "/health"]
        return {"service": "drone", "version": __version__, "endpoints": [f"{_PREFIX}{path}" for path in paths]}

    @routes.get("/health", summary="Whether the service works")
    async def health() -> Health:
        return health_of()

    return routes


def _form_schema() -> dict[str, Any]:
    """What the form holds, for the API's description."""
    parameters = Parameters.model_json_schema()
    simple = {name: {"type": "string"} for name in parameters["properties"]}
    files = {name: {"type": "string", "format": "binary"} for name in _PARTS}
    schema = {"type": "object", "properties": {**files, **simple}, "required": list(_PARTS)}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}
