"""One piece of heavy work in a process of its own, which can be ended whatever it is doing."""

import logging
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing import Pipe, get_context, parent_process, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.forkserver import ensure_running
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any

import cv2

from sightline.errors import EngineError, SightlineError
from sightline.executors.local import Item, Result, Stopped, Tell, Work

_GLANCE_S = 0.2
"""How often it is asked whether to stop."""
_REPORT_S = 0.1
"""Reports of one step come no faster than this."""
_NICE = 5
"""Heavy work gives way to whoever answers people."""
_log = logging.getLogger(__name__)


def prepare(modules: Sequence[str]) -> None:
    """Has processes of ``apart`` begin with these modules imported, from now on; to be called before the first of them.

    Only modules that start no threads and open nothing: what they hold is there in every process.
    """
    get_context("forkserver").set_forkserver_preload(list(modules))
    _ensure_running()


def apart(work: Work[Item, Result], item: Item, *, tell: Tell, stopped: Stopped, grace_s: float = 1.0) -> Result:
    """What ``work`` makes of ``item``, done in a new process and process group.

    The process is a fork of one that has done nothing but import what ``prepare`` was given, so it begins at once.

    When ``stopped`` turns true the work is told, and has ``grace_s`` seconds to end by itself; then it is killed,
    with all processes that it started. It ends by itself when this process dies.

    Raises:
        SightlineError: whatever the work raised.
        EngineError: the work failed in a way nobody foresaw, its process died, or it had to be killed.
    """
    here, there = Pipe()
    process = begun(_inside, (work, item, there), name=getattr(work, "__name__", "work"))
    there.close()
    try:
        return _followed(process, here, tell, stopped, grace_s)
    finally:
        end(process, 0.0)
        here.close()
        process.close()  # its pipes would else stay until the garbage is collected, which a quiet server rarely does


def begun(target: Callable[..., None], args: tuple[Any, ...], *, name: str) -> BaseProcess:
    """A process that does ``target``, which should begin with ``lead_group_until_parent_ends``.

    SIGTERM is held back in it until it asks for it: those who end a whole service send it to all processes at once,
    and who does the work should hear of that from this one.
    """
    _ensure_running()
    process = get_context("forkserver").Process(target=target, args=args, name=name)
    process.start()
    return process


def _ensure_running() -> None:
    """Starts the process that is forked, with SIGTERM held back; those forked from it inherit that."""
    resource_tracker.ensure_running()  # would let SIGTERM in again if it began later
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end(process: BaseProcess, grace_s: float) -> None:
    """Has a process that leads its own group be gone, with all that it started; it has so long to go by itself."""
    if process.pid is None:
        return
    process.join(grace_s)
    with suppress(ProcessLookupError):  # the group goes on without its leader as long as anybody is in it
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()  # it may not have come as far as leading a group
    process.join()


def lead_group_until_parent_ends() -> None:
    """Makes this process the leader of a group that ends with the process that started it, even a killed one."""
    with suppress(PermissionError):  # it leads one already
        os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent(lambda: os.killpg(os.getpid(), signal.SIGKILL))


def end_with_parent(end_now: Callable[[], object]) -> None:
    """Has ``end_now`` called when the process that started this one by ``multiprocessing`` is gone."""
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        end_now()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def _followed(process: BaseProcess, door: Connection, tell: Tell, stopped: Stopped, grace_s: float) -> Any:
    """Passes on what the work tells, and whether it is to stop, until it answers or is gone."""
    end_by_s: float | None = None
    while True:
        if door in wait([door, process.sentinel], _GLANCE_S):
            try:
                word, what = door.recv()
            except (EOFError, ConnectionResetError):
                raise _death(process) from None
            if word == "done":
                process.join(grace_s)
                return what
            if word == "error":
                raise what
            if word == "fault":
                line, trace = what
                _log.error("work=%s %s\n%s", process.name, line, trace)
                raise EngineError(f"a fault of ours: {line}")
            tell(*what)
        elif not process.is_alive() and not door.poll():
            raise _death(process)
        if end_by_s is None and stopped():
            end_by_s = time.monotonic() + grace_s
            with suppress(OSError):  # it is about to end anyway
                door.send("stop")
        if end_by_s is not None and time.monotonic() > end_by_s:
            raise EngineError("stopped before it was done")


def _death(process: BaseProcess) -> EngineError:
    """What to say of a process that answered nothing."""
    process.join(5.0)
    code = process.exitcode
    if code is None or code >= 0:
        return EngineError(f"the process that did the work ended without an answer (exit code {code})")
    hint = "; was there enough memory?" if -code == signal.SIGKILL else ""
    return EngineError(f"the process that did the work was ended by {signal.Signals(-code).name}{hint}")


def _inside(work: Work[Item, Result], item: Item, door: Connection) -> None:
    """All that happens in the other process."""
    lead_group_until_parent_ends()
    os.nice(_NICE)
    cv2.setNumThreads(max((os.cpu_count() or 1) // 2, 1))
    stop = threading.Event()
    threading.Thread(target=_listen, args=(door, stop), daemon=True).start()
    teller = _Teller(door)
    with teller:
        teller.say("done", work(item, teller.tell, stop.is_set))


def _listen(door: Connection, stop: threading.Event) -> None:
    with suppress(EOFError, OSError):
        door.recv()
        stop.set()


class _Teller:
    """Speaks to the process outside; of an error it says what it was, and of a fault also where."""

    def __init__(self, door: Connection) -> None:
        self._door = door
        self._lock = threading.Lock()
        self._next_s: dict[str, float] = {}

    def say(self, word: str, what: Any) -> None:
        with self._lock, suppress(BrokenPipeError):
            self._door.send((word, what))

    def tell(self, step: str, done: int, total: int | None) -> None:
        now_s = time.monotonic()
        if done != total and now_s < self._next_s.get(step, 0.0):
            return
        self._next_s[step] = now_s + _REPORT_S
        self.say("tell", (step, done, total))

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> bool:
        if isinstance(error, SightlineError):
            self.say("error", error)
        elif isinstance(error, OSError) and error.errno is not None:
            where = f"{error.filename}: " if error.filename else ""
            self.say("error", EngineError(f"{where}{error.strerror}"))
        elif isinstance(error, Exception):
            line = " ".join(f"{type(error).__name__}: {error}".split())
            self.say("fault", (line, "".join(traceback.format_exception(error))))
        return isinstance(error, Exception)
