"""Noting what came of runs, whether or not anybody asks, from when the server starts until it ends."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

from fastapi.concurrency import run_in_threadpool
from sqlalchemy.exc import SQLAlchemyError

from sightline.errors import SightlineError
from sightline.server.runs.desk import RunDesk

_EVERY_S = 1.0
_log = logging.getLogger(__name__)


def keeping(desk: RunDesk) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    """For as long as a server runs."""

    @asynccontextmanager
    async def lifespan(_app: Any) -> AsyncIterator[None]:
        task = asyncio.create_task(_keep(desk))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    return lifespan


async def _keep(desk: RunDesk) -> None:
    while True:
        try:
            await run_in_threadpool(desk.settle_all)
        except (SQLAlchemyError, SightlineError) as error:
            _log.warning("runs not looked after: %s; trying again", type(error).__name__)
        await asyncio.sleep(_EVERY_S)
