"""`livepost keys`: the write and secret keys of the data folder, and rotations of the key-encryption key; for its local
owner only.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress, TextColumn
from rich.table import Column, Table

from livepost.audit.deed import Deed
from livepost.cli.four_eyes import require_approval
from livepost.cli.workspace import folder_here, note, used_folder_here
from livepost.clock import WallClock
from livepost.errors import LivepostError, SettingsError, StoreError
from livepost.govern.approval.wanted import destroying_of
from livepost.model.principal import Role
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.data.keyring import StoredKey
from livepost.runtime.front.rotating import MOVE, ROTATE, ROTATION, Move, Rotation
from livepost.runtime.sockets.wire import POLL_S, WireClient, WireError
from livepost.settings.kek import read_kek_reference
from livepost.settings.settings import UNIT_MS
from livepost.vault.kek.base import KekStore, fingerprint
from livepost.vault.kek.rotation import begin, is_under_way, steps

app = typer.Typer(help="Write and secret keys of the data folder; its key-encryption key.", no_args_is_help=True)
_console = Console(soft_wrap=True, highlight=False)
_errors = Console(soft_wrap=True, highlight=False, stderr=True)

_SOURCES = {"write": "website", "secret": "server"}

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List all keys; of a secret key only its beginning is known."""
    ring = folder_here().keys
    keys = ring.all()
    if as_json:
        _console.print(json.dumps([_plain(key, ring.used_ms(key.id)) for key in keys]), markup=False)
        return
    table = Table(
        "id",
        "kind",
        "source",
        "role",
        Column("key", overflow="fold"),
        Column("scopes", overflow="fold"),
        "made",
        "expires",
        "last used",
        "revoked",
        box=None,
    )
    for key in keys:
        role = key.role if key.kind == "secret" else ""
        scopes, times = " ".join(key.scopes), (key.made_ms, key.expires_ms, ring.used_ms(key.id), key.revoked_ms)
        table.add_row(key.id, key.kind, key.source, role, key.shown, scopes, *map(_day, times))
    _console.print(table if keys else "There are no keys yet: `livepost keys new write` makes one.")


