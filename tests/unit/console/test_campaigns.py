"""The page of campaigns."""

from __future__ import annotations

from typing import Any

import msgspec

from livepost.console.campaigns import steps_of
from livepost.model.compiled import Compiled
from livepost.model.decision import REASONS
from livepost.model.feedback import ComplaintRate
from tests.unit.console.shop import REMINDER, SHOP
from tests.unit.console.told import Browser, ToldHouse


def _page(**answers: Any) -> str:
    return (
        Browser(ToldHouse(**{"campaigns": [REMINDER], "project": SHOP, "complaints": ComplaintRate(), **answers}))
        .get("/campaigns")
        .text
    )


def test_a_row_tells_everybody_who_entered_with_the_words_of_each_loss() -> None:
    text = _page()
    for count, name in (
        ("1,000", "entered"),
        ("100", "waiting"),
        ("20", "on the way"),
        ("50", "held out"),
        ("150", "the cap is reached"),
        ("50", "no consent for this purpose"),
        ("10", "unknown whether it was sent"),
        ("20", "failed"),
        ("600", "sent"),
        ("120", "clicked"),
    ):
        assert f'data-key="reminder-{name}">{count}</strong> {name}' in text, name


def test_what_is_lost_and_what_is_sent_is_all_that_entered() -> None:
    entered, *others = steps_of(REMINDER)
    assert sum(one.count for one in others if one.lost or one.name == "sent") == entered.count
    more = msgspec.structs.replace(REMINDER, waiting=REMINDER.waiting + 1)
    assert sum(one.count for one in steps_of(more)[1:] if one.lost or one.name == "sent") != entered.count


def test_skips_stand_in_the_order_of_reasons_and_one_that_has_no_name_is_counted() -> None:
    odd = msgspec.structs.replace(
        REMINDER, by_state={"skipped": 4}, by_reason={"render": 1, "erased": 1, "holdout": 1}, held_out=1
    )
    words = dict(REASONS)
    names = [one.name for one in steps_of(odd) if one.colour == "amber"]
    assert names == [words["erased"], words["render"], "skipped for another reason"]


def test_the_rules_are_told_in_words() -> None:
    text = _page()
    for words in (
        "begins when a person enters browsing",
        "waits 2 h",
        "ends without a mail by Order Completed or leaving browsing",
        "at most 2 mails in 7 d a person",
        "5 % are held out",
        "marketing: needs consent for marketing",
    ):
        assert words in text, words


def test_a_campaign_that_only_the_ledger_remembers_says_so() -> None:
    text = _page(campaigns=[msgspec.structs.replace(REMINDER, campaign="old_news", declared=False)])
    assert "not in the project any more" in text
    assert "not in the project any more" not in _page()


def test_a_campaign_that_nobody_entered_has_no_funnel() -> None:
    quiet = msgspec.structs.replace(
        REMINDER, entered=0, waiting=0, by_state={}, by_reason={}, sent=0, clicked=0, held_out=0
    )
    text = _page(campaigns=[quiet])
    assert "Nobody has entered yet" in text
    assert '<svg class="picture' not in text


def test_a_project_without_campaigns_says_what_writes_one() -> None:
    assert "livepost init" in _page(campaigns=[], project=Compiled())


def test_complaints_are_told_once_there_are_mails_and_what_follows_of_them() -> None:
    assert "complaints" not in _page()
    told = [
        (
            ComplaintRate(sent=20_000, complained=3),
            "soft",
            "3 complaints about 20,000 marketing mails in 7 days (0.015 %)",
        ),
        (ComplaintRate(sent=20_000, complained=17, level="warn"), "warn", "from 0.1 % on marketing is paused"),
        (ComplaintRate(sent=20_000, complained=20, level="pause", paused_at=1), "warn", "marketing is paused until"),
        (ComplaintRate(sent=20_000, complained=17, level="warn", paused_at=1), "warn", "marketing is paused until"),
        (
            ComplaintRate(sent=20_000, complained=60, level="stop", paused_at=1),
            "warn",
            "all marketing is stopped until",
        ),
    ]
    for rate, colour, words in told:
        text = _page(complaints=rate)
        assert f'<p class="{colour}" data-key="complaints">' in text and words in text


def test_mails_that_are_asked_for_one_by_one_are_not_called_a_campaign_that_is_gone() -> None:
    asked_for = msgspec.structs.replace(REMINDER, campaign="$test", declared=False)
    text = _page(campaigns=[asked_for])
    assert "asked for one by one" in text and "not in the project any more" not in text
