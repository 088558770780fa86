"""``sightline serve``: the server."""

from pathlib import Path
from typing import Annotated

import typer

from sightline.cli.console import err

EXAMPLES = """
[bold]Examples[/bold]

    sightline serve                                         this machine only, no login

    sightline serve --only video-pipeline --port 8002       one surface

    sightline users add ann --role admin && sightline serve --host 0.0.0.0

    SIGHTLINE_DATABASE=postgresql://u:p@db/sightline sightline serve --workers 0    workers run elsewhere
"""


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; beyond this machine it needs users.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0: any free one.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Serve only this surface; may be given again.")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes to start; 0: they run elsewhere.")] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file of settings.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder for everything that is kept.")] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Listen beyond this machine although nobody needs to log in.")
    ] = False,
) -> None:
    """Serve all surfaces over HTTP, and do the work that is asked for.

    Settings come from options, from SIGHTLINE_... in the environment, and from a TOML file, in this order.
    API documentation is at /docs. Ctrl-C ends requests and workers cleanly; work that was under way goes on at the
    next start.
    """
    from sightline import settings as all_settings  # noqa: PLC0415  (a server's libraries take long to load)
    from sightline.server.running import run  # noqa: PLC0415

    settings = all_settings.load(
        config,
        host=host,
        port=port,
        only=tuple(only) if only else None,
        workers=workers,
        data_folder=data,
        insecure=insecure or None,
    )
    run(settings, say=lambda line: err.print(line, markup=False, soft_wrap=True), config=config)
