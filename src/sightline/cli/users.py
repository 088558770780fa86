"""``sightline users``: who may log in."""

import sys
from typing import Annotated

import typer
from rich.table import Table

from sightline.cli.accounts import Config, Data, shown, the_users
from sightline.cli.console import err, out, print_json
from sightline.errors import OptionError
from sightline.model.user import Role, User

app = typer.Typer(
    no_args_is_help=True,
    help="People who may log in to the server: list, add, change, lock out. As soon as there is one, everybody must "
    "log in. Changes count at once; a running server notices within five seconds.",
)
Name = Annotated[str, typer.Argument(help="Name of the user.")]
RoleOption = Annotated[
    Role,
    typer.Option(help="[bold]viewer[/bold] looks, [bold]operator[/bold] works, [bold]admin[/bold] also manages users."),
]
Stdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="1 to 64 of A-Z a-z 0-9 . _ @ -")],
    role: RoleOption = Role.VIEWER,
    password_stdin: Stdin = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Add a user; the password is asked for twice."""
    with the_users(config, data) as users:
        user = users.add(name, _hashed(password_stdin), role)
    err.print(f"{user.name} may log in as {user.role.value}", markup=False)


@app.command("list")
def list_(
    config: Config = None,
    data: Data = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """List all users."""
    with the_users(config, data) as users:
        listed = users.all()
    if json:
        print_json({"users": [_row(user) for user in listed]})
        return
    table = Table("name", "role", "may log in", "added (UTC)", "changed (UTC)", box=None, pad_edge=False)
    for user in listed:
        may = "no" if user.is_disabled else "yes"
        table.add_row(user.name, user.role.value, may, shown(user.created_utc_s), shown(user.changed_utc_s))
    out.print(table)


@app.command()
def passwd(name: Name, password_stdin: Stdin = False, config: Config = None, data: Data = None) -> None:
    """Change a password; who is logged in must log in again."""
    with the_users(config, data) as users:
        users.get(name)
        user = users.set_password(name, _hashed(password_stdin))
    err.print(f"{user.name} has a new password", markup=False)


@app.command()
def role(
    name: Name,
    role: Annotated[Role, typer.Argument(help="What they may do from now on.")],
    config: Config = None,
    data: Data = None,
) -> None:
    """Change what a user may do; who is logged in must log in again."""
    with the_users(config, data) as users:
        user = users.set_role(name, role)
    err.print(f"{user.name} has the role {user.role.value}", markup=False)


@app.command()
def disable(name: Name, config: Config = None, data: Data = None) -> None:
    """Lock a user out; the name stays taken."""
    _set_disabled(name, True, config, data)


@app.command()
def enable(name: Name, config: Config = None, data: Data = None) -> None:
    """Let a user in again."""
    _set_disabled(name, False, config, data)


def _set_disabled(name: str, is_disabled: bool, config: Config, data: Data) -> None:
    with the_users(config, data) as users:
        users.set_disabled(name, is_disabled)
    err.print(f"{name} {'is locked out' if is_disabled else 'may log in'}", markup=False)


def _hashed(is_on_stdin: bool) -> str:
    """The hash of a password that somebody gives now.

    Raises:
        OptionError: it is too short, or nobody is there to ask.
    """
    from sightline.server.auth.passwords import Passwords  # noqa: PLC0415  (a server's libraries take long to load)

    if is_on_stdin:
        return Passwords().hash(sys.stdin.readline().rstrip("\r\n"))
    if not sys.stdin.isatty():
        raise OptionError("nobody to ask for a password; give it with --password-stdin")
    return Passwords().hash(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


def _row(user: User) -> dict[str, object]:
    return {
        "name": user.name,
        "role": user.role.value,
        "disabled": user.is_disabled,
        "created_utc_s": user.created_utc_s,
        "changed_utc_s": user.changed_utc_s,
    }
