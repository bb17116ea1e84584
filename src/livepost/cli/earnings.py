"""`measure`: what became of everybody who entered a campaign, and what its mails earned."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from livepost.api.campaigns import CampaignAnswer, CampaignsAnswer, MeasuredAnswer, answer_of
from livepost.cli.author import applied_project_of
from livepost.cli.workspace import used_folder_here
from livepost.errors import ProjectError
from livepost.ledger.base import Ledger
from livepost.model.decision import reason_words
from livepost.model.earning import amounts_of
from livepost.model.standing import CampaignStanding
from livepost.ops.campaigns import campaign_standings
from livepost.ops.lift import compare, sentences
from livepost.project.money import Money
from livepost.runtime.data.folder import DataFolder

_console = Console(soft_wrap=True, highlight=False)


def measure(
    campaign: Annotated[str, typer.Argument(help="A campaign; none: all of them.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what became of who entered a campaign, what its mails earned, and what it changed.

    Who is still waiting in a campaign the engine alone knows: they are not counted here.
    """
    folder = used_folder_here()
    with closing(folder.ledger()) as ledger:
        standings = _standings(folder, ledger)
        if not campaign:
            _say_all([answer_of(one) for one in standings.values()], as_json)
            return
        if campaign not in standings:
            raise ProjectError(f"expected a campaign ({', '.join(standings) or 'none'}), got {campaign}")
        compared = compare(ledger.exposed(campaign, folder.settings.attribution_ms))
    told = MeasuredAnswer(answer_of(standings[campaign]), compared)
    if as_json:
        _console.print_json(msgspec.json.encode(told).decode())
        return
    _console.print("\n".join(_lines(told.campaign, standings[campaign])), markup=False)
    for sentence in sentences(compared) if compared is not None else ():
        _console.print(f"  {sentence}", markup=False)


def _standings(folder: DataFolder, ledger: Ledger) -> dict[str, CampaignStanding]:
    declared = [one.name for one in applied_project_of(folder).compiled.campaigns]
    earned = ledger.earned(folder.settings.attribution_ms)
    found = campaign_standings(declared, ledger.counts(), ledger.outcome_counts(), {}, earned)
    return {one.campaign: one for one in found}


def _say_all(campaigns: list[CampaignAnswer], as_json: bool) -> None:
    if as_json:
        _console.print_json(msgspec.json.encode(CampaignsAnswer(campaigns)).decode())
        return
    for one in campaigns:
        _console.print(
            f"{one.campaign}: {one.entered:,} decided, {one.sent:,} sent, {one.clicked:,} clicked, "
            f"{one.ordered:,} ordered",
            markup=False,
        )


def _lines(told: CampaignAnswer, standing: CampaignStanding) -> list[str]:
    """Return a campaign's funnel, a step a line, losses by reason."""
    lost = [(f"less: {reason_words(reason)}", count) for reason, count in told.by_reason.items()]
    steps = [
        ("decided", told.entered),
        *lost,
        ("sent", told.sent),
        ("delivered", told.delivered),
        ("opened", told.opened),
        ("clicked", told.clicked),
        ("ordered", told.ordered),
        ("opened by machines", told.machine_opened),
        ("clicked by machines", told.machine_clicked),
    ]
    amounts = [str(Money.of_minor(amount, currency)) for currency, amount in amounts_of(standing.earned).items()]
    earned = f"  {standing.orders:,} orders by last click" + (f": {', '.join(amounts)}" if amounts else "")
    return [told.campaign, *(f"  {count:>9,}  {name}" for name, count in steps), earned]
