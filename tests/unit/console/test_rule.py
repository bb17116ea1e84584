"""A campaign's rules in words."""

from __future__ import annotations

import pytest

from livepost.console.rule import rules
from livepost.model.compiled import CampaignSpec, CapSpec, StepSpec
from livepost.model.hours import QuietHours
from tests.unit.console.shop import DAY


def test_a_campaign_on_an_event_begins_with_it_and_needs_no_consent_if_transactional() -> None:
    told = rules(CampaignSpec(name="receipt", on="Order Completed", class_="transactional", purpose="orders"))
    assert told == [
        "begins with Order Completed",
        "a mail at once",
        "transactional: needs no consent; purpose orders",
        "again as often as it begins, once at a time",
    ]


def test_hours_caps_on_all_campaigns_priority_and_later_mails_are_said() -> None:
    told = rules(
        CampaignSpec(
            name="course",
            on="Booked",
            at=9 * 60,
            quiet=QuietHours(21 * 60, 8 * 60),
            priority=2,
            overall=(CapSpec(1, DAY),),
            steps=(StepSpec(name="second", wait_ms=2 * DAY, at=18 * 60 + 5),),
        )
    )
    assert told[1:6] == [
        "waits until 09:00 where the person is",
        "then second: waits 2 d, until 18:05 where the person is",
        "not from 21:00 to 08:00 where the person is",
        "at most 1 mail of all campaigns in 1 d a person",
        "priority 2",
    ]


def test_a_condition_on_the_event_is_said_to_be_there() -> None:
    assert "begins with Order Completed, so that `where` holds" in rules(
        CampaignSpec(name="big", on="Order Completed", where={"type": "const", "value": True})
    )


def test_who_leaves_without_ending_it_is_not_said_to_end_it() -> None:
    assert not any("leaving" in one for one in rules(CampaignSpec(name="a", audience="new", exit=False)))
    assert "ends without a mail by leaving new" in rules(CampaignSpec(name="a", audience="new"))


@pytest.mark.parametrize(
    ("reentry_ms", "said"),
    [(None, "once ever for a person"), (30 * DAY, "again 30 d after the last entry at the earliest")],
)
def test_when_it_begins_again_is_said(reentry_ms: int | None, said: str) -> None:
    assert rules(CampaignSpec(name="a", audience="new", reentry_ms=reentry_ms))[-1] == said
