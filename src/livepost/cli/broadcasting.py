"""`broadcast`: ask the house that runs to broadcast a campaign, approve one, or list what was broadcast."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import Annotated
from uuid import uuid4

import msgspec
import typer
from rich.console import Console

from livepost.api.broadcasts import BroadcastAnswer, BroadcastCounts, answer_of, counted
from livepost.cli.author import applied_project_of
from livepost.cli.workspace import used_folder_here, who
from livepost.clock import moment
from livepost.errors import ProjectError
from livepost.ledger.base import AskedBroadcast
from livepost.ledger.moves import State
from livepost.model.compiled import CampaignSpec
from livepost.model.decision import reason_words
from livepost.ops.campaigns import broadcast_standings
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.client import EngineClient
from livepost.runtime.front.broadcasting import APPROVE, BROADCAST, Approval, Asked
from livepost.runtime.sockets.wire import WireClient

UNSETTLED: tuple[State, ...] = ("pending", "claimed", "in_flight", "unknown", "held", "failed")
"""States that a broadcast's line tells of besides what was sent and skipped."""

_console = Console(soft_wrap=True, highlight=False)


def broadcast(
    campaign: Annotated[str, typer.Argument(help="A campaign made by @broadcast; none: list broadcasts.")] = "",
    approve: Annotated[str, typer.Option(help="Approve the broadcast with this id, and begin it.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; does not ask.")] = False,
) -> None:
    """Broadcast a campaign to everybody who is in its audience now, in the house that runs."""
    if campaign and approve:
        raise typer.BadParameter("name a campaign, or --approve one that waits, not both")
    folder = used_folder_here()
    if campaign:
        spec = _spec(folder, campaign)
        _require_consent(
            f"Broadcast {campaign} to {_people(folder, spec):,} people in {spec.audience}?", yes or as_json
        )
        _say(_asked(folder, BROADCAST, Asked(campaign=campaign, message_id=uuid4().hex, by=who())), as_json)
    elif approve:
        waiting = _waiting(folder, approve)
        _require_consent(f"Approve {waiting.campaign} to {waiting.people:,} people, and begin it?", yes or as_json)
        _say(_asked(folder, APPROVE, Approval(id=waiting.id, by=who())), as_json)
    else:
        _say_all(folder, as_json)


def _spec(folder: DataFolder, name: str) -> CampaignSpec:
    broadcasts = {spec.name: spec for spec in applied_project_of(folder).compiled.campaigns if spec.broadcast}
    if name not in broadcasts:
        known = ", ".join(broadcasts) or "none"
        raise ProjectError(
            f"expected a campaign made by @broadcast ({known}), got {name}; is it new? `livepost apply` comes first"
        )
    return broadcasts[name]


def _people(folder: DataFolder, spec: CampaignSpec) -> int:
    with closing(EngineClient(folder)) as engine:
        return next((one.people for one in engine.segments() if one.segment == spec.audience), 0)


def _waiting(folder: DataFolder, id_: str) -> AskedBroadcast:
    with closing(folder.ledger()) as ledger:
        found = [one for one in ledger.broadcasts() if id_ and one.id.hex().startswith(id_)]
    if len(found) != 1:
        raise ProjectError(
            f"expected the id of one broadcast, or how it begins, got {id_}, which {len(found)} have; "
            "`livepost broadcast` lists them"
        )
    return found[0]


def _asked(folder: DataFolder, what: str, wish: Asked | Approval) -> AskedBroadcast:
    with closing(WireClient(folder.front_socket)) as front:
        return front.call(what, wish, AskedBroadcast)


def _require_consent(question: str, given: bool) -> None:
    if given:
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter("nobody is there to be asked; say --yes")
    typer.confirm(question, abort=True)


def _say(asked: AskedBroadcast, as_json: bool) -> None:
    told = answer_of(asked)
    if as_json:
        _console.print_json(msgspec.json.encode(told).decode())
    else:
        _console.print(_line(told), markup=False)


def _say_all(folder: DataFolder, as_json: bool) -> None:
    with closing(folder.ledger()) as ledger:
        earned = ledger.earned(folder.settings.attribution_ms)
        now_ms = folder.clock.now_ms()
        known = [one.as_of(now_ms) for one in ledger.broadcasts()]
        told = counted(known, broadcast_standings(ledger.broadcast_counts(), earned))
    if as_json:
        _console.print_json(msgspec.json.encode(told).decode())
        return
    for one in told:
        _console.print(_line(one), markup=False)
        if one.counts.decided:
            _console.print(f"          {_became(one.counts)}", markup=False)
    if not told:
        _console.print("Nothing was broadcast yet.")


def _became(counts: BroadcastCounts) -> str:
    """Return what became of a broadcast in a line, each loss with its reason."""
    lost = [f"{count:,} {reason_words(reason)}" for reason, count in counts.by_reason.items()]
    open_ = [f"{counts.by_state[state]:,} {state}" for state in UNSETTLED if counts.by_state.get(state)]
    seen = [f"{getattr(counts, name):,} {name}" for name in ("sent", "delivered", "opened", "clicked", "ordered")]
    return f"{counts.decided:,} decided: {'; '.join([*lost, *open_, *seen])}"


def _line(one: BroadcastAnswer) -> str:
    asked = f"{one.campaign}  to {one.people:,} people, asked for {moment(one.asked_at)} by {one.asked_by}"
    if one.state == "begun":
        return f"{one.id[:8]}  begun    {asked}"
    if one.state == "approved":
        return f"{one.id[:8]}  approved {asked}; it begins when engine and log are there"
    if one.state == "lapsed":
        anew = f"nobody approved it within 24 hours; `livepost broadcast {one.campaign}` asks anew"
        return f"{one.id[:8]}  lapsed   {asked}; {anew}"
    return f"{one.id[:8]}  waiting  {asked}; `livepost broadcast --approve {one.id[:8]}` begins it"
