"""``sightline keys``: what programs may come in with."""

import sys
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from sightline.cli.accounts import Config, Data, shown, the_keys
from sightline.cli.console import err, out, print_json
from sightline.model.user import ApiKey, Role

app = typer.Typer(
    no_args_is_help=True,
    help="API keys for programs, sent as [bold]X-API-Key[/bold]: create, list, revoke. As soon as there is one, "
    "everybody must log in. Changes count at once; a running server notices within five seconds.",
)


@app.command()
def create(
    label: Annotated[str, typer.Argument(help="What it is for.")],
    role: Annotated[Role, typer.Option(help="What it may do.")] = Role.VIEWER,
    config: Config = None,
    data: Data = None,
) -> None:
    """Make a key and print it, alone on standard output; it cannot be shown again."""
    with the_keys(config, data) as keys:
        key, text = keys.create(label, role)
    sys.stdout.write(f"{text}\n")
    err.print(f"key {key.id} has the role {key.role.value}; keep it now, it is not shown again", markup=False)


@app.command("list")
def list_(
    config: Config = None,
    data: Data = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """List all keys, without their secrets."""
    with the_keys(config, data) as keys:
        listed = keys.all()
    if json:
        print_json({"keys": [_row(key) for key in listed]})
        return
    table = Table("id", "label", "role", "made (UTC)", "last used (UTC)", "revoked (UTC)", box=None, pad_edge=False)
    for key in listed:
        times = (shown(moment) for moment in (key.created_utc_s, key.last_used_utc_s, key.revoked_utc_s))
        table.add_row(key.id, escape(key.label), key.role.value, *times)
    out.print(table)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="Its number, the first part after slk_.")],
    config: Config = None,
    data: Data = None,
) -> None:
    """Take a key back, for good."""
    with the_keys(config, data) as keys:
        key = keys.revoke(key_id)
    err.print(f"key {key.id} is good no more", markup=False)


def _row(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "label": key.label,
        "role": key.role.value,
        "created_utc_s": key.created_utc_s,
        "last_used_utc_s": key.last_used_utc_s,
        "revoked_utc_s": key.revoked_utc_s,
    }
