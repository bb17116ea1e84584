"""Broadcasts over HTTP: what was broadcast, one asked for, one approved.

In: a campaign. Out: the broadcast that the idempotency key stands for. Promised: a key brings one broadcast at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Annotated, Literal, Protocol, TypeAlias

import msgspec
from msgspec import Meta

from livepost.api.action import Action, Done
from livepost.api.campaigns import EarnedAnswer
from livepost.api.campaigns import answer_of as answer_of_campaign
from livepost.api.house import House
from livepost.api.operation import Operation
from livepost.api.people import Name
from livepost.audit.deed import Deed, named
from livepost.govern.access.permission import Permission
from livepost.ledger.base import MAX_LISTED, AskedBroadcast
from livepost.model.standing import CampaignStanding

HEX = "^[0-9a-f]{32}$"

BroadcastState: TypeAlias = Literal["begun", "waiting", "approved", "lapsed"]


class BroadcastsAsked(msgspec.Struct, frozen=True, kw_only=True):
    """The newest `limit` broadcasts."""

    limit: Annotated[int, Meta(ge=1, le=MAX_LISTED)] = 100


class BroadcastAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A broadcast: its id in hex, times UTC ms, 0 where that has not happened.

    `people` were in the audience when it was asked for, or approved; `position` is its record's, -1 until it has begun.
    One that was not approved within 24 hours has `lapsed`: it is asked for anew, under another key.
    """

    id: str
    campaign: str
    state: BroadcastState
    people: int
    asked_at: int
    asked_by: str
    approved_at: int
    approved_by: str
    position: int


class BroadcastCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What became of everybody a broadcast asked, as `CampaignAnswer` tells of a campaign; nobody waits in one."""

    decided: int = 0
    by_state: dict[str, int] = {}
    by_reason: dict[str, int] = {}
    held_out: int = 0
    sent: int = 0
    delivered: int = 0
    opened: int = 0
    clicked: int = 0
    ordered: int = 0
    machine_opened: int = 0
    machine_clicked: int = 0
    earned: list[EarnedAnswer] = []


class CountedBroadcast(BroadcastAnswer, frozen=True, kw_only=True):
    """A broadcast, and what became of it."""

    counts: BroadcastCounts


class BroadcastsAnswer(msgspec.Struct, frozen=True):
    """Broadcasts, newest first."""

    broadcasts: list[CountedBroadcast]


class BroadcastWish(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A campaign, made by `@broadcast`, to be broadcast now."""

    campaign: Name


class ApprovalWish(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The id, in hex, of a broadcast that waits for approval."""

    broadcast: Annotated[str, Meta(pattern=HEX)]


class Broadcasts(Protocol):
    """Who broadcasts."""

    async def ask(self, campaign: str, message_id: str, by: str) -> AskedBroadcast:
        """Broadcast a campaign, or note that it waits for approval.

        Raises RejectedError (404, 409), OverloadedError or StoreError: then the same may be asked again.
        """
        ...

    async def approve(self, id_: bytes, by: str) -> AskedBroadcast:
        """Approve a broadcast, and begin it; raises as `ask` does."""
        ...


def _broadcasts(house: House, asked: BroadcastsAsked) -> BroadcastsAnswer:
    return BroadcastsAnswer(counted(house.broadcasts(asked.limit), house.broadcast_standings()))


async def _broadcast(broadcasts: Broadcasts, source: str, key: str, wish: BroadcastWish) -> Done:
    asked = await broadcasts.ask(wish.campaign, f"{source} {key}", source)
    return Done(answer_of(asked), asked.new)


async def _approve(broadcasts: Broadcasts, source: str, key: str, wish: ApprovalWish) -> Done:
    approved = await broadcasts.approve(bytes.fromhex(wish.broadcast), source)
    return Done(answer_of(approved), approved.new)


def answer_of(one: AskedBroadcast) -> BroadcastAnswer:
    """Return a broadcast as it is told."""
    return BroadcastAnswer(
        id=one.id.hex(),
        campaign=one.campaign,
        state=_state(one),
        people=one.people,
        asked_at=one.asked_at,
        asked_by=one.asked_by,
        approved_at=one.approved_at,
        approved_by=one.approved_by,
        position=one.position,
    )


def _state(one: AskedBroadcast) -> BroadcastState:
    if one.position >= 0:
        return "begun"
    return "approved" if one.approved_at else "lapsed" if one.lapsed else "waiting"


def counted(asked: Iterable[AskedBroadcast], standings: Mapping[bytes, CampaignStanding]) -> list[CountedBroadcast]:
    """Return broadcasts as they are told, each with what became of it."""
    return [
        CountedBroadcast(**msgspec.structs.asdict(answer_of(one)), counts=_counts(standings.get(one.id)))
        for one in asked
    ]


def _counts(standing: CampaignStanding | None) -> BroadcastCounts:
    if standing is None:
        return BroadcastCounts()
    told = answer_of_campaign(standing)
    names = [name for name in BroadcastCounts.__struct_fields__ if name != "decided"]
    return BroadcastCounts(decided=told.entered, **{name: getattr(told, name) for name in names})


BROADCASTS = Operation(
    path="/api/broadcasts",
    needs=Permission("read", "broadcasts"),
    name="broadcasts",
    summary="What was broadcast, what waits for approval, and what became of each",
    asked=BroadcastsAsked,
    answers=BroadcastsAnswer,
    run=_broadcasts,
    shows=None,
)

BROADCAST = Action(
    path="/api/broadcasts",
    needs=Permission("send", "broadcasts"),
    name="broadcast",
    summary="Broadcast a campaign to everybody in its audience",
    wish=BroadcastWish,
    answers=BroadcastAnswer,
    run=_broadcast,
    does=lambda wish: Deed("broadcast.asked", about=named(wish.campaign)),
    refusals={
        HTTPStatus.NOT_FOUND: "no campaign that is broadcast is called so",
        HTTPStatus.CONFLICT: "the key came with another campaign, or there are many more people now than were approved",
    },
)

APPROVE = Action(
    path="/api/approvals",
    needs=Permission("approve", "broadcasts"),
    name="approve",
    summary="Approve a broadcast to many people, and begin it",
    wish=ApprovalWish,
    answers=BroadcastAnswer,
    run=_approve,
    does=lambda wish: Deed("broadcast.approved", about=named(wish.broadcast)),
    refusals={
        HTTPStatus.NOT_FOUND: "no broadcast has this id",
        HTTPStatus.CONFLICT: "it was asked for more than 24 hours ago, or its audience grew meanwhile",
    },
)
