"""`livepost providers`: how each sender stands, whether the house runs or not."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from livepost.cli.workspace import used_folder_here
from livepost.clock import SECOND_MS, WallClock
from livepost.ledger.base import SenderStanding
from livepost.runtime.courier.routing import routing_of

_console = Console(soft_wrap=True, highlight=False)


def providers(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Say of each sender how its breaker stands, what failed, what its pace and its warm-up leave."""
    folder = used_folder_here()
    with closing(folder.ledger()) as ledger:
        senders = ledger.senders(routing_of(folder.settings))
    if as_json:
        _console.print_json(msgspec.json.encode({"providers": senders}).decode())
        return
    for one in senders:
        _console.print(said(one, WallClock().now_ms()), markup=False)


def said(one: SenderStanding, now_ms: int) -> str:
    """Return how a sender stands, in a line; its last trouble in another one."""
    breaker: str = one.breaker
    if breaker == "open":
        breaker += f" for {max(0, one.open_until - now_ms) / SECOND_MS:,.0f} s"
    parts = [
        breaker,
        f"{one.answered:,} answered",
        f"{one.troubled:,} failed",
        f"{one.in_flight:,} in flight",
        f"{one.unknown:,} unknown",
    ]
    if one.slots is not None:
        parts.append(f"{one.slots:,} may go now by its pace")
    if one.quota is not None:
        parts.append(f"{one.today:,} of {one.quota:,} today by its warm-up")
    line = f"{one.name}: {', '.join(parts)}"
    return f"{line}\n  last: {one.trouble}" if one.trouble else line
