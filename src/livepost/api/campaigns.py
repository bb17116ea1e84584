"""Campaigns over HTTP: what became of everybody who entered, and what mails earned.

In: nothing, or a campaign. Out: its standing. Promised: nothing is changed.
"""

from __future__ import annotations

from http import HTTPStatus

import msgspec

from livepost.api.house import House
from livepost.api.operation import Operation
from livepost.api.people import Name
from livepost.errors import RejectedError
from livepost.govern.access.permission import Permission
from livepost.model.earning import Earned
from livepost.model.standing import CampaignStanding
from livepost.ops.lift import Comparison


class CampaignsAsked(msgspec.Struct, frozen=True):
    """Nothing."""


class CampaignAsked(msgspec.Struct, frozen=True, kw_only=True):
    """The campaign's name."""

    name: Name


class EarnedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What last clicks on a campaign's mails earned in one currency ("": orders without an amount).

    `broadcast` is the id (hex) of the one that the mails were of, null for other mails; `amount` in minor units.
    """

    broadcast: str | None
    currency: str
    orders: int
    mails: int
    amount: int


class CampaignAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign: who entered, decisions by state and by reason, and what is known of its mails.

    `opened` and `clicked` are mails that people opened or clicked, as far as one can tell; those of machines are apart.
    """

    campaign: str
    declared: bool
    entered: int
    waiting: int
    by_state: dict[str, int]
    by_reason: dict[str, int]
    held_out: int
    sent: int
    delivered: int
    opened: int
    clicked: int
    ordered: int
    machine_opened: int
    machine_clicked: int
    earned: list[EarnedAnswer]


class CampaignsAnswer(msgspec.Struct, frozen=True):
    """Campaigns in the project's order, then those that only the ledger remembers."""

    campaigns: list[CampaignAnswer]


class MeasuredAnswer(msgspec.Struct, frozen=True):
    """A campaign, and what its treated people bought beside those held out; null where nobody is."""

    campaign: CampaignAnswer
    comparison: Comparison | None


def answer_of(one: CampaignStanding) -> CampaignAnswer:
    """Return a campaign's standing as it is told."""
    same = (name for name in CampaignAnswer.__struct_fields__ if name != "earned")
    return CampaignAnswer(**{name: getattr(one, name) for name in same}, earned=[_earned(of) for of in one.earned])


def measured(house: House, name: str) -> MeasuredAnswer:
    """Return what is known of a campaign; raise RejectedError (404) if nobody knows it."""
    found = {one.campaign: one for one in house.campaigns()}
    if name not in found:
        raise RejectedError(
            f"expected a campaign of this project ({', '.join(found) or 'none'}), got another name; was it renamed?",
            code="no_campaign",
            status=HTTPStatus.NOT_FOUND,
        )
    return MeasuredAnswer(answer_of(found[name]), house.comparison(name) if found[name].held_out else None)


def _earned(one: Earned) -> EarnedAnswer:
    return EarnedAnswer(
        broadcast=one.broadcast.hex() or None,
        currency=one.currency,
        orders=one.orders,
        mails=one.mails,
        amount=one.amount,
    )


def _campaigns(house: House, asked: CampaignsAsked) -> CampaignsAnswer:
    return CampaignsAnswer([answer_of(one) for one in house.campaigns()])


def _campaign(house: House, asked: CampaignAsked) -> MeasuredAnswer:
    return measured(house, asked.name)


CAMPAIGNS = Operation(
    path="/api/campaigns",
    needs=Permission("read", "campaigns"),
    name="campaigns",
    summary="What became of everybody who entered each campaign, and what its mails earned",
    asked=CampaignsAsked,
    answers=CampaignsAnswer,
    run=_campaigns,
    shows=None,
)
CAMPAIGN = Operation(
    path="/api/campaigns/{name}",
    needs=Permission("read", "campaigns"),
    name="campaign",
    summary="One campaign, with its treated people beside those held out",
    asked=CampaignAsked,
    answers=MeasuredAnswer,
    run=_campaign,
    shows=None,
    refusals={HTTPStatus.NOT_FOUND: "no campaign is called so"},
)
