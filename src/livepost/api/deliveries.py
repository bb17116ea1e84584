"""The ledger over HTTP: decisions and what became of them, with reasons."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from livepost.api.house import House
from livepost.api.operation import Operation
from livepost.api.people import NOBODY, Id, Name, found_person
from livepost.audit.deed import Deed, people_of
from livepost.govern.access.permission import Permission
from livepost.ledger.base import MAX_LISTED, Delivery
from livepost.ledger.moves import State


class DeliveriesAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Only those of a person, a campaign, in a state; the newest `limit` of them."""

    person: Id | UnsetType = UNSET
    campaign: Name | UnsetType = UNSET
    state: State | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=MAX_LISTED)] = 100


class DeliveryAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A decision and what became of it: ids in hex, times UTC ms; `detail` explains `reason`; "" is none."""

    decision: str
    person: str
    campaign: str
    cause: str
    state: State
    reason: str
    detail: str
    attempts: int
    decided_at: int
    changed_at: int
    provider: str


class DeliveriesAnswer(msgspec.Struct, frozen=True):
    """Deliveries, newest first."""

    deliveries: list[DeliveryAnswer]


def _deliveries(house: House, asked: DeliveriesAsked) -> DeliveriesAnswer:
    person = None if asked.person is UNSET else found_person(house, asked.person).person
    found = house.deliveries(person, asked.campaign or None, asked.state or None, asked.limit)
    return DeliveriesAnswer([answer_of(one) for one in found])


def answer_of(one: Delivery) -> DeliveryAnswer:
    """Return a delivery as it is told."""
    return DeliveryAnswer(
        decision=one.decision.id.hex(),
        person=one.person.hex(),
        campaign=one.decision.campaign,
        cause=one.decision.cause_text,
        state=one.state,
        reason=one.reason,
        detail=one.detail,
        attempts=one.attempts,
        decided_at=one.decision.at,
        changed_at=one.changed_at,
        provider=one.provider,
    )


DELIVERIES = Operation(
    path="/api/deliveries",
    needs=Permission("read", "mails"),
    name="deliveries",
    summary="What was decided and what became of it, with reasons",
    asked=DeliveriesAsked,
    answers=DeliveriesAnswer,
    run=_deliveries,
    shows=lambda asked, answer: Deed("mails.read", people_of(one.person for one in answer.deliveries)),
    refusals={HTTPStatus.NOT_FOUND: NOBODY},
)
