"""The process that decodes one camera."""

import re
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import cast, get_args

from sightline.errors import ConflictError, RefusedError, SightlineError, SourceError
from sightline.executors.apart import lead_group_until_parent_ends
from sightline.fetching import download, relayed
from sightline.jobs.cameras.decoding import decode_camera
from sightline.jobs.cameras.task import CameraReport, CameraState, CameraTask
from sightline.jobs.footage import policy_of
from sightline.model.decoding import CameraRecord
from sightline.settings import Settings
from sightline.sources.opening import Hardware
from sightline.stores.artifacts import artifacts_at
from sightline.stores.frames import FrameFolder

_KEPT = "artifact:"
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}")
"""What may name a folder."""
_PATIENCE_S = 10.0
"""How long a process before this one may take to let go of the folder."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """One camera to decode."""

    record: CameraRecord
    """What was asked for, and how far it was."""
    first_number: int
    """Number of the first picture since it was started."""
    settings: Settings
    """What the installation is set to."""


def folder_of(settings: Settings, camera_id: str) -> Path:
    """Where a camera's pictures go.

    Raises:
        RefusedError: its name does not do for a folder.
    """
    if not _NAME.fullmatch(camera_id):
        raise RefusedError("camera: its name may have letters, digits, '-', '_' and '.', and not begin with '.'")
    return settings.frames_folder().absolute() / camera_id


def fetched_folder(settings: Settings, record: CameraRecord) -> Path:
    """Where a file that has to be fetched is, as long as it is decoded.

    Raises:
        RefusedError: the camera's name does not do for a folder.
    """
    folder_of(settings, record.camera_id)
    return settings.data_folder.absolute() / "fetched" / f"{record.camera_id}-{record.generation}"


def decode(assignment: Assignment, door: Connection) -> None:
    """All that the process does: says how far it is through ``door``, until it is done or SIGTERM comes."""
    lead_group_until_parent_ends()
    stop = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})

    def report(told: CameraReport) -> None:
        with suppress(BrokenPipeError):
            door.send(told)

    record = assignment.record
    try:
        folder = folder_of(assignment.settings, record.camera_id)
        _wait_for(folder, stop)
        with _source(assignment, stop) as source:
            if source is not None:
                decode_camera(_task(assignment, folder, source), report, stop.is_set)
    except SourceError as error:
        # A stream whose host has no name just now may have one in a minute: the process is begun again.
        report(_trouble(record, "waiting" if record.is_live else "error", error))
    except SightlineError as error:
        report(_trouble(record, "error", error))


def _wait_for(folder: Path, stop: threading.Event) -> None:
    """Until nobody else writes to the folder: who did before may still be on the way out."""
    give_up_s = time.monotonic() + _PATIENCE_S
    while not stop.is_set() and time.monotonic() < give_up_s:
        try:
            FrameFolder(folder).close()
        except ConflictError:
            stop.wait(0.05)
        else:
            return


@contextmanager
def _source(assignment: Assignment, stop: threading.Event) -> Iterator[str | None]:
    """A file's path or a stream's address, while inside; None: stopped before it was there.

    Raises:
        SightlineError: it is not allowed, or not there.
    """
    record, settings = assignment.record, assignment.settings
    if record.source.startswith(_KEPT):
        with artifacts_at(settings.artifacts_url()).path(record.source.removeprefix(_KEPT)) as path:
            yield str(path)
        return
    if record.is_live:
        with relayed(policy_of(settings).check(record.source)) as url:
            yield url
        return
    folder = fetched_folder(settings, record)
    held = folder / "media"
    if not held.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        came = download(record.source, folder, policy_of(settings), _silent, stop.is_set)
        if came is None or came.parent != folder:
            shutil.rmtree(folder, ignore_errors=True)
            yield None if came is None else str(came)
            return
        came.rename(held)  # a restart need not fetch it again
    yield str(held)


def _task(assignment: Assignment, folder: Path, source: str) -> CameraTask:
    record, pipeline = assignment.record, assignment.settings.video_pipeline
    wanted = record.force_format or "none"
    return CameraTask(
        source=source,
        shown=record.shown,
        is_live=record.is_live,
        folder=folder,
        fps=float(record.fps),
        hardware=cast("Hardware", wanted if wanted in get_args(Hardware) else "none"),
        quality=pipeline.quality,
        keep_count=pipeline.keep_count,
        keep_age_s=None if pipeline.keep_hours is None else pipeline.keep_hours * 3600.0,
        keep_bytes=int(pipeline.keep_bytes),
        first_number=assignment.first_number,
        last_number=record.last_number,
        restart_count=record.restart_count,
        connect_timeout_s=pipeline.connect_timeout_s,
        read_timeout_s=pipeline.read_timeout_s,
    )


def _trouble(record: CameraRecord, state: CameraState, error: SightlineError) -> CameraReport:
    return CameraReport(
        state=state,
        n_written=record.n_written,
        last_number=record.last_number,
        last_index=-1,
        last_t_s=None,
        restart_count=record.restart_count,
        last_error=str(error),
        fallback=None,
    )


def _silent(_step: str, _done: int, _total: int | None) -> None:
    """Nobody is told."""
