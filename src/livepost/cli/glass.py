"""`livepost glass`: who broke the glass to see people unmasked, and an end to it."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from livepost.audit.deed import Deed, by_command
from livepost.cli.workspace import note, used_folder_here, who
from livepost.clock import WallClock, moment
from livepost.control.glass import Glasses

app = typer.Typer(help="Who broke the glass to see people unmasked, and an end to it.", no_args_is_help=True)
_console = Console(soft_wrap=True, highlight=False)


@app.command("list")
def list_glass(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List who broke the glass, why and until when, the newest first."""
    with closing(used_folder_here().control()) as store:
        found = Glasses(store).listed()
    if as_json:
        _console.print_json(msgspec.json.encode(found).decode())
        return
    now_ms = WallClock().now_ms()
    table = Table("id", "user", "from", "until", "", "because", box=None)
    for one in found:
        state = "holds" if one.holds(now_ms) else "over"
        table.add_row(one.id, one.user, moment(one.begun_at), moment(one.ended_at or one.until), state, one.reason)
    _console.print(table if found else "Nobody broke the glass.")


@app.command()
def end(id_: Annotated[str, typer.Argument(help="Its id, as `livepost glass list` shows it.")]) -> None:
    """End what a user sees by it, before its time."""
    folder = used_folder_here()
    note(folder, Deed("glass.ended", about=id_ if id_.isalnum() else ""))
    with closing(folder.control()) as store:
        Glasses(store).end(id_, by_command(who()), WallClock().now_ms())
    _console.print("It has ended: the user sees as their role does.")
