"""Workers as children of a server."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sightline.settings import Settings

_PATIENCE_S = 10.0
"""How long workers may take to put their work down."""
_PAUSE_S = 1.0
"""Before a worker that died is started again."""


@contextmanager
def workers(settings: Settings, config: Path | None) -> Iterator[None]:
    """Workers as children, started again when they die; they end with this process however it ends."""
    over = threading.Event()
    threads = [
        threading.Thread(target=_keep_up, args=(settings, config, over), name=f"worker-{number}")
        for number in range(1, settings.workers + 1)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _keep_up(settings: Settings, config: Path | None, over: threading.Event) -> None:
    """Has one worker run until it is over. It also ends when this process does, since then its input closes."""
    command = [sys.executable, "-m", "sightline", "worker", "--while-stdin-is-open"]
    command += ["--config", str(config)] if config else []
    # All else that workers need to know they read from the same file and environment.
    environment = os.environ | {"SIGHTLINE_DATA_FOLDER": str(settings.data_folder.absolute())}
    while not over.is_set():
        worker = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, env=environment)  # noqa: S603
        while worker.poll() is None and not over.wait(0.2):
            pass
        _end(worker)
        over.wait(_PAUSE_S)


def _end(worker: "subprocess.Popen[bytes]") -> None:
    """Asks, waits, insists."""
    if worker.poll() is None:
        worker.send_signal(signal.SIGTERM)
        try:
            worker.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            worker.kill()
    worker.wait()
    if worker.stdin is not None:
        worker.stdin.close()
