"""``sightline worker``: does the jobs that a server takes in."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from sightline.cli.console import stopping


def worker(
    config: Annotated[Path | None, typer.Option(help="TOML file of settings.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder for everything that is kept.")] = None,
    name: Annotated[str | None, typer.Option(help="What to call it; unsaid, after this machine.")] = None,
    while_stdin_is_open: Annotated[
        bool, typer.Option("--while-stdin-is-open", help="End at once when the input closes.", hidden=True)
    ] = False,
) -> None:
    """Do jobs and read cameras, for servers that use the same database and data folder.

    `sightline serve` starts one by itself. Start more, or apart from it (`serve --workers 0`), to share the load.
    A worker that is killed loses nothing: the next one goes on after the last finished step.
    """
    from sightline import settings as all_settings  # noqa: PLC0415  (a worker's libraries take long to load)
    from sightline.jobs.worker import run_worker  # noqa: PLC0415
    from sightline.server import logs  # noqa: PLC0415

    if while_stdin_is_open:
        threading.Thread(target=_watch_input, args=(lambda: os._exit(1),), daemon=True).start()
    settings = all_settings.load(config, data_folder=data)
    logs.set_up(settings)
    with stopping() as stopped:
        run_worker(settings, stopped, name)


def _watch_input(end_now: Callable[[], object]) -> None:
    """Whoever started this process holds its input open; when it is gone, nobody wants the work any more."""
    while os.read(0, 1):  # not sys.stdin: its lock would be held when Python ends, which then aborts
        pass
    end_now()
