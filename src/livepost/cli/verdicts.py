"""`settle`: say of unknown mails whether they were sent, let held ones go out, or drop them; whether the house runs or
not.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Annotated

import typer
from rich.console import Console

from livepost.audit.deed import Deed
from livepost.cli import workspace
from livepost.errors import ProjectError
from livepost.ledger.base import MAX_LISTED, Delivery, Ledger, Verdict
from livepost.model.decision import reason_words
from livepost.ops.by_hand import OF_STATE, say

_console = Console(soft_wrap=True, highlight=False)


def settle(
    mails: Annotated[list[str] | None, typer.Argument(help="Ids of mails; none: list what waits for a word.")] = None,
    sent: Annotated[bool, typer.Option("--sent", help="They were sent.")] = False,
    not_sent: Annotated[bool, typer.Option("--not-sent", help="They were not sent, and never will be.")] = False,
    release: Annotated[bool, typer.Option("--release", help="Let held ones go out.")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Drop held ones.")] = False,
    all_: Annotated[bool, typer.Option("--all", help="All of which that can be said.")] = False,
    campaign: Annotated[str, typer.Option(help="With --all or the list: of one campaign only.")] = "",
    note: Annotated[str, typer.Option(help="Why; it is kept with the mail, so name nobody.")] = "",
) -> None:
    """Say what became of mails that are unknown, or shall become of held ones."""
    told: dict[Verdict, bool] = {"sent": sent, "not_sent": not_sent, "release": release, "drop": drop}
    verdicts = [verdict for verdict, given in told.items() if given]
    if len(verdicts) > 1 or bool(verdicts) != bool(mails or all_):
        raise typer.BadParameter("name mails or --all, and one of --sent, --not-sent, --release, --drop; or nothing")
    folder = workspace.used_folder_here()
    with closing(folder.ledger()) as ledger:
        if not verdicts:
            _list(_waiting(ledger, tuple(OF_STATE), campaign))
            return
        states = [state for state, possible in OF_STATE.items() if verdicts[0] in possible]
        waiting = _waiting(ledger, states, campaign)
        chosen = [one.decision.id for one in waiting] if all_ else [_found(waiting, id_) for id_ in mails or ()]
        workspace.note(folder, Deed(f"mails.{verdicts[0]}"))
        moved = say(ledger, folder.clock, chosen, verdicts[0], workspace.who(), note)
    _console.print(f"{len(moved):,} {'mail' if len(moved) == 1 else 'mails'} settled.")
    if all_ and len(waiting) == MAX_LISTED:
        _console.print("There may be more: say it again.")


def _waiting(ledger: Ledger, states: Sequence[str], campaign: str) -> list[Delivery]:
    return [
        one
        for state in states
        for one in ledger.deliveries(campaign=campaign or None, state=state, limit=MAX_LISTED)  # type: ignore[arg-type]
    ][:MAX_LISTED]


def _found(waiting: list[Delivery], id_: str) -> bytes:
    """Return the id of the one mail whose id begins so."""
    found = [one.decision.id for one in waiting if id_ and one.decision.id.hex().startswith(id_)]
    if len(found) != 1:
        raise ProjectError(
            f"expected the id of one mail of which that can be said, or how it begins, got {id_}, which {len(found)} "
            "have; `livepost settle` lists them"
        )
    return found[0]


def _list(waiting: list[Delivery]) -> None:
    for one in waiting:
        why, wanted = reason_words(one.reason, one.detail), one.decision
        _console.print(
            f"{wanted.id.hex()}  {one.state:8} {wanted.campaign}, {wanted.class_}; {why}",
            markup=False,
        )
    if not waiting:
        _console.print("No mail waits for a word: none is unknown, none is held.")
