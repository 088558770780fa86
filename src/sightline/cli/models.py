"""``sightline models``: which weights there are, and getting, adding and removing them."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.filesize import decimal
from rich.table import Table

from sightline import weights
from sightline.cli.console import err, out, print_json, progress
from sightline.errors import WeightsError

app = typer.Typer(
    no_args_is_help=True,
    help="Weights of networks: list, pull, add, remove. Nothing is downloaded by anything but "
    "[bold]pull[/bold]. They lie in the folder that SIGHTLINE_MODELS names, or in the user's data folder.",
)

Json = Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")]


@app.command("list")
def list_(
    json: Json = False,
) -> None:
    """Weights on the shelf, and those in the catalogue that can be had."""
    rows = _rows()
    if json:
        print_json({"folder": str(weights.folder()), "models": rows})
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("name", "here", "licence", "use", "size", "what"):
        table.add_column(heading, no_wrap=heading != "what", justify="right" if heading == "size" else "left")
    for row in rows:
        table.add_row(
            row["name"],
            "yes" if row["installed"] else _way(row),
            row["licence"],
            {True: "any", False: "not commercial", None: "see source"}[row["commercial"]],
            decimal(row["n_bytes"]) if row["n_bytes"] else "?",
            row["what"],
        )
    out.print(table)
    err.print(f"on the shelf: {weights.folder()}", style="dim", markup=False, soft_wrap=True)


@app.command()
def pull(
    name: Annotated[str, typer.Argument(help="A name from [bold]sightline models list[/bold].")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="The licence is fine; do not ask.")] = False,
    sha256: Annotated[str | None, typer.Option(help="Of the file, where the catalogue does not know it.")] = None,
    json: Json = False,
) -> None:
    """Downloads weights to the shelf, after showing their licence; the sha256 must be right."""
    from sightline.weights import pulling  # noqa: PLC0415 - all that speaks to the network, for this command only

    entry = weights.catalogue(weights.folder()).get(name)
    if entry:
        size = f", {decimal(entry.n_bytes)}" if entry.n_bytes else ""
        err.print("; ".join(filter(None, (f"{name}: {entry.what}", entry.note))), soft_wrap=True, markup=False)
        err.print(f"licence {entry.licence}{size}; see {entry.source}", soft_wrap=True, markup=False)
        if entry.commercial is False:
            err.print("[bold red]not for commercial use", soft_wrap=True)
        if not yes and not _agreed():
            raise WeightsError(f"{name} not downloaded; --yes answers beforehand")
    with progress() as shown:
        task = shown.add_task(name, unit="bytes", total=entry.n_bytes if entry else None)
        card = pulling.pull(
            name, sha256=sha256, progress=lambda done, total: shown.update(task, completed=done, total=total)
        )
    _say(card, json=json)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What to call it; for known weights, their name in the list.")],
    file: Annotated[Path, typer.Argument(help="The file: ONNX, .pt or .safetensors; it is copied.")],
    licence: Annotated[str | None, typer.Option(help="Of the weights, for those not in the list.")] = None,
    source: Annotated[str | None, typer.Option(help="Where they are from, for those not in the list.")] = None,
    json: Json = False,
) -> None:
    """Puts a file that was fetched by hand on the shelf."""
    _say(weights.add(name, file, licence=licence, source=source), json=json)


@app.command()
def remove(name: Annotated[str, typer.Argument(help="A name on the shelf.")]) -> None:
    """Takes weights off the shelf."""
    weights.remove(name)
    err.print(f"removed {name}", markup=False)


def _rows() -> list[dict[str, Any]]:
    """Everything known, by name: what lies on the shelf first."""
    cards, entries = weights.on_shelf(), weights.catalogue(weights.folder())
    rows = []
    for name in [*cards, *(name for name in entries if name not in cards)]:
        card, entry = cards.get(name), entries.get(name)
        known = card or entry
        rows.append(
            {
                "name": name,
                "installed": card is not None,
                "licence": known.licence if known else "unknown",
                "commercial": entry.commercial if entry else None,
                "n_bytes": known.n_bytes if known else None,
                "sha256": known.sha256 if known else None,
                "source": known.source if known else "unknown",
                "url": entry.url if entry else None,
                "how": entry.how if entry else "",
                "what": entry.what if entry else "added by hand",
                "note": entry.note if entry else "",
            }
        )
    return rows


def _way(row: dict[str, Any]) -> str:
    """How weights that are not here can be had."""
    if row["url"] is None:
        return "by hand"
    return "pull" if row["sha256"] else "pull --sha256"


def _agreed() -> bool:
    """Whether the person says yes; nobody there to ask is a no."""
    try:
        return typer.confirm("Download it?", err=True)
    except typer.Abort:
        err.print()
        return False


def _say(card: Any, *, json: bool) -> None:
    if json:
        print_json(asdict(card))
        return
    err.print(f"{card.name} is on the shelf: {card.path}", markup=False, soft_wrap=True)
    err.print(f"licence {card.licence}; sha256 {card.sha256}", markup=False, soft_wrap=True, style="dim")
