"""One camera's decoding, from a file or a stream to numbered pictures; meant to be all that a process does.

A file is decoded once. Each of its pictures carries its place in the video as a comment, so after a kill the newest
picture tells exactly where to go on: nothing is lost and nothing comes twice. A stream is begun again whenever it
breaks, ends, falls silent or gives no pictures, after a wait that doubles from try to try and is drawn by chance,
so that many cameras do not all knock at once.
"""

import gc
import json
import logging
import random
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import cv2

from sightline.errors import FormatError, SightlineError, SourceError
from sightline.formats.jpeg import JpegThread, comment_of, encoded, with_comment
from sightline.jobs.cameras.task import CameraReport, CameraState, CameraTask
from sightline.model.frame import Moment
from sightline.sources.opening import Hardware, open_file
from sightline.sources.stream import Stream, without_secrets
from sightline.sources.video import Video
from sightline.stores.frames import FrameFolder, newest

_HEALTHY_S = 10.0
"""A stream that gave pictures for so long is begun again without delay."""
_GLANCE_S = 0.1
"""How often to look whether to stop, while waiting."""
_BETWEEN_REPORTS_S = 0.25
_log = logging.getLogger(__name__)


class _StoppedError(Exception):
    """Somebody wants the decoding to end."""


class _StalledError(Exception):
    """Data comes, but no pictures."""


def decode_camera(task: CameraTask, report: Callable[[CameraReport], None], stopped: Callable[[], bool]) -> None:
    """Decodes until the file ends or ``stopped`` turns true; a stream is never given up.

    ``report`` is called at every change, and for new pictures a few times per second. Nothing is raised that this
    package can name: it is reported as state ``error``. Uses one thread for pictures' colours, in all of the process.
    """
    cv2.setNumThreads(1)
    told = _Told(task, report)
    try:
        with FrameFolder(
            task.folder,
            next_number=max(task.first_number, task.last_number + 1),
            keep_count=task.keep_count,
            keep_age_s=task.keep_age_s,
            keep_bytes=task.keep_bytes,
        ) as frames:
            told.last_number = max(frames.last_number, told.last_number)
            if task.is_live:
                _Live(task, frames, told, stopped).watch()
            else:
                _decode_file(task, frames, told, stopped)
            if stopped():
                told.say("running")  # the last of it: reports are fewer than pictures
    except SightlineError as error:
        told.say("error", why=str(error))


@dataclass(slots=True)
class _Told:
    """What has been reported, so that reports are complete and not too many."""

    task: CameraTask
    report: Callable[[CameraReport], None]
    last_number: int = 0
    last_index: int = -1
    last_t_s: float | None = None
    restart_count: int = 0
    last_error: str | None = None
    fallback: str | None = None
    _state: CameraState | None = None
    _said_s: float = field(default=-1e9)

    def __post_init__(self) -> None:
        self.last_number = max(self.task.last_number, self.task.first_number - 1)
        self.last_index, self.restart_count = self.task.last_index, self.task.restart_count

    def say(self, state: CameraState, *, why: str | None = None) -> None:
        """Reports the state, and what went wrong."""
        if why is not None:
            self.last_error = _without_place(why, self.task)
            _log.warning("camera=%s state=%s restart_count=%d why=%r", self.task.folder.name, state,
                         self.restart_count, self.last_error)  # fmt: skip
        self._state, self._said_s = state, time.monotonic()
        self.report(
            CameraReport(
                state=state,
                n_written=max(0, self.last_number - self.task.first_number + 1),
                last_number=self.last_number,
                last_index=self.last_index,
                last_t_s=self.last_t_s,
                restart_count=self.restart_count,
                last_error=self.last_error,
                fallback=self.fallback,
            )
        )

    def fell_back(self, why: str) -> None:
        """A device was asked for, but the processor decodes."""
        if self.fallback is None:
            self.fallback = self.last_error = _without_place(why, self.task)
            _log.warning("camera=%s fallback=%r", self.task.folder.name, self.fallback)

    def wrote(self, number: int, moment: Moment) -> None:
        """Notes a picture; reports it unless it did so just now."""
        self.last_number, self.last_index, self.last_t_s = number, moment.index, moment.t_s
        if self._state != "running" or time.monotonic() - self._said_s >= _BETWEEN_REPORTS_S:
            self.say("running")


def _without_place(text: str, task: CameraTask) -> str:
    """The message with the address as it may be shown, and no path of this machine."""
    shown = without_secrets(task.source) if task.is_live else task.source
    return text.replace(shown, task.shown).replace(task.source, task.shown)


