"""The kill switch over HTTP: what is stopped, and stop a campaign's mails or all marketing, or let them go on."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from starlette.concurrency import run_in_threadpool

from livepost.api.action import Action, Done
from livepost.api.house import House
from livepost.api.operation import Operation
from livepost.api.people import Name
from livepost.audit.deed import Deed, named
from livepost.errors import RejectedError
from livepost.govern.access.permission import Permission
from livepost.ledger.base import ALL_MARKETING
from livepost.model.decision import ASKED_FOR


class KillsAsked(msgspec.Struct, frozen=True):
    """Nothing is asked but what is stopped."""


class KillAnswer(msgspec.Struct, frozen=True):
    """A campaign that is stopped, "*" for all marketing, and since when (UTC ms)."""

    campaign: str
    since: int


class KillsAnswer(msgspec.Struct, frozen=True):
    """What is stopped, by name."""

    stopped: list[KillAnswer]


class KillWish(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A campaign, or "*" for all of the class marketing, to be stopped or let go on."""

    campaign: Name
    stopped: bool


def _kills(house: House, asked: KillsAsked) -> KillsAnswer:
    return KillsAnswer([KillAnswer(one.campaign, one.at) for one in house.kills()])


async def _kill(house: House, source: str, key: str, wish: KillWish) -> Done:
    return Done(await run_in_threadpool(_switched, house, wish), True)


def _switched(house: House, wish: KillWish) -> KillsAnswer:
    known = {ALL_MARKETING, *ASKED_FOR, *(one.campaign for one in house.campaigns())}
    if wish.campaign not in known:
        raise RejectedError(
            f"expected a campaign ({', '.join(sorted(known))}), got another name; was it renamed?",
            code="no_campaign",
            status=HTTPStatus.NOT_FOUND,
        )
    house.kill(wish.campaign, on=wish.stopped)
    return _kills(house, KillsAsked())


KILLS = Operation(
    path="/api/kills",
    needs=Permission("read", "campaigns"),
    name="kills",
    summary="Which campaigns are stopped",
    asked=KillsAsked,
    answers=KillsAnswer,
    run=_kills,
    shows=None,
)

KILL = Action(
    path="/api/kills",
    needs=Permission("stop", "campaigns"),
    name="kill",
    summary="Stop a campaign's mails, or let it mail again",
    wish=KillWish,
    answers=KillsAnswer,
    run=_kill,
    does=lambda wish: Deed("campaign.stopped" if wish.stopped else "campaign.resumed", about=named(wish.campaign)),
    refusals={HTTPStatus.NOT_FOUND: "no campaign is called so"},
)
