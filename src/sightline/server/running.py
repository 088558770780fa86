"""Running the server: the address, the workers, and an orderly end."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from sightline.errors import OptionError, RefusedError
from sightline.server import logs
from sightline.server.app import create_app
from sightline.server.auth.guard import check_bind
from sightline.server.installation import Installation, opened
from sightline.settings import Settings

Say = Callable[[str], None]
_PATIENCE_S = 10.0
"""How long workers may take to put their work down."""
_ALWAYS_SAID = {"data_folder", "database", "artifacts", "workers", "auth.mode", "video_pipeline.frames_folder"}
_PAUSE_S = 1.0
"""Before a worker that died is started again."""


def run(settings: Settings, say: Say, config: Path | None = None) -> None:
    """Serves until told to stop by SIGINT or SIGTERM. Workers read ``config`` again.

    Raises:
        SightlineError: a store cannot be reached, a setting makes no sense, or it would not be safe.
        OSError: the address cannot be listened on.
    """
    logs.set_up(settings)
    with opened(settings) as services:
        check_bind(settings, services.engine)
        app = create_app(services)
        with _listening(settings) as listener:
            host, port = listener.getsockname()[:2]
            for line in _lines(settings.summary(), Settings.model_construct().summary()):
                say(line)
            say(f"listening on http://{f'[{host}]' if ':' in host else host}:{port} (API documentation: /docs)")
            _clear_incoming(services)
            server = uvicorn.Config(
                app,
                ws="websockets-sansio",
                ws_per_message_deflate=False,
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=bool(settings.trusted_proxies),
                forwarded_allow_ips=list(settings.trusted_proxies) or None,
                timeout_graceful_shutdown=max(1, round(settings.shutdown_s)),
            )
            for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises them again when it has ended
                signal.signal(number, lambda _number, _frame: None)
            with _workers(settings, config):
                uvicorn.Server(server).run(sockets=[listener])


@contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    """The socket, bound before anything else starts: a port that is taken should be known at once."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise OptionError(f"setting host: {settings.host!r} is no address of this machine: {error.strerror}") from None
    with socket.socket(family, kind, protocol) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError as error:
            why = f"{settings.host}:{settings.port}: {(error.strerror or str(error)).lower()}; choose another --port"
            raise RefusedError(why) from None
        yield listener


@contextmanager
def _workers(settings: Settings, config: Path | None) -> Iterator[None]:
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


def _clear_incoming(services: Installation) -> None:
    """Uploads that were under way when the server was killed."""
    shutil.rmtree(services.settings.data_folder / "incoming", ignore_errors=True)


def _lines(summary: dict[str, Any], unsaid: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """Where things are, and all that was set to something else than what it is unsaid; one a line."""
    for name, value in summary.items():
        if isinstance(value, dict):
            yield from _lines(value, unsaid[name], f"{prefix}{name}.")
        elif f"{prefix}{name}" in _ALWAYS_SAID or value != unsaid[name]:
            yield f"  {prefix}{name} = {', '.join(value) if isinstance(value, list) else value}"
