"""One campaign: its funnel with every loss named, who is held out, its latest deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Literal, TypeAlias

import msgspec
from markupsafe import Markup

from livepost.audit.deed import Deed, named, people_of
from livepost.console.campaigns import HELD_OUT, in_words, steps_of
from livepost.console.house import House
from livepost.console.live import SELDOM_S
from livepost.console.page import Form, Page
from livepost.console.picture.bar import Part, bar
from livepost.console.picture.funnel import Step, funnel
from livepost.console.rule import rules
from livepost.console.segment import NAME_MAX
from livepost.console.state import COLOURS, state_colour, state_word
from livepost.errors import RejectedError
from livepost.govern.access.permission import Permission
from livepost.ledger.base import ALL_MARKETING, COMPLAINTS, MAX_LISTED, AskedBroadcast, Delivery, Kill
from livepost.model.compiled import CampaignSpec
from livepost.model.decision import reason_words
from livepost.model.standing import CampaignStanding
from livepost.ops.lift import sentences
from livepost.project.money import Money

Stopped: TypeAlias = Literal["", "own", "all", "complaints"]

SWITCHES: tuple[tuple[str, Stopped], ...] = ((ALL_MARKETING, "all"), (COMPLAINTS, "complaints"))
"""What stops all marketing, and how it is called here."""

SHOWN = 50
"""Deliveries listed unless more are asked for."""

BROADCASTS_SHOWN = 10
"""Broadcasts listed."""

CONSOLE = "console"
"""Who asks for a broadcast, or approves one, on this page: sessions have no names yet."""


NOBODY = CampaignStanding(
    campaign="", declared=True, entered=0, waiting=0, by_state={}, by_reason={}, sent=0, clicked=0, held_out=0
)
"""The standing of a broadcast of which nothing was decided yet."""


class CampaignAsked(msgspec.Struct, frozen=True, kw_only=True):
    """`state` is that of the deliveries listed, "" for all; `limit` how many.

    `broadcast` asks once more before one begins.
    """

    name: Annotated[str, msgspec.Meta(max_length=NAME_MAX)]
    state: Literal["", "pending", "claimed", "in_flight", "sent", "failed", "unknown", "skipped", "held"] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_LISTED)] = SHOWN
    broadcast: Literal["", "ask"] = ""


class CampaignTold(msgspec.Struct, frozen=True):
    """The forms of the campaign's switch and of its broadcasts; `id` (hex) is of the one to approve, or of the one that
    was the newest when the form was shown: two who send the same form broadcast once.
    """

    act: Literal["stop", "go", "broadcast", "approve"]
    id: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{32})?$")] = ""


class BroadcastLine(msgspec.Struct, frozen=True, kw_only=True):
    """A broadcast: its id (hex), when it was asked for or has begun (UTC ms), to how many people, who asked for it and
    who approved it; whether it `waits` for approval, or has `lapsed` without one. `orders` and `amounts` are what its
    mails earned, `steps` what became of everybody it asked, with their pictures; none before anybody was.
    """

    id: str
    at: int
    people: int
    asked_by: str
    approved_by: str
    waits: bool
    lapsed: bool
    orders: int
    amounts: list[str]
    sent: int
    clicked: int
    steps: list[Step]
    pictures: list[Markup]


class BroadcastsView(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows of a campaign that is broadcast: to whom it would go now, and what went."""

    audience: str
    people: int
    newest: str
    lines: list[BroadcastLine]


