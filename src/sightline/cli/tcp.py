"""``sightline tcp``: reconstruction over plain TCP."""

from pathlib import Path
from typing import Annotated

import typer

from sightline.cli.console import err

EXAMPLES = """
[bold]Examples[/bold]

    sightline tcp                                           this machine only, port 4567

    sightline users add demo --role operator && sightline tcp --host 0.0.0.0

    SIGHTLINE_TCP__CERTIFICATE=site.pem sightline tcp       TLS
"""


def tcp(
    host: Annotated[str | None, typer.Option(help="Address to listen on; beyond this machine it needs users.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0: any free one.")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes to start; 0: they run elsewhere.")] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file of settings.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder for everything that is kept.")] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Listen beyond this machine although nobody needs to log in.")
    ] = False,
) -> None:
    """Take images and videos over plain TCP, and give reconstructions back as GLB.

    The messages are those of an older service, whose clients go on working. Settings come from options, from
    SIGHTLINE_... in the environment, and from a TOML file, in this order. Ctrl-C lets requests end.
    """
    from sightline import settings as all_settings  # noqa: PLC0415  (a server's libraries take long to load)
    from sightline.server.tcp.running import run  # noqa: PLC0415

    settings = all_settings.load(
        config,
        host=host,
        tcp=None if port is None else {"port": port},
        workers=workers,
        data_folder=data,
        insecure=insecure or None,
    )
    run(settings, say=lambda line: err.print(line, markup=False, soft_wrap=True), config=config)
