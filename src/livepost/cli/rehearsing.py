"""`rehearse`: what a campaign of the project in this folder would have sent over past events, to whom, and why."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from livepost.cli.workspace import used_folder_here
from livepost.errors import ProjectError
from livepost.log.whole import blocks_of
from livepost.model.decision import reason_words
from livepost.ops.rehearsing import Rehearsed
from livepost.ops.rehearsing import rehearse as rehearsed
from livepost.runtime.author.project import load_project

_console = Console(soft_wrap=True, highlight=False)


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    """What the command prints as JSON: how many mails to how many people, skipped by reason, and each of the decisions;
    `begins_at` is the position that the log begins with: what was before does not count.
    """

    campaign: str
    mails: int
    people: int
    skipped: dict[str, int]
    begins_at: int
    decisions: list[Rehearsed]


def rehearse(
    campaign: Annotated[str, typer.Argument(help="A campaign of the project in this folder, as it stands there.")],
    since: Annotated[datetime | None, typer.Option("--from", help="From this time (UTC) on; all if left out.")] = None,
    until: Annotated[datetime | None, typer.Option("--to", help="Up to this time (UTC); all if left out.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="Print so many decisions at most.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
) -> None:
    """Say what a campaign would have sent over past events, to whom, and why: nothing is sent, nothing changes."""
    folder = used_folder_here()
    project = load_project(Path.cwd(), folder.settings, folder.speed, anew=True)
    names = [one.name for one in project.compiled.campaigns]
    if campaign not in names:
        known = ", ".join(names) or "none"
        raise ProjectError(f"expected a campaign of the project in this folder ({known}), got {campaign}")
    with closing(folder.log_reader()) as log:
        begins_at = log.first()
        found = rehearsed(
            project.compiled, blocks_of(log), folder.settings.workspace, campaign, _ms(since, 0), _ms(until, 1 << 62)
        )
        told = _summed(campaign, list(found), begins_at)
    if as_json:
        _console.print_json(msgspec.json.encode(told).decode())
        return
    _say(told, limit)


def _ms(moment: datetime | None, otherwise: int) -> int:
    return otherwise if moment is None else int(moment.replace(tzinfo=UTC).timestamp() * 1000)


def _summed(campaign: str, decisions: list[Rehearsed], begins_at: int) -> Rehearsal:
    goes = [one for one in decisions if not one.skip]
    return Rehearsal(
        campaign=campaign,
        mails=len(goes),
        people=len({one.person for one in goes}),
        skipped=dict(Counter(one.skip for one in decisions if one.skip).most_common()),
        begins_at=begins_at,
        decisions=decisions,
    )


def _say(told: Rehearsal, limit: int) -> None:
    mails = f"{told.mails:,} mail{'' if told.mails == 1 else 's'}"
    people = f"{told.people:,} {'person' if told.people == 1 else 'people'}"
    _console.print(f"{told.campaign} would have sent {mails} to {people}", markup=False)
    for reason, count in told.skipped.items():
        _console.print(f"  {count:,} skipped: {reason_words(reason)}", markup=False)
    if told.begins_at > 0:
        _console.print(f"  the log begins at position {told.begins_at:,}: what was before does not count")
    for one in told.decisions[:limit]:
        _console.print(_line(one), markup=False)
    if len(told.decisions) > limit:
        _console.print(f"  and {len(told.decisions) - limit:,} more; --limit shows them, --json all")


def _line(one: Rehearsed) -> str:
    at = datetime.fromtimestamp(one.at / 1000, UTC)
    what = f"no mail: {reason_words(one.skip, one.detail)}" if one.skip else "sent"
    step = f", mail {one.step + 1}" if one.step else ""
    return f"{at:%Y-%m-%d %H:%M:%S}  {one.person}  {what}; {one.cause}{step}"
