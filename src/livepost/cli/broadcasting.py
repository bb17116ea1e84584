"""`broadcast`: ask the house that runs to broadcast a campaign, approve one, or list what was broadcast."""

from __future__ import annotations

import getpass
import sys
from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated
from uuid import uuid4

import msgspec
import typer
from rich.console import Console

from livepost.api.broadcasts import BroadcastAnswer, answer_of
from livepost.cli.author import applied_project_of
from livepost.cli.workspace import used_folder_here
from livepost.errors import ProjectError
from livepost.ledger.base import AskedBroadcast
from livepost.model.compiled import CampaignSpec
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.client import EngineClient
from livepost.runtime.front.broadcasting import APPROVE, BROADCAST, Approval, Asked
from livepost.runtime.sockets.wire import WireClient

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
        _say([_asked(folder, BROADCAST, Asked(campaign=campaign, message_id=uuid4().hex, by=_who()))], as_json)
    elif approve:
        waiting = _waiting(folder, approve)
        _require_consent(f"Approve {waiting.campaign} to {waiting.people:,} people, and begin it?", yes or as_json)
        _say([_asked(folder, APPROVE, Approval(id=waiting.id, by=_who()))], as_json)
    else:
        with closing(folder.ledger()) as ledger:
            _say(ledger.broadcasts(), as_json, several=True)


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


def _who() -> str:
    try:
        return getpass.getuser()
    except OSError:  # a user without a name
        return "cli"


def _say(broadcasts: list[AskedBroadcast], as_json: bool, *, several: bool = False) -> None:
    answers = [answer_of(one) for one in broadcasts]
    if as_json:
        _console.print_json(msgspec.json.encode(answers if several else answers[0]).decode())
        return
    for one in answers:
        _console.print(_line(one), markup=False)
    if not answers:
        _console.print("Nothing was broadcast yet.")


def _line(one: BroadcastAnswer) -> str:
    asked = f"{one.campaign}  to {one.people:,} people, asked for {_moment(one.asked_at)} by {one.asked_by}"
    if one.state == "begun":
        return f"{one.id[:8]}  begun    {asked}"
    if one.state == "approved":
        return f"{one.id[:8]}  approved {asked}; it begins when engine and log are there"
    return f"{one.id[:8]}  waiting  {asked}; `livepost broadcast --approve {one.id[:8]}` begins it"


def _moment(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
