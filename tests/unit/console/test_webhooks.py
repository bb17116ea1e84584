"""The page of webhooks."""

from __future__ import annotations

from livepost.announce.book import Standing
from livepost.clock import WallClock
from livepost.ops.webhooks import DeadMessage, WebhookStanding
from tests.unit.console.told import START, Browser, ToldHouse

WELL = WebhookStanding(
    name="shop",
    target="https://shop.example",
    events=("receipt", "decision"),
    standing=Standing("shop", "c", delivered=1_204, delivered_at=START),
    dead=1,
    letters=(DeadMessage(number=17, kind="receipt", at=START, sent=10, error="<500>"),),
)


def shown(*webhooks: WebhookStanding) -> str:
    return Browser(ToldHouse(webhooks=list(webhooks))).get("/webhooks").text


def test_a_target_says_what_it_took_and_what_nobody_took() -> None:
    text = shown(WELL)
    assert "1,204 messages, the last 2026-01-05" in text and "receipt, decision" in text
    assert "<td>receipt</td>" in text and "&lt;500&gt;" in text
    assert "livepost webhooks replay NUMBER" in text


def test_one_that_is_tried_again_disabled_or_was_told_nothing_says_so() -> None:
    soon = WallClock().now_ms() + 3_600_000
    waits = WebhookStanding(
        name="a", target="t", events=(), standing=Standing("a", "c", sent=3, next_at=soon, error="timed out")
    )
    text = shown(waits)
    assert "tried again" in text and "sent 3 times in vain" in text and "timed out" in text
    gone = WebhookStanding(name="b", target="t", events=(), standing=Standing("b", "c", disabled="it answered 410"))
    assert "it answered 410; <code>livepost webhooks resume b</code> goes on" in shown(gone)
    assert "told nothing yet" in shown(WebhookStanding(name="c", target="t", events=()))


def test_where_nobody_is_told_anything_it_says_what_would_be_here() -> None:
    assert "<code>[[webhooks]]</code>" in shown()
