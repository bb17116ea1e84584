"""How long personal data is kept, what went of it at the last run, and what looks as if it need not be there."""

from __future__ import annotations

import msgspec

from livepost.console.house import House
from livepost.console.page import NothingAsked, Page
from livepost.control.retention import Run
from livepost.govern.access.permission import Permission
from livepost.govern.rights.retention import Term
from livepost.govern.rights.standing import RetentionStanding


class TermLine(msgspec.Struct, frozen=True, kw_only=True):
    """A field; nothing `before` that time (UTC ms) is there since the last run, 0 where there was none."""

    term: Term
    before: int


class RetentionView(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows; `last` is the newest run that is through, None where there was none."""

    standing: RetentionStanding
    lines: list[TermLine]
    last: Run | None


def _retention(house: House, asked: NothingAsked) -> RetentionView:
    standing = house.retention()
    last = next((run for run in standing.runs if run.ended_at), None)
    before = {one.field: one.before for one in last.went if one.store == "log"} if last else {}
    lines = [TermLine(term=term, before=before.get(term.field, 0)) for term in standing.terms]
    return RetentionView(standing=standing, lines=lines, last=last)


RETENTION = Page(
    path="/retention",
    needs=Permission("read", "retention"),
    name="retention",
    title="Retention",
    asked=NothingAsked,
    show=_retention,
    sees=None,
    rail="system",
    live=False,
)
