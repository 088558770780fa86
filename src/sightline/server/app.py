"""The app, from its services. There is no app before somebody makes one."""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from sightline import __version__
from sightline.errors import OptionError, StoreError
from sightline.live.relay import relay_path, relayed
from sightline.server import artifacts, health, jobs, metrics
from sightline.server.auth.guard import Guard
from sightline.server.auth.routes import router as auth
from sightline.server.changes import Changes
from sightline.server.errors import add_error_answers
from sightline.server.installation import Installation
from sightline.server.limits import add_limits
from sightline.server.requests import Numbered
from sightline.server.surfaces import SURFACES

_log = logging.getLogger(__name__)


def create_app(services: Installation) -> FastAPI:
    """The app that serves the surfaces which the settings name.

    Raises:
        OptionError: there is no such surface.
    """
    settings = services.settings
    for name in settings.only:
        if name not in SURFACES:
            raise OptionError(f"there is no surface {name!r}; there are: {', '.join(SURFACES)}")
    changes = Changes(services.jobs)
    guard = Guard(services.settings, services.engine)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if settings.redis_url() is None:
                try:
                    await stack.enter_async_context(relayed(relay_path(settings.data_folder), services.hub))
                except StoreError as error:
                    _log.warning("no live messages from workers here: %s", error)
            yield
        await changes.close()
        await guard.close()
        await services.hub.close()

    app = FastAPI(
        title="Sightline",
        version=__version__,
        summary="Video in, whereabouts out: what was seen, who is who, and where it stood.",
        lifespan=lifespan,
        redoc_url=None,
    )
    services.ends.append(changes.end)
    app.state.end_streams = lambda: [end() for end in services.ends]
    add_error_answers(app)
    numbers = metrics.Metrics(services.jobs, services.cameras)
    app.include_router(health.router(services))
    app.include_router(metrics.router(numbers))
    app.include_router(auth(services, guard))
    app.include_router(jobs.router(services, guard, changes))
    app.include_router(artifacts.router(services, guard))
    for name, router in SURFACES.items():
        if not settings.only or name in settings.only:
            app.include_router(router(services, guard))
    add_limits(app, services, guard)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=["authorization", "content-type", "x-api-key", "x-request-id"],
            expose_headers=["etag", "location", "x-request-id", "age"],
        )
    app.add_middleware(Numbered, metrics=numbers)
    return app
