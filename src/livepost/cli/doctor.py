"""`livepost doctor`: every setting with where it came from."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from livepost.cli.workspace import settings_here
from livepost.ledger.opening import check_ledger
from livepost.runtime.courier.sender import check_sender
from livepost.runtime.courier.targets import check_targets

_console = Console(soft_wrap=True, highlight=False)


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Print every setting with where it came from; secrets are masked. Exit 1 if nothing could be sent so."""
    loaded = settings_here()
    shown = loaded.shown()
    if as_json:
        _console.print_json(msgspec.json.encode(shown).decode())
    else:
        table = Table("setting", "value", "from", box=None)
        for one in shown:
            table.add_row(one.key, str(one.value), one.origin)
        _console.print(table)
    check_sender(loaded.settings)
    check_ledger(loaded.settings)
    check_targets(loaded.settings)
