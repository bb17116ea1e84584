"""`livepost approvals`: what waits for a second person; refused here, or approved where there is no second."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from livepost.api.approvals import ApprovalAnswer, answer_of
from livepost.audit.deed import Deed, by_command
from livepost.cli.four_eyes import four_eyes_of
from livepost.cli.workspace import note, used_folder_here, who
from livepost.clock import WallClock, moment
from livepost.control.approvals import LISTED_MAX, Approval
from livepost.errors import RejectedError
from livepost.govern.approval.desk import FourEyes

app = typer.Typer(help="What waits for the approval of a second person.", no_args_is_help=True)
_console = Console(soft_wrap=True, highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Id = Annotated[str, typer.Argument(help="Its id, or how that begins, as `livepost approvals list` shows it.")]


@app.command("list")
def list_approvals(
    limit: Annotated[int, typer.Option(min=1, max=LISTED_MAX, help="How many, the newest first.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List what was asked for, the newest first."""
    now_ms = WallClock().now_ms()
    with four_eyes_of(used_folder_here()) as desk:
        found = [answer_of(one, now_ms) for one in desk.approvals.listed(limit)]
    if as_json:
        _console.print_json(msgspec.json.encode(found).decode())
        return
    table = Table("id", "kind", "asked by", "asked at", "state", "what", box=None)
    for one in found:
        table.add_row(one.id, one.kind, one.asked_by, moment(one.asked_at), one.state, " ".join(one.told))
    _console.print(table if found else "Nothing was asked for.")


@app.command()
def approve(id_: Id, as_json: AsJson = False) -> None:
    """Approve, where at most one user could: else two people have to, each logged in to the console."""
    folder = used_folder_here()
    with four_eyes_of(folder) as desk:
        one = _one(desk, id_)
        note(folder, Deed("approval.approved", one.people, one.id))
        _told(desk.approve(one.id, by_command(who())), as_json)


@app.command()
def refuse(id_: Id, as_json: AsJson = False) -> None:
    """Refuse what waits or is approved, or take it back."""
    folder = used_folder_here()
    with four_eyes_of(folder) as desk:
        one = _one(desk, id_)
        note(folder, Deed("approval.refused", one.people, one.id))
        _told(desk.refuse(one.id, by_command(who())), as_json)


def _one(desk: FourEyes, id_: str) -> Approval:
    found = [one for one in desk.approvals.listed(LISTED_MAX) if one.id.startswith(id_)]
    if len(found) != 1:
        raise RejectedError(
            f"expected the id of one approval, got {len(found)} that begin with {id_[:40]}; say more of it",
            code="approval",
            status=404,
        )
    return found[0]


def _told(one: Approval, as_json: bool) -> None:
    answer: ApprovalAnswer = answer_of(one, WallClock().now_ms())
    if as_json:
        _console.print_json(msgspec.json.encode(answer).decode())
    else:
        _console.print(f"{one.id} is {answer.state}.", markup=False)
