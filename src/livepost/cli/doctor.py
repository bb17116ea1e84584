"""`livepost doctor`: every setting with where it came from."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from livepost.cli.workspace import settings_here
from livepost.ledger.opening import check_ledger
from livepost.model.feedback import FeedbackTally, rate_sentence
from livepost.runtime.courier.audiences import accounts_of
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
    check_ledger(loaded.settings)
    check_targets(loaded.settings)
    accounts_of(loaded.settings)
    check_hooks(loaded.settings)
    if not as_json:
        _say_feedback(DataFolder(loaded.settings, loaded.origins))


def _say_feedback(folder: DataFolder) -> None:
    """Say what a workspace was told of its mails, and its complaint rate once it has sent marketing mails."""
    if not folder.has_ledger:
        return
    with closing(folder.ledger()) as ledger:
        rate = ledger.complaints(folder.clock.now_ms())
        heard = ledger.feedback_counts()
    for provider in sorted({one.provider for one in heard}):
        _console.print(f"{provider} told of mails: {_counted(heard, provider)}", markup=False)
    if rate.sent:
        _console.print(rate_sentence(rate), markup=False)


def _counted(heard: list[FeedbackTally], provider: str) -> str:
    """Return what a provider told in words, what is of no mail of ours at the end."""
    of_it = [one for one in heard if one.provider == provider]
    ours = [f"{one.count:,} {one.outcome.replace('_', ' ')}" for one in of_it if one.ours]
    others = sum(one.count for one in of_it if not one.ours)
    return ", ".join([*ours, *([f"{others:,} of no mail that is known here"] if others else [])])
