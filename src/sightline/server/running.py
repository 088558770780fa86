"""Running the server: the address, the workers, and an orderly end."""

import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import uvicorn

from sightline.executors.apart import prepare
from sightline.server import logs
from sightline.server.app import create_app
from sightline.server.auth.guard import check_bind
from sightline.server.children import workers
from sightline.server.door import listening
from sightline.server.installation import Installation, opened
from sightline.server.prompt import Server, prompt_http
from sightline.settings import Settings

Say = Callable[[str], None]
_ALWAYS_SAID = {"data_folder", "database", "artifacts", "workers", "auth.mode", "video_pipeline.frames_folder"}


def run(settings: Settings, say: Say, config: Path | None = None) -> None:
    """Serves until told to stop by SIGINT or SIGTERM. Workers read ``config`` again.

    Raises:
        SightlineError: a store cannot be reached, a setting makes no sense, or it would not be safe.
        OSError: the address cannot be listened on.
    """
    logs.set_up(settings)
    _allow_many_connections()
    prepare(["sightline.jobs.looking"])  # a process that looks at an upload begins at once
    with opened(settings) as services:
        check_bind(settings, services.engine)
        app = create_app(services)
        with listening(settings) as listener:
            host, port = listener.getsockname()[:2]
            for line in _lines(settings.summary(), Settings.model_construct().summary()):
                say(line)
            say(f"listening on http://{f'[{host}]' if ':' in host else host}:{port} (API documentation: /docs)")
            _clear_incoming(services)
            server = uvicorn.Config(
                app,
                http=prompt_http(settings.limits.chunk_timeout_s),
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
            with workers(settings, config):
                Server(server, app.state.end_streams).run(sockets=[listener])


def _allow_many_connections() -> None:
    """Opens as many files as the system lets this process, where it was begun with less."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


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
