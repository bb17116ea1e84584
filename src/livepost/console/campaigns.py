"""Campaigns: a row each, with its rules and what became of everybody who entered."""

from __future__ import annotations

import msgspec
from markupsafe import Markup

from livepost.console.house import House
from livepost.console.live import SELDOM_S
from livepost.console.page import NothingAsked, Page
from livepost.console.picture.funnel import Step, small_funnel
from livepost.console.rule import rules
from livepost.govern.access.permission import Permission
from livepost.model.decision import REASONS
from livepost.model.feedback import ComplaintLevel, ComplaintRate, rate_sentence
from livepost.model.standing import CampaignStanding

ON_THE_WAY = ("pending", "claimed", "in_flight")
"""States from which a mail goes out without anybody's help."""

HOLDOUT = "holdout"
"""The reason of those who are left out to measure."""

HELD_OUT = "held out"


class CampaignLine(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign; `rules` are empty and `declared` is False if the project has it no more."""

    name: str
    declared: bool
    entered: int
    steps: list[Step]
    funnel: Markup
    rules: list[str]


class CampaignsView(msgspec.Struct, frozen=True):
    """What the page shows; `complaints` is a sentence on their rate, `level` what follows of it."""

    campaigns: list[CampaignLine]
    complaints: str = ""
    level: ComplaintLevel = ""


def steps_of(standing: CampaignStanding) -> list[Step]:
    """Return a campaign's funnel: entered, where people are or were lost, sent, seen, clicked, ordered.

    Losses that are there only, and what is known of mails.
    """
    states = standing.by_state
    lost = [
        ("waiting", standing.waiting, "soft"),
        ("on the way", sum(states.get(state, 0) for state in ON_THE_WAY), "soft"),
        (HELD_OUT, standing.held_out, "soft"),
        *((words, count, "amber") for words, count in _skipped(standing)),
        ("held since a restore", states.get("held", 0), "amber"),
        ("unknown whether it was sent", states.get("unknown", 0), "amber"),
        ("failed", states.get("failed", 0), "red"),
    ]
    return [
        Step(name="entered", count=standing.entered, colour="sky"),
        *(Step(name=name, count=count, colour=colour, lost=True) for name, count, colour in lost if count),
        Step(name="sent", count=standing.sent, colour="signal"),
        *(Step(name=name, count=count, colour="sky") for name, count in _seen(standing) if count),
        Step(name="clicked", count=standing.clicked, colour="sky"),
        Step(name="ordered", count=standing.ordered, colour="sky"),
    ]


def _seen(standing: CampaignStanding) -> list[tuple[str, int]]:
    """Return of how many mails it is known that they came, and were opened by a person: not everybody tells."""
    return [("delivered", standing.delivered), ("opened", standing.opened)]


def in_words(name: str, steps: list[Step]) -> str:
    """Return a funnel as it is said to who does not see it."""
    return f"{name}: " + ", ".join(f"{one.count:,} {one.name}" for one in steps)


def _skipped(standing: CampaignStanding) -> list[tuple[str, int]]:
    """Return skipped decisions by reason in words, in the order of REASONS; the holdout stands by itself."""
    known = [(words, standing.by_reason.get(reason, 0)) for reason, words in REASONS if reason != HOLDOUT]
    told = standing.held_out + sum(count for _, count in known)
    return [*known, ("skipped for another reason", max(0, standing.by_state.get("skipped", 0) - told))]


def _campaigns(house: House, asked: NothingAsked) -> CampaignsView:
    specs = {spec.name: spec for spec in house.project().campaigns}
    lines = []
    for one in house.campaigns():
        steps = steps_of(one)
        spec = specs.get(one.campaign)
        lines.append(
            CampaignLine(
                name=one.campaign,
                declared=one.declared,
                entered=one.entered,
                steps=steps,
                funnel=small_funnel(steps, in_words(one.campaign, steps)),
                rules=rules(spec) if spec is not None else [],
            )
        )
    rate = house.complaints()
    return CampaignsView(lines, rate_sentence(rate) if rate.sent else "", "pause" if _pauses(rate) else rate.level)


def _pauses(rate: ComplaintRate) -> bool:
    return rate.level != "stop" and rate.paused_at is not None


CAMPAIGNS = Page(
    path="/campaigns",
    needs=Permission("read", "campaigns"),
    name="campaigns",
    title="Campaigns",
    asked=NothingAsked,
    show=_campaigns,
    sees=None,
    every_s=SELDOM_S,
)
