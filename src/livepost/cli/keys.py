"""`livepost keys`: the write and secret keys of the data folder; for its local owner only."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
import typer
from rich.console import Console
from rich.table import Column, Table

from livepost.cli.workspace import folder_here
from livepost.clock import WallClock
from livepost.runtime.data.keyring import StoredKey

app = typer.Typer(help="Write and secret keys of the data folder.", no_args_is_help=True)
_console = Console(soft_wrap=True, highlight=False)

_SOURCES = {"write": "website", "secret": "server"}

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List all keys; of a secret key only its beginning is known."""
    keys = folder_here().keys.all()
    if as_json:
        _console.print(json.dumps([_plain(key) for key in keys]), markup=False)
        return
    table = Table("id", "kind", "source", Column("key", overflow="fold"), "made", "revoked", box=None)
    for key in keys:
        table.add_row(key.id, key.kind, key.source, key.shown, _day(key.made_ms), _day(key.revoked_ms))
    _console.print(table if keys else "There are no keys yet: `livepost keys new write` makes one.")


@app.command()
def new(
    kind: Annotated[Literal["write", "secret"], typer.Argument(help="write: public, append-only; secret: for servers")],
    source: Annotated[
        str | None, typer.Option(help="The name that its events carry; `website` or `server` if left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and show it; a secret key is shown this once only."""
    folder = folder_here()
    folder.prepare()
    made = folder.keys.new(kind, source or _SOURCES[kind], WallClock().now_ms())
    if as_json:
        _console.print(json.dumps({**_plain(made.stored), "key": made.key}), markup=False)
        return
    _console.print(f"{kind} key for {made.stored.source}: {made.key}", markup=False)
    if kind == "secret":
        _console.print("Keep it now: it is not shown again.")


@app.command()
def revoke(id: Annotated[str, typer.Argument(help="The key's id, as `livepost keys list` shows it.")]) -> None:
    """Make a key invalid from now on."""
    revoked = folder_here().keys.revoke(id, WallClock().now_ms())
    _console.print(f"The {revoked.kind} key of {revoked.source} is not valid any more.")


def _plain(key: StoredKey) -> dict[str, object]:
    plain: dict[str, object] = msgspec.to_builtins(key)
    del plain["hash"]
    return plain


def _day(at_ms: int | None) -> str:
    return "" if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
