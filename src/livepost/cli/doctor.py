"""`livepost doctor`: every setting with where it came from."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from livepost.cli.workspace import settings_here
from livepost.model.feedback import rate_sentence
from livepost.runtime.courier.sender import check_sender
from livepost.runtime.courier.targets import check_targets
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.front.hearing import check_hooks

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
    check_targets(loaded.settings)
    check_hooks(loaded.settings)
    if not as_json:
        _say_complaints(DataFolder(loaded.settings, loaded.origins))


def _say_complaints(folder: DataFolder) -> None:
    """Say the complaint rate of a workspace that has sent marketing mails."""
    if not folder.ledger_file.exists():
        return
    with closing(folder.ledger()) as ledger:
        rate = ledger.complaints(folder.clock.now_ms())
    if rate.sent:
        _console.print(rate_sentence(rate), markup=False)
