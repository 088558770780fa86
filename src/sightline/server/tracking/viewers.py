"""Who looks at pictures of tasks: as long as anybody does, whoever watches the site is asked for them."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, final

from fastapi.concurrency import run_in_threadpool
from sqlalchemy.exc import SQLAlchemyError

from sightline.errors import UnknownError
from sightline.jobs.sites import messages
from sightline.live import Subscription
from sightline.model.job import OPEN
from sightline.server.installation import Installation
from sightline.stores.sql.playbacks import Playbacks

_AGAIN_S: Final = 2.0
"""How often pictures are asked for."""
_GOOD_S: Final = 3 * _AGAIN_S
"""How long asking once is good for."""
_STALLED_S: Final = 60.0
"""Who took nothing for so long does not count."""
_log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class Viewer:
    """One who looks at one picture."""

    job_id: str
    """The task."""
    name: str
    """Which picture: ``camera`` or ``camera/boxes``."""
    subscription: Subscription
    """What is shown of the task."""
    took_s: float
    """When they last took a picture."""

    async def pictures(self) -> AsyncIterator[bytes]:
        """JPEG files as they come; who takes them slowly misses some. Ends with the task."""
        async for message in self.subscription:
            if message.key == self.name:
                self.took_s = time.monotonic()
                yield message.data


@final
class Viewers:
    """All who look on at this server."""

    def __init__(self, services: Installation) -> None:
        self._services, self._playbacks = services, Playbacks(services.engine)
        self._all: dict[Viewer, None] = {}
        self._task: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._is_over = False

    @asynccontextmanager
    async def looking(self, job_id: str, name: str) -> AsyncIterator[Viewer]:
        """Somebody looks at a picture for a while.

        Raises:
            StoreError: the live hub cannot be reached.
        """
        channel = messages.pictures(job_id)
        async with self._services.hub.subscribe(channel) as subscription:
            viewer = Viewer(job_id, name, subscription, time.monotonic())
            self._all[viewer] = None
            if self._is_over:
                subscription.end()
            self._news.set()
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._ask(), name="asks for pictures")
            try:
                yield viewer
            finally:
                del self._all[viewer]
                if all(other.job_id != job_id for other in self._all):
                    await self._services.hub.forget(channel)

    def end(self) -> None:
        """The server is to end: nobody looks any longer."""
        self._is_over = True
        for viewer in self._all:
            viewer.subscription.end()
        self._news.set()

    async def _ask(self) -> None:
        """Until nobody looks any more."""
        while self._all and not self._is_over:
            self._news.clear()
            now_s = time.monotonic()
            wanted: dict[str, set[str]] = {}
            for viewer in self._all:
                names = wanted.setdefault(viewer.job_id, set())
                if now_s - viewer.took_s < _STALLED_S:
                    names.add(viewer.name)
            for job_id, names in wanted.items():
                if not await run_in_threadpool(self._is_asked, job_id, names):
                    for viewer in self._all:
                        if viewer.job_id == job_id:
                            viewer.subscription.end()
            try:
                async with asyncio.timeout(_AGAIN_S):
                    await self._news.wait()
            except TimeoutError:
                continue

    def _is_asked(self, job_id: str, names: set[str]) -> bool:
        """Asks for pictures; False: the task has ended."""
        try:
            if self._services.jobs.get(job_id).state not in OPEN:
                return False
            self._playbacks.want(job_id, dict.fromkeys(names, time.time() + _GOOD_S))
        except UnknownError:
            return False
        except SQLAlchemyError as error:
            _log.warning("task=%s pictures not asked for: %s", job_id, type(error).__name__)
        return True
