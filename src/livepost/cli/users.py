"""`livepost users`: who may log in to the console; for the local owner of the data folder only."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from livepost.audit.deed import Deed
from livepost.cli.workspace import folder_here, note
from livepost.clock import WallClock
from livepost.control.users import User
from livepost.errors import SettingsError
from livepost.govern.login.accounts import Accounts
from livepost.govern.login.password import Passwords
from livepost.model.principal import Role
from livepost.runtime.data.accounts import accounts_of
from livepost.runtime.data.folder import DataFolder

app = typer.Typer(help="Who may log in to the console.", no_args_is_help=True)
_console = Console(soft_wrap=True, highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Email = Annotated[str, typer.Argument(help="Address of the user.")]
HOLDS = "It lets them choose a password, once, within two days, while the house runs."


@app.command("list")
def list_users(as_json: AsJson = False) -> None:
    """List all users."""
    with _accounts() as (_, accounts):
        users = accounts.users.all()
    if as_json:
        _console.print(json.dumps([_plain(one) for one in users]), markup=False)
        return
    table = Table("id", "name", "address", "role", "password", "second factor", "", box=None)
    for one in users:
        password, second = "set" if one.password else "not yet", "off" if one.second is None else "on"
        table.add_row(one.id, one.name, one.email, one.role, password, second, "disabled" if one.disabled else "")
    _console.print(table if users else "There are no users yet: `livepost users add` makes one.")


@app.command()
def add(
    email: Email,
    name: Annotated[str, typer.Option(help="Name of the user.")],
    role: Annotated[Role, typer.Option(help="What the user may do.")] = "analyst",
    as_json: AsJson = False,
) -> None:
    """Make a user and print a link by which they choose a password."""
    if "@" not in email or not name.strip() or max(len(email), len(name)) > 254:
        raise SettingsError("expected an address with an @ and a name, each of at most 254 characters")
    with _accounts() as (folder, accounts):
        note(folder, Deed("user.add", about=role))
        user, word = accounts.add(name, email, role)
    _say_link(folder, user, word, as_json)


@app.command()
def role(email: Email, role: Annotated[Role, typer.Argument(help="The new role.")]) -> None:
    """Give a user another role; their sessions end."""
    with _accounts() as (folder, accounts):
        user = _found(accounts, email)
        note(folder, Deed("user.role", about=user.id))
        accounts.users.set_role(user.id, role)
    _console.print(f"{user.name} is {role} now; their sessions have ended.", markup=False)


@app.command()
def disable(email: Email, again: Annotated[bool, typer.Option("--undo", help="Let them in again.")] = False) -> None:
    """Let a user in no more; their sessions end."""
    with _accounts() as (folder, accounts):
        user = _found(accounts, email)
        note(folder, Deed("user.enable" if again else "user.disable", about=user.id))
        accounts.users.disable(user.id, disabled=not again)
    _console.print(f"{user.name} may {'log in again' if again else 'not log in any more'}.", markup=False)


@app.command()
def remove(email: Email) -> None:
    """Forget a user: name, address and all; the audit keeps an id that is nobody's then."""
    with _accounts() as (folder, accounts):
        user = _found(accounts, email)
        note(folder, Deed("user.remove", about=user.id))
        accounts.users.remove(user.id)
    _console.print("The user is forgotten.")


@app.command()
def reset(email: Email, as_json: AsJson = False) -> None:
    """Forget a user's password and second factor, and print a link by which they choose a new password."""
    with _accounts() as (folder, accounts):
        user = _found(accounts, email)
        note(folder, Deed("user.reset", about=user.id))
        word = accounts.reset(user.id)
    _say_link(folder, user, word, as_json)


@app.command()
def password(email: Email) -> None:
    """Set a user's password, typed here twice, or read from standard input if that is no terminal."""
    with _accounts() as (folder, accounts):
        user, typed = _found(accounts, email), _typed()
        note(folder, Deed("user.password_set", about=user.id))
        accounts.set_password(user.id, typed)
    _console.print(f"The password of {user.name} is set; their sessions have ended.", markup=False)


@contextmanager
def _accounts() -> Iterator[tuple[DataFolder, Accounts]]:
    folder = folder_here()
    folder.prepare()
    with accounts_of(folder, WallClock(), Passwords()) as accounts:
        yield folder, accounts


def _found(accounts: Accounts, email: str) -> User:
    user = accounts.users.by_email(email)
    if user is None:
        raise SettingsError("expected the address of a user, got another; `livepost users list` shows them")
    return user


def _typed() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first, second = getpass.getpass("New password: "), getpass.getpass("Once more: ")
    if first != second:
        raise SettingsError("expected the same password twice, got two; say this again")
    return first


def _say_link(folder: DataFolder, user: User, word: str, as_json: bool) -> None:
    link = f"{folder.console_url}/welcome/{word}"
    if as_json:
        _console.print(json.dumps({**_plain(user), "link": link}), markup=False)
        return
    _console.print(f"Give {user.name} this link, by a way that only they read. {HOLDS}", markup=False)
    _console.print(link, markup=False)


def _plain(user: User) -> dict[str, object]:
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "role": user.role,
        "made_ms": user.made_ms,
        "disabled": user.disabled,
        "password": bool(user.password),
        "second": user.second is not None,
    }
