"""Sees to it that what should be decoded is: one process for each camera that this worker holds."""

import logging
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from sightline.errors import SightlineError
from sightline.executors.apart import begun, end
from sightline.jobs.cameras.process import Assignment, decode, fetched_folder, folder_of
from sightline.jobs.cameras.task import CameraReport
from sightline.model.decoding import CameraRecord, DecodingState
from sightline.settings import Settings
from sightline.stores.frames import newest
from sightline.stores.sql.cameras import Cameras

_ROUND_S = 0.4
"""How often it is looked what is wanted."""
_LEASE_S = 6.0
_RENEW_S = 2.0
"""How long a camera is this worker's without a word from it, and how often it gives one."""
_STOP_S = 2.0
"""How long a process that is to end may take before it is killed."""
_LONGEST_PAUSE_S = 30.0
_WELL_S = 60.0
"""Before a process that died is begun again it is waited longer each time, unless it was well for so long."""
_MOST_DEATHS = 5
"""So often in a row a file may have its process die."""
_STATES = {
    "running": DecodingState.RUNNING,
    "waiting": DecodingState.RUNNING,
    "completed": DecodingState.COMPLETED,
    "error": DecodingState.ERROR,
}
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Decoder:
    """A process, and what it said."""

    record: CameraRecord
    process: BaseProcess
    door: Connection
    began_s: float
    said: CameraReport | None = None
    is_news: bool = False
    written_utc_s: float | None = None
    kill_s: float | None = None

    def listen(self) -> None:
        """Takes what it has said since."""
        with suppress(EOFError, OSError):
            while self.door.poll():
                said: CameraReport = self.door.recv()
                before = self.record.n_written if self.said is None else self.said.n_written
                if said.n_written > before:
                    self.written_utc_s = time.time()
                self.said, self.is_news = said, True

    def ask_to_end(self) -> None:
        """Once; after a while it is not asked any more."""
        if self.kill_s is None:
            self.kill_s = time.monotonic() + _STOP_S
            with suppress(ProcessLookupError):
                if self.process.pid is not None:
                    os.kill(self.process.pid, signal.SIGTERM)

    def is_over(self) -> bool:
        """Whether it is gone, if need be by force."""
        if self.process.is_alive() and (self.kill_s is None or time.monotonic() < self.kill_s):
            return False
        end(self.process, 0.0)
        self.listen()
        self.door.close()
        return True

    def changes(self) -> dict[str, Any]:
        """What of the camera's row is news."""
        if self.said is None:
            return {}
        written = {} if self.written_utc_s is None else {"last_written_utc_s": self.written_utc_s}
        return written | {
            "state": _STATES[self.said.state],
            "n_written": self.said.n_written,
            "last_number": self.said.last_number,
            "restart_count": self.said.restart_count,
            "last_error": self.said.last_error or self.record.last_error,
        }


@dataclass(slots=True)
class _Deaths:
    """How often in a row a camera's process died, and when the next may begin."""

    generation: int
    n: int = 0
    next_s: float = 0.0


