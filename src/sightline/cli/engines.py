"""``sightline engines``: what can be plugged in, and what each engine may be told."""

import inspect
from typing import Annotated, Any

import typer
from rich.table import Table

from sightline import wiring
from sightline.cli.console import out, print_json
from sightline.errors import UnknownEngineError


def engines(
    kind: Annotated[str | None, typer.Argument(metavar="[KIND]", help="source, detector, tracker ...")] = None,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="One engine, with its options.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """List engines by kind, with the options that --set takes.

    Engines of other installed packages are listed too.
    """
    if kind is not None and kind not in wiring.ENGINES:
        raise UnknownEngineError(f"no kind {kind!r}; there are: {', '.join(wiring.ENGINES)}")
    chosen = [(k, n) for k in ([kind] if kind else wiring.ENGINES) for n in ([name] if name else wiring.names(k))]
    if as_json:
        print_json({"engines": [_told(k, n) for k, n in chosen]})
    elif name is None:
        _overview(chosen)
    else:
        _detail(*chosen[0])


def _told(kind: str, name: str) -> dict[str, Any]:
    """One engine: what it is, and its options."""
    what = inspect.getdoc(wiring.engine(kind, name)) or ""
    options = [
        {"name": p.name, "type": inspect.formatannotation(p.annotation), "default": _default(p)}
        for p in wiring.options(kind, name).values()
    ]
    return {"kind": kind, "name": name, "what": what, "options": options}


def _default(parameter: inspect.Parameter) -> Any:
    """What holds where nothing is said."""
    return "(must be given)" if parameter.default is parameter.empty else parameter.default


def _overview(chosen: list[tuple[str, str]]) -> None:
    """One line for each engine."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("kind", "engine", "what"):
        table.add_column(heading, no_wrap=heading != "what")
    for kind, name in chosen:
        table.add_row(kind, name, _told(kind, name)["what"].split("\n\n")[0].replace("\n", " "))
    out.print(table)
    out.print("\nOptions of one: sightline engines tracker botsort", style="dim")


def _detail(kind: str, name: str) -> None:
    """All that one engine says of itself."""
    told = _told(kind, name)
    out.print(f"[bold]{kind} {name}[/bold]")
    out.print(told["what"], markup=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("option", "type", "default"):
        table.add_column(heading)
    for option in told["options"]:
        table.add_row(f"{kind}.{option['name']}", option["type"], str(option["default"]))
    out.print("")
    out.print(table, markup=False)
