from __future__ import annotations

from typing import Any

from livepost.clock import WallClock
from livepost.ledger.base import SenderStanding
from tests.unit.console.told import START, Browser, ToldHouse


def standing(**also: Any) -> SenderStanding:
    told: dict[str, Any] = {
        "name": "own",
        "breaker": "closed",
        "open_until": 0,
        "answered": 1_204,
        "troubled": 0,
        "trouble": "",
        "trouble_at": 0,
        "slots": None,
        "quota": None,
        "today": 0,
        "in_flight": 0,
        "unknown": 0,
    }
    return SenderStanding(**{**told, **also})


def shown(*senders: SenderStanding) -> str:
    return Browser(ToldHouse(senders=list(senders))).get("/providers").text


def test_a_sender_that_is_well_says_so() -> None:
    text = shown(standing())
    assert '<span class="good">closed</span>' in text
    assert "1,204" in text
    assert "no bound" in text


def test_one_that_is_not_says_since_when_and_why_and_what_nobody_knows_of() -> None:
    until = WallClock().now_ms() + 3_600_000
    sick = standing(breaker="open", open_until=until, trouble="<no answer>", trouble_at=START, unknown=8, troubled=9)
    text = shown(sick, standing(name="spare", breaker="half-open", slots=7, quota=50, today=12))
    assert '<span class="bad">open</span> for' in text
    assert "own failed last 2026-01-05" in text
    assert "&lt;no answer&gt;" in text
    assert '<span class="warn">one mail tries</span>' in text
    assert "12 of 50" in text
