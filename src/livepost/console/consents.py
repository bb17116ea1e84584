"""Consents: how many people allow what, and what was said last. By ids: a person's page has the proofs."""

from __future__ import annotations

import msgspec

from livepost.audit.deed import Deed, people_of
from livepost.console.house import House
from livepost.console.live import SELDOM_S
from livepost.console.page import NothingAsked, Page
from livepost.govern.access.permission import Permission
from livepost.model.choice import is_choice
from livepost.model.consent import STATES, ConsentEvent, ConsentState, is_signal

NEWEST_SHOWN = 50

SHOWN_STATES: tuple[ConsentState, ...] = tuple(state for state in STATES if state != "moved")


class PurposeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A purpose or choice on a channel, and how many people are in each of SHOWN_STATES."""

    purpose: str
    channel: str
    people: list[int]


class ConsentsView(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows."""

    states: tuple[ConsentState, ...]
    purposes: list[PurposeRow]
    choices: list[PurposeRow]
    newest: list[ConsentEvent]


def _consents(house: House, asked: NothingAsked) -> ConsentsView:
    counted: dict[tuple[str, str], dict[str, int]] = {}
    for tally in house.consent_counts():
        if not is_signal(tally.purpose):
            counted.setdefault((tally.purpose, tally.channel), {})[tally.state] = tally.people
    rows = [
        PurposeRow(purpose=purpose, channel=channel, people=[people.get(state, 0) for state in SHOWN_STATES])
        for (purpose, channel), people in counted.items()
    ]
    return ConsentsView(
        states=SHOWN_STATES,
        purposes=[row for row in rows if not is_choice(row.purpose)],
        choices=[row for row in rows if is_choice(row.purpose)],
        newest=house.newest_consents(NEWEST_SHOWN),
    )


CONSENTS = Page(
    path="/consents",
    needs=Permission("read", "consents"),
    name="consents",
    title="Consents",
    asked=NothingAsked,
    show=_consents,
    sees=lambda asked, view: Deed("consents.read", people_of({one.person.hex(): None for one in view.newest})),
    rail="system",
    every_s=SELDOM_S,
)
