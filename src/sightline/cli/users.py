"""``sightline users``: who may log in."""

import sys
import time
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from sightline.cli.accounts import Config, Data, shown, the_users
from sightline.cli.console import err, out, print_json
from sightline.errors import ConflictError, OptionError
from sightline.model.user import Role, User

app = typer.Typer(
    no_args_is_help=True,
    help="People who may log in to the server: list, add, change, lock out. As soon as there is one, everybody must "
    "log in. Changes count at once; a running server notices within five seconds.",
)
_YES = frozenset({"true", "1", "yes", "y", "t"})
Name = Annotated[str, typer.Argument(help="Name of the user.")]
RoleOption = Annotated[
    Role,
    typer.Option(help="[bold]viewer[/bold] looks, [bold]operator[/bold] works, [bold]admin[/bold] also manages users."),
]
Vip = Annotated[bool, typer.Option("--vip", help="A VIP, which clients of [bold]sightline tcp[/bold] are told.")]
Until = Annotated[
    datetime | None,
    typer.Option("--until", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], metavar="DATE", help="UTC; no VIP from then on."),
]
Stdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="1 to 64 of A-Z a-z 0-9 . _ @ -")],
    role: RoleOption = Role.VIEWER,
    vip: Vip = False,
    until: Until = None,
    password_stdin: Stdin = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Add a user; the password is asked for twice."""
    if until is not None and not vip:
        raise OptionError("--until says when somebody is no VIP any more; give --vip, too")
    with the_users(config, data) as users:
        user = users.add(name, _hashed(password_stdin), role, is_vip=vip, expires_utc_s=_utc_s(until))
    err.print(f"{user.name} may log in as {user.role.value}{_as_vip(user)}", markup=False)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="1 to 64 of A-Z a-z 0-9 . _ @ -")],
    password: Annotated[str, typer.Argument(help="Of any length; others on this machine may see it for a moment.")],
    is_vip: Annotated[str, typer.Argument(metavar="[IS_VIP]", help="true, 1, yes, y or t: a VIP.")] = "false",
    config: Config = None,
    data: Data = None,
) -> None:
    """Add an operator, as [bold]create_user.py[/bold] did: a name that is there is left alone.

    For trials and old scripts; else [bold]add[/bold] is safer.
    """
    from sightline.server.auth.passwords import SHORTEST, Passwords  # noqa: PLC0415

    with the_users(config, data) as users:
        hashed, vip = Passwords().hash(password, shortest=1), is_vip.strip().lower() in _YES
        try:
            user = users.add(name, hashed, Role.OPERATOR, is_vip=vip)
        except ConflictError as error:
            err.print(f"{error}; left as it is", markup=False)
            return
    err.print(f"{user.name} may log in as {user.role.value}{_as_vip(user)}", markup=False)
    if len(password) < SHORTEST:
        err.print(
            f"a short password: give another with 'sightline users passwd {name}' before others come in",
            markup=False,
            soft_wrap=True,
        )


@app.command("list")
def list_(
    config: Config = None,
    data: Data = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """List all users, in the order in which they were added."""
    with the_users(config, data) as users:
        listed = list(enumerate(users.in_order(), 1))
    if json:
        print_json({"users": [_row(number, user) for number, user in listed]})
        return
    table = Table("id", "name", "role", "may log in", "VIP", "added (UTC)", "changed (UTC)", box=None, pad_edge=False)
    for number, user in listed:
        may = "no" if user.is_disabled else "yes"
        times = (shown(user.created_utc_s), shown(user.changed_utc_s))
        table.add_row(str(number), user.name, user.role.value, may, _vip(user), *times)
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
def vip(
    name: Name,
    until: Until = None,
    off: Annotated[bool, typer.Option("--off", help="A VIP no more.")] = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Have clients of [bold]sightline tcp[/bold] told that a user is a VIP, for ever or until a date."""
    if off and until is not None:
        raise OptionError("--off and --until: give one of them")
    with the_users(config, data) as users:
        user = users.set_vip(name, not off, _utc_s(until))
    err.print(f"{user.name} is {'a VIP' if user.is_vip else 'no VIP'}{_until(user)}", markup=False)


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


def _utc_s(date: datetime | None) -> float | None:
    return None if date is None else date.replace(tzinfo=UTC).timestamp()


def _vip(user: User) -> str:
    """For a table."""
    if not user.is_vip:
        return ""
    return f"yes{_until(user)}" if user.is_vip_at(time.time()) else f"ended {shown(user.expires_utc_s)}"


def _as_vip(user: User) -> str:
    return f", a VIP{_until(user)}" if user.is_vip else ""


def _until(user: User) -> str:
    return f" until {shown(user.expires_utc_s)}" if user.is_vip and user.expires_utc_s is not None else ""


def _row(number: int, user: User) -> dict[str, object]:
    return {
        "id": number,
        "name": user.name,
        "role": user.role.value,
        "disabled": user.is_disabled,
        "vip": user.is_vip,
        "vip_until_utc_s": user.expires_utc_s,
        "created_utc_s": user.created_utc_s,
        "changed_utc_s": user.changed_utc_s,
    }