@app.command()
def new(
    kind: Annotated[Literal["write", "secret"], typer.Argument(help="write: public, append-only; secret: for servers")],
    source: Annotated[
        str | None, typer.Option(help="The name that its events carry; `website` or `server` if left out.")
    ] = None,
    scope: Annotated[
        list[str] | None, typer.Option(help="Hold a secret key to this, like `read:people`; may be said several times.")
    ] = None,
    role: Annotated[Role, typer.Option(help="What a secret key may do; its scopes only take away.")] = "developer",
    expires: Annotated[str, typer.Option(help="How long it is valid, like `90d`; for good if left out.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a key and show it; a secret key is shown this once only."""
    folder = folder_here()
    folder.prepare()
    note(folder, Deed("key.made", about=kind))
    now_ms = WallClock().now_ms()
    ends_ms = now_ms + _length_ms(expires) if expires else None
    made = folder.keys.new(kind, source or _SOURCES[kind], now_ms, tuple(scope or ()), ends_ms, role)
    if as_json:
        _console.print(json.dumps({**_plain(made.stored, None), "key": made.key}), markup=False)
        return
    _console.print(f"{kind} key for {made.stored.source}: {made.key}", markup=False)
    if kind == "secret":
        _console.print("Keep it now: it is not shown again.")


@app.command()
def revoke(id: Annotated[str, typer.Argument(help="The key's id, as `livepost keys list` shows it.")]) -> None:
    """Make a key invalid from now on."""
    folder = folder_here()
    revoked = folder.keys.revoke(id, WallClock().now_ms())
    note(folder, Deed("key.revoked", about=f"key.{revoked.id}"))
    _console.print(f"The {revoked.kind} key of {revoked.source} is not valid any more.")


@app.command()
def rotate(as_json: AsJson = False) -> None:
    """Make a new key-encryption key and wrap all keys of the vault by it; the house may run.

    The older key is kept, as retired, for backups of before: `livepost keys destroy` ends that.
    """
    folder = used_folder_here()
    note(folder, Deed("vault_key.rotated"))
    keys = _rotated_by_the_house(folder, ROTATE) if _runs(folder) else _rotated_here(folder, begin)
    left = sum(one.retired for one in folder.keks.read())
    if as_json:
        _console.print(json.dumps({"keys": keys, "retired": left}))
        return
    _console.print(f"All keys of the vault are wrapped by a new key-encryption key; older ones kept: {left}.")
    if is_under_way(folder.keks):
        _console.print("Take the older key out of the variable now, and keep it with your backups.")


@app.command()
def move(
    place: Annotated[str, typer.Argument(help="As the setting kek names it, like `aws-kms:alias/livepost`.")],
    as_json: AsJson = False,
) -> None:
    """Move the key-encryption key into a file, a variable or a key service: a new one is made there and wraps all keys
    of the vault; the house may run.

    What is left where it was opens backups of before: `livepost keys destroy` ends that.
    """
    told = read_kek_reference(place, "keys move")
    to = f"file:{Path.cwd() / told.name}" if told.place == "file" else place
    folder = used_folder_here()
    note(folder, Deed("vault_key.moved", about=f"kek.{told.place}"))
    keys = (
        _rotated_by_the_house(folder, MOVE, Move(to))
        if _runs(folder)
        else _rotated_here(folder, lambda _: folder.move_keks(to))
    )
    if as_json:
        _console.print(json.dumps({"keys": keys, "kek": to, "left": len(folder.keks.older)}))
        return
    _console.print(f"All keys of the vault are wrapped by a new key-encryption key in {to}.", markup=False)
    _console.print(f'Write kek = "{to}" (LIVEPOST_KEK, if it is set there) before the next start.', markup=False)
    _console.print("What is left where it was opens backups of before, until `livepost keys destroy`.")


@app.command()
def destroy(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    reason: Annotated[str, typer.Option(help="What for, where others have to approve it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Destroy the retired key-encryption keys: no backup of before the last rotation opens any more."""
    folder = used_folder_here()
    old = folder.keks.retired()
    retired = len(old)
    if retired and not yes:
        if as_json or not sys.stdin.isatty():
            raise typer.BadParameter("nobody is there to be asked; say --yes")
        typer.confirm(
            f"Destroy {_count(retired, 'retired key')}? Backups of the vault of before open no more", abort=True
        )
    if old:
        require_approval(folder, destroying_of(map(fingerprint, old)), reason)
        if folder.keks.retired() != old:
            raise LivepostError("another key was retired meanwhile, which nobody spoke of; look, and say it again")
        note(folder, Deed("vault_key.destroyed"))
    gone = folder.keks.destroy() if old else 0
    if as_json:
        _console.print(json.dumps({"destroyed": gone}))
        return
    _console.print(f"{_count(gone, 'key-encryption key')} destroyed." if gone else "There is no retired key.")


def _runs(folder: DataFolder) -> bool:
    """Whether a front runs, which then is the one that writes the vault."""
    with closing(WireClient(folder.front_socket)) as front:
        try:
            front.call(ROTATION, None, Rotation)
        except WireError:
            return False
        return True


def _rotated_by_the_house(folder: DataFolder, what: str, asked: Move | None = None) -> int:
    with closing(WireClient(folder.front_socket)) as front, _bar() as bar:
        told, shown = front.call(what, asked, Rotation), bar.add_task("keys wrapped", total=None)
        while told.running:
            time.sleep(POLL_S)
            told = front.call(ROTATION, None, Rotation)
            bar.update(shown, completed=told.keys)
            if told.trouble:
                raise StoreError(f"the rotation waits: {told.trouble}; the house tries again, and so may you")
    return told.keys


def _rotated_here(folder: DataFolder, begun: Callable[[KekStore], object]) -> int:
    store, keys = folder.keks, 0
    with closing(folder.vault(readonly=False)) as vault, _bar() as bar:
        begun(store)
        shown = bar.add_task("keys wrapped", total=None)
        for keys in steps(store, vault):
            bar.update(shown, completed=keys)
    return keys


def _bar() -> Progress:
    return Progress(TextColumn("{task.description}: {task.completed:,}"), console=_errors, transient=True)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _plain(key: StoredKey, used_ms: int | None) -> dict[str, object]:
    plain: dict[str, object] = {**msgspec.to_builtins(key), "used_ms": used_ms}
    del plain["hash"]
    return plain


def _length_ms(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,5}[smhd]", text):
        raise SettingsError(f"expected a time like 90d, 12h or 30m, got {text[:20]!r}; say it so")
    return int(text[:-1]) * UNIT_MS[text[-1]]


def _day(at_ms: int | None) -> str:
    return "" if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