def _decode_file(task: CameraTask, frames: FrameFolder, told: _Told, stopped: Callable[[], bool]) -> None:
    """From behind the last picture written to the end.

    Raises:
        SightlineError: it cannot be read, or pictures cannot be written.
    """
    path = Path(task.source)
    told.last_index = max(told.last_index, _index_of_newest(task))
    video = Video(
        path,
        fps=task.fps,
        start_s=task.start_s,
        end_s=task.end_s,
        hardware=_file_hardware(path, task, told),
        after_index=told.last_index,
    )

    def write(moment: Moment, data: bytes) -> None:
        place = json.dumps({"index": moment.index, "t_s": moment.t_s})
        frames.append(with_comment(data, place))
        told.wrote(frames.last_number, moment)

    with JpegThread(write, quality=task.quality) as jpegs, closing(video.planes()) as pictures:
        told.say("running")
        for planes in pictures:
            if stopped():
                break
            jpegs.put(planes)
    if not stopped():
        told.say("completed")


def _index_of_newest(task: CameraTask) -> int:
    """Place in the file of the newest picture, if it is of this task; -1 if there is none."""
    found = newest(task.folder)
    if found is None or int(found[0].stem.removeprefix("frame_")) < task.first_number:
        return -1
    try:
        place = json.loads(comment_of(found[0].read_bytes()) or "{}")
        return int(place["index"])
    except (OSError, ValueError, KeyError, TypeError):
        raise FormatError(f"{found[0].name}: does not say where in the video it is from; remove the frames") from None


def _file_hardware(path: Path, task: CameraTask, told: _Told) -> Hardware:
    """The device asked for, if it decodes this file."""
    if task.hardware in {"none", "auto"}:
        return task.hardware
    try:
        with closing(open_file(path, task.hardware)) as opened:
            if opened.codec.is_hwaccel:
                return task.hardware
            why = f"{path}: hardware {task.hardware!r} does not decode {opened.codec.name}"
    except SourceError as error:
        why = str(error)
        open_file(path).close()  # where it cannot be read at all, that is the error
    told.fell_back(why)
    return "none"


class _Live:
    """Watches a stream."""

    def __init__(self, task: CameraTask, frames: FrameFolder, told: _Told, stopped: Callable[[], bool]) -> None:
        self._task = task
        self._frames = frames
        self._told = told
        self._stopped = stopped
        self._hardware: Hardware = task.hardware
        self._began_s = 0.0
        self._picture_s = 0.0
        self._has_picture = False

    def watch(self) -> None:
        """Until stopped, whatever happens."""
        n_tries = 0
        self._told.say("waiting")
        while not self._stopped():
            self._began_s, self._has_picture = time.monotonic(), False
            try:
                self._follow()
                why = f"{self._task.shown}: the stream ended"
            except _StoppedError:
                return
            except _StalledError:
                why = f"{self._task.shown}: no picture for {self._task.stall_timeout_s:g} s, although data came"
            except SightlineError as error:
                why = str(error)
            if self._has_picture and time.monotonic() - self._began_s > _HEALTHY_S:
                n_tries = 0
            self._told.say("waiting", why=why)
            self._pause(random.uniform(0, min(self._task.most_wait_s, self._task.first_wait_s * 2**n_tries)))
            n_tries = min(n_tries + 1, 30)
            self._told.restart_count += 1

    def _follow(self) -> None:
        """One connection.

        Raises:
            SightlineError: it breaks, or pictures cannot be written.
        """
        stream = self._connected()
        self._picture_s = time.monotonic()
        with closing(stream.planes(self._check)) as pictures:
            for planes in pictures:
                self._frames.append(encoded(planes, self._task.quality))
                self._picture_s, self._has_picture = time.monotonic(), True
                self._told.wrote(self._frames.last_number, planes.moment)

    def _connected(self) -> Stream:
        """The stream, with the device asked for if that decodes it.

        Raises:
            SourceError: nobody answers in time, or what answers is no video.
        """
        if self._hardware in {"none", "auto"}:
            return self._stream(self._hardware)
        try:
            stream = self._stream(self._hardware)
            stream.about()
            if stream.is_hardware is not False:
                return stream
            why = f"{self._task.shown}: hardware {self._hardware!r} does not decode this stream"
        except SourceError as error:
            why = str(error)
            stream = self._stream("none")
            stream.about()
        self._told.fell_back(why)
        self._hardware = "none"
        return stream

    def _stream(self, hardware: Hardware) -> Stream:
        return Stream(
            self._task.source,
            fps=self._task.fps,
            grid="aligned",
            timeout_s=self._task.read_timeout_s,
            connect_timeout_s=self._task.connect_timeout_s,
            hardware=hardware,
        )

    def _check(self) -> None:
        """Called for everything that comes from the network."""
        if self._stopped():
            raise _StoppedError
        if time.monotonic() - self._picture_s > self._task.stall_timeout_s + 1 / self._task.fps:
            raise _StalledError

    def _pause(self, wait_s: float) -> None:
        """Waits, unless stopped."""
        gc.collect()  # a connection leaves cycles behind that hold its decoder's pictures
        until = time.monotonic() + wait_s
        while not self._stopped() and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _GLANCE_S))
        self._frames.prune()
