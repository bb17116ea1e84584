"""What a monitor is told."""

from __future__ import annotations

from livepost.announce.book import Standing as TargetStanding
from livepost.ledger.base import OutcomeTally, SenderStanding, Tally
from livepost.model.lateness import Lateness
from livepost.model.told import CourierStatus, Status
from livepost.observe.exposition import Family, exposition
from livepost.observe.latencies import Latencies
from livepost.ops.metrics import (
    Destination,
    audience_metrics,
    engine_metrics,
    mail_metrics,
    sender_metrics,
    webhook_metrics,
)
from livepost.ops.webhooks import WebhookStanding
from livepost.sync.book import Standing as DestinationStanding
from livepost.sync.book import Tally as DestinationTally

SENDER = SenderStanding(
    name="main",
    breaker="open",
    open_until=5,
    answered=100,
    troubled=7,
    trouble="421",
    trouble_at=4,
    slots=None,
    quota=None,
    today=0,
    in_flight=3,
    unknown=2,
    by_state={"in_flight": 3, "unknown": 2, "sent": 95},
)


def told(families: list[Family]) -> set[str]:
    """Return the lines that have values."""
    return {line for line in exposition(families).splitlines() if not line.startswith("#")}


def latencies(*ms: float) -> dict[int, int]:
    seen = Latencies()
    for one in ms:
        seen.add(one)
    return seen.counts


def test_the_engine_tells_where_events_ended_and_how_far_others_are_behind_it() -> None:
    status = Status(
        position=90,
        as_of=1,
        complete_to=88,
        next_due=None,
        people=12,
        transitions=30,
        program="p",
        counts={"processed": 80, "duplicate": 4},
        lateness=Lateness(),
        freshness=latencies(3, 40),
    )
    lines = told(engine_metrics(status, log=100, ledger=80))
    assert {
        "livepost_engine_up 1",
        'livepost_events_total{end="processed"} 80',
        'livepost_events_total{end="duplicate"} 4',
        "livepost_engine_lag_records 10",
        "livepost_outbox_lag_positions 8",
        "livepost_people 12",
        "livepost_transitions_total 30",
        'livepost_freshness_seconds_bucket{le="0.005"} 1',
        "livepost_freshness_seconds_count 2",
    } <= lines


def test_an_engine_that_does_not_answer_is_down_and_nothing_is_made_up() -> None:
    assert told(engine_metrics(None, log=-1, ledger=-1)) == {"livepost_engine_up 0"}


def test_mails_are_told_by_state_with_those_where_there_are_none_and_by_reason() -> None:
    tallies = [
        Tally(campaign="a", state="sent", reason="", count=5),
        Tally(campaign="b", state="sent", reason="", count=2),
        Tally(campaign="b", state="skipped", reason="cap", count=3),
    ]
    lines = told(
        mail_metrics(
            tallies,
            [OutcomeTally(campaign="a", outcome="clicked", count=1)],
            CourierStatus(latencies(700), latencies(3)),
        )
    )
    assert {
        'livepost_mails{state="sent"} 7',
        'livepost_mails{state="unknown"} 0',
        'livepost_skipped_total{campaign="b",reason="cap"} 3',
        'livepost_outcomes_total{campaign="a",outcome="clicked"} 1',
        'livepost_event_to_mail_seconds_bucket{le="0.5"} 0',
        'livepost_event_to_mail_seconds_bucket{le="1"} 1',
        'livepost_claim_to_sent_seconds_bucket{le="0.0025"} 0',
        'livepost_claim_to_sent_seconds_bucket{le="0.005"} 1',
    } <= lines


def test_of_a_breaker_the_state_that_it_is_in_is_one() -> None:
    lines = told(sender_metrics([SENDER]))
    assert {
        'livepost_sender_answered_total{sender="main"} 100',
        'livepost_sender_troubled_total{sender="main"} 7',
        'livepost_sender_mails{sender="main",state="unknown"} 2',
        'livepost_sender_mails{sender="main",state="sent"} 95',
        'livepost_sender_mails{sender="main",state="failed"} 0',
        'livepost_sender_breaker{sender="main",state="open"} 1',
        'livepost_sender_breaker{sender="main",state="closed"} 0',
    } <= lines


def test_webhooks_and_audiences_are_told_before_their_first_message_too() -> None:
    standing = TargetStanding("shop", "c", sent=2, disabled="410", delivered=9)
    lines = told(
        webhook_metrics(
            [
                WebhookStanding(name="shop", target="", events=(), standing=standing, dead=4),
                WebhookStanding(name="new", target="", events=()),
            ]
        )
    )
    assert {
        'livepost_webhook_delivered_total{target="shop"} 9',
        'livepost_webhook_delivered_total{target="new"} 0',
        'livepost_webhook_tries{target="shop"} 2',
        'livepost_webhook_dead_letters{target="shop"} 4',
        'livepost_webhook_disabled{target="shop"} 1',
        'livepost_webhook_disabled{target="new"} 0',
    } == {line for line in lines if "new" in line or "shop" in line} - {
        'livepost_webhook_tries{target="new"} 0',
        'livepost_webhook_dead_letters{target="new"} 0',
    }
    held = DestinationStanding(name="k", config="", epoch="", transition=0, permit=0, held="drift", changes=6)
    tally = DestinationTally(people=50, due=3, jobs=1, dead=2)
    assert {
        'livepost_audience{destination="k",part="due"} 3',
        'livepost_audience_changes_total{destination="k"} 6',
        'livepost_audience_held{destination="k"} 1',
    } <= told(audience_metrics([Destination("k", held, tally), Destination("n", None, tally)]))
