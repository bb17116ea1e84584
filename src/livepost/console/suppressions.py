"""Addresses that nothing is sent to: how many for which reason, and what is known of one that is asked for.

The address asked for comes in a form, and stands in no URL; what is kept is only its hash.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from livepost.audit.deed import Deed
from livepost.console.house import House
from livepost.console.live import SELDOM_S
from livepost.console.page import ANY, Form, NothingAsked, Page
from livepost.govern.access.permission import Permission
from livepost.ledger.base import Lift, Suppression


class AddressTold(msgspec.Struct, frozen=True):
    """The form that asks for an address."""

    address: Annotated[str, msgspec.Meta(max_length=254)] = ""


class SuppressionsView(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows; `address` is what was asked for, "" if nothing was."""

    counts: dict[str, int]
    address: str = ""
    found: Suppression | None = None
    lifts: list[Lift] = []


def _suppressions(house: House, asked: NothingAsked) -> SuppressionsView:
    return SuppressionsView(counts=house.suppression_counts())


def _find(house: House, asked: NothingAsked, told: AddressTold) -> SuppressionsView:
    address = told.address.strip()
    if not address:
        return _suppressions(house, asked)
    found, lifts = house.suppressed(address)
    return SuppressionsView(counts=house.suppression_counts(), address=address, found=found, lifts=lifts)


SUPPRESSIONS = Page(
    path="/suppressions",
    needs=Permission("read", "suppressions"),
    name="suppressions",
    title="Suppressions",
    asked=NothingAsked,
    show=_suppressions,
    sees=None,
    rail="system",
    every_s=SELDOM_S,
    form=Form(
        told=AddressTold,
        needs={ANY: Permission("read", "suppressions")},
        does=lambda asked, told: Deed("suppression.looked_up"),
        take=_find,
    ),
)
