"""One client that listens to a task: first how it stands, then everything as it happens."""

import asyncio
import contextlib
from typing import Final, final

from fastapi import WebSocket, WebSocketDisconnect
from fastapi.concurrency import run_in_threadpool

from sightline.errors import StoreError
from sightline.jobs.sites import messages
from sightline.model.job import OPEN, Job
from sightline.model.playback import Playback
from sightline.server.auth.guard import Guard
from sightline.server.installation import Installation
from sightline.server.tracking.ends import Ends
from sightline.server.tracking.standing import standing
from sightline.stores.sql.playbacks import Playbacks

_WHO_S: Final = 30.0
"""How often it is asked whether who listens still may."""


@final
class Listener:
    """A WebSocket of a client."""

    def __init__(self, socket: WebSocket, services: Installation, guard: Guard, ends: Ends, job: Job) -> None:
        self._ends = ends
        self._socket, self._services, self._guard, self._job = socket, services, guard, job
        self._playbacks = Playbacks(services.engine)
        self._channel = messages.channel(job.id)
        self._sending = asyncio.Lock()

    async def talk(self) -> None:
        """Until the client goes, or may not listen any more. The end of the task does not end it."""
        await self._socket.accept()
        tasks = [asyncio.create_task(work) for work in (self._tell(), self._hear(), self._watch(), self._ask())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await self._socket.close()

    async def _tell(self) -> None:
        """How it stands, then all that is said."""
        with contextlib.suppress(WebSocketDisconnect, RuntimeError, StoreError):
            most = messages.waiting(has_images=bool(self._job.params.get("images")))
            async with self._services.hub.subscribe(self._channel, most=most, replay=True) as subscription:
                state = subscription.taken()
                playback = await run_in_threadpool(self._playbacks.get, self._job.id)
                await self._send(messages.status_update(standing(self._job, playback)))
                for message in state:
                    if message.key != messages.STATUS:  # the store knows that better: the task may have ended
                        await self._send(message.data)
                async for message in subscription:
                    if message.key != messages.NOW:
                        await self._send(message.data)

    async def _hear(self) -> None:
        """What clients say means nothing; that they are gone does."""
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while True:
                await self._socket.receive_text()

    async def _watch(self) -> None:
        """Tells of an end that nobody who does the work could tell of."""
        if self._job.state in OPEN:
            job = await self._ends.of(self._job.id)
            if job is None:
                return
            await self._send(messages.status_update(standing(job, Playback(job_id=job.id))))
        await asyncio.Event().wait()

    async def _ask(self) -> None:
        """Until who listens may not any more."""
        while await self._guard.is_still(self._socket):
            await asyncio.sleep(_WHO_S)

    async def _send(self, data: bytes) -> None:
        async with self._sending:
            await self._socket.send_text(data.decode())
