"""What is held on one person: what, why, since when, until when, from where; where it went, and who saw it."""

from __future__ import annotations

from typing import Annotated

import msgspec

from livepost.audit.deed import Deed
from livepost.console.house import House
from livepost.console.page import Page
from livepost.console.people import ID_MAX, found_person
from livepost.govern.access.permission import Permission
from livepost.govern.rights.holdings import Holdings
from livepost.govern.rights.store import Held

SEEN_SHOWN = 50
"""Accesses that are shown, the newest."""


class HoldingsAsked(msgspec.Struct, frozen=True, kw_only=True):
    """`id` is any id of the person."""

    id: Annotated[str, msgspec.Meta(max_length=ID_MAX)]


class HoldingsView(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows; `accesses` of the audit, the newest first, of `seen` in all."""

    hex: str
    subjects: list[bytes]
    held: Holdings
    accesses: list[Held]
    seen: int


def _holdings(house: House, asked: HoldingsAsked) -> HoldingsView:
    view = found_person(house, asked.id)
    held = house.holdings(view)
    newest = sorted(held.accesses, key=lambda one: (-one.at, -one.values["number"]))
    return HoldingsView(
        hex=view.person.hex(),
        subjects=list(view.subjects),
        held=held,
        accesses=newest[:SEEN_SHOWN],
        seen=len(held.accesses),
    )


HOLDINGS = Page(
    path="/people/{id}/held",
    needs=Permission("export", "people"),
    name="holdings",
    title="What is held",
    asked=HoldingsAsked,
    show=_holdings,
    sees=lambda asked, view: Deed("holdings.read", tuple(view.subjects)),
    rail="people",
    live=False,
)
