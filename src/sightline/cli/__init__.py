"""The command line: one command, one file. Errors are one line; exit code 2 means the input was wrong."""

import os
import sys
from typing import Annotated

import typer

from sightline import __version__
from sightline.cli.console import err
from sightline.cli.demo import demo
from sightline.cli.drone import EXAMPLES as PLACING
from sightline.cli.drone import drone
from sightline.cli.engines import engines
from sightline.cli.evaluate import evaluate
from sightline.cli.export import EXAMPLES as EXPORTING
from sightline.cli.export import export
from sightline.cli.extract import EXAMPLES as EXTRACTING
from sightline.cli.extract import extract
from sightline.cli.flight import EXAMPLES as FLYING
from sightline.cli.flight import flight
from sightline.cli.history import app as history
from sightline.cli.keys import app as keys
from sightline.cli.models import app as models
from sightline.cli.probe import probe
from sightline.cli.reconstruct import EXAMPLES as REBUILDING
from sightline.cli.reconstruct import reconstruct
from sightline.cli.run import EXAMPLES as RUNNING
from sightline.cli.run import run
from sightline.cli.serve import EXAMPLES as SERVING
from sightline.cli.serve import serve
from sightline.cli.simulate import simulate
from sightline.cli.simulate_flight import simulate_flight
from sightline.cli.site import app as site
from sightline.cli.tcp import EXAMPLES as RECONSTRUCTING
from sightline.cli.tcp import tcp
from sightline.cli.track import EXAMPLES, track
from sightline.cli.users import app as users
from sightline.cli.worker import worker
from sightline.errors import SightlineError

app = typer.Typer(
    name="sightline",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Video in, whereabouts out: what was seen, who is who, and where it stood.",
    epilog="Start with [bold]sightline demo[/bold], or [bold]sightline track VIDEO[/bold].",
)
app.command(epilog=EXAMPLES)(track)
app.command(epilog=RUNNING)(run)
app.command(epilog=EXTRACTING)(extract)
app.command(epilog=REBUILDING)(reconstruct)
app.command(epilog=FLYING)(flight)
app.command(epilog=PLACING)(drone)
app.command(epilog=EXPORTING)(export)
app.command(epilog=SERVING)(serve)
app.command(epilog=RECONSTRUCTING)(tcp)
for command in (probe, evaluate, simulate, simulate_flight, demo, engines, worker):
    app.command()(command)
app.add_typer(models, name="models")
app.add_typer(site, name="site")
app.add_typer(history, name="history")
app.add_typer(users, name="users")
app.add_typer(keys, name="keys")


def _version(asked: bool) -> bool:
    """Prints the version and leaves, if asked."""
    if asked:
        sys.stdout.write(f"sightline {__version__}\n")
        raise typer.Exit
    return asked


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Options of all commands."""


def main() -> None:
    """Runs the command line and leaves with its exit code: 0 well, 2 wrong input, 130 stopped, 70 our fault."""
    try:
        app()
    except SightlineError as error:
        _leave(str(error), 2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads: be quiet on the way out
        sys.exit(0)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _leave(f"{where}{error.strerror or error}", 2)
    except KeyboardInterrupt:
        _leave("broken off", 130)
    except Exception as error:
        if "SIGHTLINE_DEBUG" in os.environ:
            raise
        _leave(
            f"a fault of ours: {type(error).__name__}: {error} (SIGHTLINE_DEBUG=1 shows where; please report it)", 70
        )


def _leave(why: str, code: int) -> None:
    """One line, then out."""
    line = " ".join(why.split())
    err.print("[bold red]sightline:[/bold red] ", end="")
    err.print(line, markup=False, soft_wrap=True)
    sys.exit(code)
