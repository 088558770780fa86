"""Whether the server works."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from sightline import __version__
from sightline.errors import StoreError
from sightline.server.installation import Installation
from sightline.server.pages import Pages, sent


class Health(BaseModel):
    """Whether the server works, in the words of all clients that ask."""

    status: str = Field(description="healthy, from a server that answers.")
    service: str = Field(description="Which.")
    version: str = Field(description="Of the server.")
    model_loaded: bool = Field(description="Whether work can begin; what needs a model loads it then.")
    device: str = Field(description="What computes: cuda where there is an NVIDIA graphics card, else cpu.")
    gpu_available: bool = Field(description="Whether there is one.")


def health_of() -> Health:
    """As it is now; nothing is asked for it but the kernel."""
    has_gpu = Path("/proc/driver/nvidia/gpus").is_dir()
    return Health(
        status="healthy",
        service="sightline",
        version=__version__,
        model_loaded=True,
        device="cuda" if has_gpu else "cpu",
        gpu_available=has_gpu,
    )


def router(services: Installation) -> APIRouter:
    """``/health`` and ``/health/live`` touch nothing and answer at once; ``/health/ready`` asks the stores."""
    routes = APIRouter(tags=["health"])

    @routes.get("/health", summary="Whether the server answers")
    @routes.get("/health/live", summary="Whether the server answers", include_in_schema=False)
    async def live() -> Health:
        return health_of()

    def database() -> str:
        try:
            with services.engine.execution_options(reads=True).connect() as connection:
                connection.execute(text("SELECT 1"))
        except SQLAlchemyError as error:
            return f"unreachable: {type(error).__name__}"
        return "ok"

    def disk() -> str:
        return "ok" if services.settings.data_folder.is_dir() else "the data folder is missing"

    pages = Pages(services.settings)

    @routes.get("/", summary="What this is", response_model=dict[str, str])
    def root() -> Any:
        if (front := pages.file("/")) is not None:
            return sent(front)
        return {"message": f"Sightline {__version__}; API documentation is at /docs"}

    async def hub() -> str:
        try:
            await services.hub.ping()
        except StoreError as error:
            return str(error)
        return "ok"

    @routes.get("/health/ready", summary="Whether the stores answer", responses={503: {"description": "Not ready"}})
    async def ready() -> JSONResponse:
        checks = {
            "database": await run_in_threadpool(database),
            "data_folder": await run_in_threadpool(disk),
            "live_hub": await hub(),
        }
        is_ready = all(check == "ok" for check in checks.values())
        return JSONResponse(
            {"status": "ready" if is_ready else "not ready", "checks": checks}, 200 if is_ready else 503
        )

    return routes