@final
class Keeper:
    """Keeps cameras going for one worker."""

    def __init__(self, settings: Settings, engine: Engine, holder: str) -> None:
        self._settings, self._holder = settings, holder
        self._cameras = Cameras(engine)
        self._reading = Cameras(engine.execution_options(reads=True))
        self._decoders: dict[str, _Decoder] = {}
        self._deaths: dict[str, _Deaths] = {}
        self._renew_s = 0.0

    def run(self, stopped: Callable[[], bool]) -> None:
        """Goes round until ``stopped``; then all processes end, and others may have the cameras."""
        try:
            while not stopped():
                began_s = time.monotonic()
                try:
                    self.go()
                except SQLAlchemyError as error:
                    _log.warning("database: %s; trying again", type(error).__name__)
                while not stopped() and (left_s := began_s + _ROUND_S - time.monotonic()) > 0:
                    time.sleep(min(left_s, 0.1))
        finally:
            self._let_go()

    def go(self) -> None:
        """One round: learn what is wanted, end what is not, begin what is missing, note what was said."""
        wanted = {record.camera_id: record for record in self._held()}
        for camera_id, decoder in list(self._decoders.items()):
            decoder.listen()
            record = wanted.get(camera_id)
            if record is None or record.generation != decoder.record.generation:
                decoder.ask_to_end()
            if decoder.is_over():
                del self._decoders[camera_id]
                self._ended(decoder)
                wanted.pop(camera_id, None)  # its row is looked at again in the next round
        for camera_id, record in wanted.items():
            if camera_id not in self._decoders and self._may_begin(record):
                self._begin(record)
        self._note()

    def _held(self) -> list[CameraRecord]:
        """The cameras that this worker is to decode; those that it need not hold any more, others may have."""
        records, now_s = self._reading.all(), time.time()
        wanted = [record for record in records if record.is_wanted and record.state is DecodingState.RUNNING]
        is_free = any(record.holder is None or record.lease_until_utc_s < now_s for record in wanted)
        mine = [record for record in records if record.holder == self._holder]
        if is_free or (mine and time.monotonic() >= self._renew_s):
            self._renew_s = time.monotonic() + _RENEW_S
            mine = self._cameras.claim(self._holder, _LEASE_S)
        held = [record for record in mine if record.is_wanted and record.state is DecodingState.RUNNING]
        for record in mine:
            if record not in held and record.camera_id not in self._decoders:
                self._cameras.release(record.camera_id, self._holder)
                with suppress(SightlineError):
                    shutil.rmtree(fetched_folder(self._settings, record), ignore_errors=True)
        return held

    def _may_begin(self, record: CameraRecord) -> bool:
        deaths = self._deaths.get(record.camera_id)
        return deaths is None or deaths.generation != record.generation or time.monotonic() >= deaths.next_s

    def _begin(self, record: CameraRecord) -> None:
        try:
            first_number = self._first_number(record)
        except SightlineError as error:
            self._cameras.report(record, state=DecodingState.ERROR, last_error=str(error))
            return
        here, there = Pipe(duplex=False)
        assignment = Assignment(record, first_number, self._settings)
        process = begun(decode, (assignment, there), name=f"camera-{record.camera_id}")
        there.close()
        self._decoders[record.camera_id] = _Decoder(record, process, here, time.monotonic())
        _log.info("camera=%s generation=%d begun", record.camera_id, record.generation)

    def _first_number(self, record: CameraRecord) -> int:
        """Number of the first picture since the camera was started: those before are of other generations.

        It is noted before there is any picture, so that a restart knows whose the pictures are.
        """
        if record.updated_utc_s != record.started_utc_s:
            return record.last_number - record.n_written + 1
        found = newest(folder_of(self._settings, record.camera_id))
        last = max(record.last_number, int(found[0].stem.removeprefix("frame_")) if found else 0)
        self._cameras.report(record, last_number=last, n_written=0)
        return last + 1

    def _ended(self, decoder: _Decoder) -> None:
        """Notes how a process ended; one that nobody asked to is begun again after a while."""
        record, changes = decoder.record, decoder.changes()
        was_asked = decoder.kill_s is not None
        is_final = decoder.said is not None and decoder.said.state in {"completed", "error"}
        if not was_asked and not is_final:
            changes |= self._died(decoder)
        if changes:
            self._cameras.report(record, **changes)
        state = changes.get("state", record.state)
        _log.info("camera=%s generation=%d ended state=%s", record.camera_id, record.generation, state)

    def _died(self, decoder: _Decoder) -> dict[str, Any]:
        """What to note of a process that ended without being done."""
        record, code = decoder.record, decoder.process.exitcode
        deaths = self._deaths.get(record.camera_id)
        if deaths is None or deaths.generation != record.generation or time.monotonic() - decoder.began_s > _WELL_S:
            deaths = _Deaths(record.generation)
        deaths.n += 1
        deaths.next_s = time.monotonic() + random.uniform(0.5, 1.0) * min(_LONGEST_PAUSE_S, 2.0 ** (deaths.n - 1))
        self._deaths[record.camera_id] = deaths
        n_restarts = (decoder.said or record).restart_count + 1
        if code == 0 and decoder.said is not None:  # it said why and wants to be begun again
            return {"restart_count": n_restarts}
        how = f"by {signal.Signals(-code).name}" if code is not None and code < 0 else f"with exit code {code}"
        why = f"the decoder ended {how}"
        _log.warning("camera=%s %s", record.camera_id, why)
        if not record.is_live and deaths.n >= _MOST_DEATHS:
            return {"state": DecodingState.ERROR, "last_error": f"{why}, {deaths.n} times in a row; given up"}
        return {"restart_count": n_restarts, "last_error": why}

    def _note(self) -> None:
        """All that was said since, in one transaction."""
        news = [decoder for decoder in self._decoders.values() if decoder.is_news]
        if news:
            self._cameras.report_all([(decoder.record, decoder.changes()) for decoder in news])
            for decoder in news:
                decoder.is_news = False

    def _let_go(self) -> None:
        """Ends all processes, and lets others have the cameras as they are."""
        going = list(self._decoders.values())
        for decoder in going:
            decoder.ask_to_end()
        while going := [decoder for decoder in going if not decoder.is_over()]:
            time.sleep(0.05)
        with suppress(SQLAlchemyError):  # the leases run out by themselves
            said = [decoder for decoder in self._decoders.values() if decoder.said is not None]
            self._cameras.report_all([(decoder.record, decoder.changes()) for decoder in said])
            for camera_id in self._decoders:
                self._cameras.release(camera_id, self._holder)
