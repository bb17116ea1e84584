"""`kill`: the switch that stops a campaign's mails, or all marketing, in a house that runs and in one that does not."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from livepost.audit.deed import Deed, named
from livepost.cli.author import applied_project_of
from livepost.cli.workspace import note, used_folder_here
from livepost.errors import ProjectError
from livepost.ledger.base import ALL_MARKETING, COMPLAINTS, Ledger
from livepost.model.decision import ASKED_FOR
from livepost.runtime.data.folder import DataFolder

_console = Console(soft_wrap=True, highlight=False)
_WORDS = {ALL_MARKETING: "all marketing", COMPLAINTS: "all marketing (too many complained)"}


def kill(
    campaign: Annotated[str, typer.Argument(help="The campaign; none: say what is stopped.")] = "",
    all_: Annotated[bool, typer.Option("--all", help="All campaigns of the class marketing.")] = False,
    off: Annotated[bool, typer.Option("--off", help="Let it mail again.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what is stopped as JSON.")] = False,
) -> None:
    """Stop a campaign's mails from the next one on, or let it mail again; what would go meanwhile is skipped."""
    if (campaign and all_) or (off and not campaign and not all_):
        raise typer.BadParameter("name a campaign, or --all, not both")
    folder = used_folder_here()
    with closing(folder.ledger()) as ledger:
        if campaign or all_:
            name = ALL_MARKETING if all_ else _known(folder, ledger, campaign)
            note(folder, Deed("campaign.resumed" if off else "campaign.stopped", about=named(name)))
            ledger.kill(name, not off, folder.clock.now_ms())
        if all_ and off:
            ledger.kill(COMPLAINTS, False, folder.clock.now_ms())
        _say(ledger, as_json)


def _known(folder: DataFolder, ledger: Ledger, campaign: str) -> str:
    """Return the name; raise ProjectError if neither the project nor the ledger has a campaign of it."""
    names = [one.name for one in applied_project_of(folder).compiled.campaigns]
    names += sorted(({tally.campaign for tally in ledger.counts()} | {*ASKED_FOR}) - {*names})
    if campaign not in names:
        known = ", ".join(names) or "none"
        raise ProjectError(f"expected a campaign of this project ({known}), got {campaign}; was it renamed?")
    return campaign


def _say(ledger: Ledger, as_json: bool) -> None:
    kills = ledger.kills()
    if as_json:
        _console.print_json(msgspec.json.encode(kills).decode())
        return
    for one in kills:
        what = _WORDS.get(one.campaign, one.campaign)
        since = datetime.fromtimestamp(one.at / 1000, UTC)
        _console.print(f"{what}  stopped since {since:%Y-%m-%d %H:%M:%S} UTC", markup=False)
    if not kills:
        _console.print("Nothing is stopped.")