class DeliveryLine(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery: its decision (hex), when it changed last (UTC ms), whose it is, its state with the class of its
    colour, why.
    """

    id: str
    at: int
    person: str
    state: str
    colour: str
    reason: str
    cause: str


class CampaignView(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows.

    stopped   whether its own switch stops its mails, or that of all marketing, "" for none; `since` when (UTC ms)
    earned    orders that its mails led to, `amounts` what they come to, in words
    machines  mails that machines opened or clicked
    holdout   decisions treated and held out, with their picture; nothing where nobody is to be held out
    compared  what both bought, in words
    states    (state, word, how many) of the deliveries there are
    more      how many deliveries may be asked for next, 0 if there are no more
    """

    name: str
    declared: bool
    stopped: Stopped
    since: int
    entered: int
    rules: list[str]
    steps: list[Step]
    pictures: list[Markup]
    holdout: list[Part]
    holdout_bar: Markup
    compared: list[str]
    earned: int
    amounts: list[str]
    machines: list[Part]
    states: list[tuple[str, str, int]]
    deliveries: list[DeliveryLine]
    more: int
    broadcasts: BroadcastsView | None


def _campaign(house: House, asked: CampaignAsked) -> CampaignView:
    standings = {one.campaign: one for one in house.campaigns()}
    if asked.name not in standings:
        known = ", ".join(standings) or "none"
        raise RejectedError(
            f"expected a campaign of this project ({known}), got {asked.name}; was it renamed?",
            code="no_campaign",
            status=HTTPStatus.NOT_FOUND,
        )
    standing = standings[asked.name]
    spec = next((one for one in house.project().campaigns if one.name == asked.name), None)
    found = house.deliveries(None, asked.name, asked.state or None, asked.limit)
    stopped, since = _stopped(house.kills(), asked.name, spec)
    steps, holdout = steps_of(standing), _holdout(standing, spec)
    return CampaignView(
        name=asked.name,
        declared=standing.declared,
        stopped=stopped,
        since=since,
        entered=standing.entered,
        rules=rules(spec) if spec is not None else [],
        steps=steps,
        pictures=funnel(steps, in_words(asked.name, steps)),
        holdout=holdout,
        holdout_bar=bar(holdout, ", ".join(f"{one.count:,} {one.name}" for one in holdout)),
        compared=_compared(house, standing),
        earned=standing.orders,
        amounts=_in_money(standing.amounts),
        machines=_machines(standing),
        states=[
            (state, state_word(state), standing.by_state[state]) for state in COLOURS if state in standing.by_state
        ],
        deliveries=[_line(one) for one in found],
        more=min(asked.limit * 4, MAX_LISTED) if len(found) == asked.limit < MAX_LISTED else 0,
        broadcasts=_broadcasts(house, spec),
    )


def _act(house: House, asked: CampaignAsked, told: CampaignTold) -> CampaignView:
    _campaign(house, asked)  # refuses a campaign that there is not
    match told.act:
        case "broadcast":
            house.broadcast(asked.name, f"console {asked.name} after {told.id}", CONSOLE)
        case "approve":
            house.approve(bytes.fromhex(told.id), CONSOLE)
        case _:
            house.kill(asked.name, on=told.act == "stop")
    return _campaign(house, asked)


def _broadcasts(house: House, spec: CampaignSpec | None) -> BroadcastsView | None:
    if spec is None or not spec.broadcast or spec.audience is None:
        return None
    found = [one for one in house.broadcasts(MAX_LISTED) if one.campaign == spec.name]
    standings = house.broadcast_standings() if found else {}
    return BroadcastsView(
        audience=spec.audience,
        people=next((one.people for one in house.segments() if one.segment == spec.audience), 0),
        newest=found[0].id.hex() if found else "",
        lines=[_broadcast_line(one, standings.get(one.id, NOBODY)) for one in found[:BROADCASTS_SHOWN]],
    )


def _broadcast_line(one: AskedBroadcast, standing: CampaignStanding) -> BroadcastLine:
    steps = steps_of(standing) if standing.entered else []
    return BroadcastLine(
        id=one.id.hex(),
        at=one.begun_at or one.asked_at,
        people=one.people,
        asked_by=one.asked_by,
        approved_by=one.approved_by,
        waits=one.waits,
        lapsed=one.lapsed,
        orders=standing.orders,
        amounts=_in_money(standing.amounts),
        sent=standing.sent,
        clicked=standing.clicked,
        steps=steps,
        pictures=funnel(steps, in_words(f"{one.campaign} to {one.people:,} people", steps)) if steps else [],
    )


def _stopped(kills: list[Kill], campaign: str, spec: CampaignSpec | None) -> tuple[Stopped, int]:
    """Return what stops a campaign's mails, and since when (UTC ms)."""
    since = {one.campaign: one.at for one in kills}
    if campaign in since:
        return "own", since[campaign]
    for name, what in SWITCHES:
        if spec is not None and spec.class_ == "marketing" and name in since:
            return what, since[name]
    return "", 0


def _compared(house: House, standing: CampaignStanding) -> list[str]:
    comparison = house.comparison(standing.campaign) if standing.held_out else None
    return [] if comparison is None else sentences(comparison)


def _in_money(amounts: Mapping[str, int]) -> list[str]:
    """Return amounts in minor units as people read them."""
    return [str(Money.of_minor(amount, currency)) for currency, amount in amounts.items()]


def _machines(standing: CampaignStanding) -> list[Part]:
    told = [("opened by machines", standing.machine_opened), ("clicked by machines", standing.machine_clicked)]
    return [Part(name, count, "soft") for name, count in told if count]


def _holdout(standing: CampaignStanding, spec: CampaignSpec | None) -> list[Part]:
    """Return those left out beside all others who were decided on; nothing where nobody is to be left out."""
    if not standing.held_out and not (spec is not None and spec.holdout):
        return []
    decided = sum(standing.by_state.values())
    return [Part("treated", decided - standing.held_out, "sky"), Part(HELD_OUT, standing.held_out, "soft")]


def _line(one: Delivery) -> DeliveryLine:
    return DeliveryLine(
        id=one.decision.id.hex(),
        at=one.changed_at,
        person=one.person.hex(),
        state=state_word(one.state),
        colour=state_colour(one.state),
        reason=reason_words(one.reason, one.detail),
        cause=one.decision.cause_text,
    )


_DEEDS = {
    "stop": "campaign.stopped",
    "go": "campaign.resumed",
    "broadcast": "broadcast.asked",
    "approve": "broadcast.approved",
}


def _deed(asked: CampaignAsked, told: CampaignTold) -> Deed:
    return Deed(_DEEDS[told.act], about=told.id if told.act == "approve" else named(asked.name))


CAMPAIGN = Page(
    path="/campaigns/{name}",
    needs=Permission("read", "campaigns"),
    name="campaign",
    title="Campaign",
    asked=CampaignAsked,
    show=_campaign,
    sees=lambda asked, view: Deed("mails.read", people_of(one.person for one in view.deliveries), named(asked.name)),
    rail="campaigns",
    every_s=SELDOM_S,
    form=Form(
        told=CampaignTold,
        needs={
            "stop": Permission("stop", "campaigns"),
            "go": Permission("send", "campaigns"),
            "broadcast": Permission("send", "broadcasts"),
            "approve": Permission("approve", "broadcasts"),
        },
        does=_deed,
        take=_act,
    ),
)
