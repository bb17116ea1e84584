"""What a house tells a monitor: where events end, how fast, where mails are, how senders and those told stand.

In: what stores and processes tell. Out: metric families. Promised: no label is personal: campaigns, states, reasons,
senders, targets; counters only grow while the data folder lives.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from livepost.announce.book import Standing as TargetStanding
from livepost.ledger.base import OutcomeTally, SenderStanding, Tally
from livepost.ledger.moves import STATES
from livepost.model.told import CourierStatus, Status
from livepost.observe.exposition import Family, Sample, histogram
from livepost.ops.webhooks import WebhookStanding
from livepost.sync.book import Standing as DestinationStanding
from livepost.sync.book import Tally as DestinationTally

BREAKERS = ("closed", "half-open", "open")


class Destination(msgspec.Struct, frozen=True):
    """An audience's destination by name; its standing is None before its first round."""

    name: str
    standing: DestinationStanding | None
    tally: DestinationTally


def engine_metrics(status: Status | None, *, log: int, ledger: int) -> list[Family]:
    """Return what the engine tells; `log` is the last position written, `ledger` how far it took decisions over. None:
    the engine does not answer.
    """
    up = _gauge("livepost_engine_up", "Whether the engine answers.", float(status is not None))
    if status is None:
        return [up]
    ends = [Sample(count, {"end": end}) for end, count in status.counts.items()]
    return [
        up,
        Family(name="livepost_events_total", kind="counter", help="Events by where they ended.", samples=ends),
        _gauge("livepost_engine_lag_records", "Records in the log that are not folded.", log - status.position),
        _gauge(
            "livepost_outbox_lag_positions",
            "Positions served whose decisions the ledger has not taken over.",
            max(0, status.complete_to - ledger),
        ),
        _gauge("livepost_people", "People known.", status.people),
        _counter("livepost_transitions_total", "Times that somebody entered or left a segment.", status.transitions),
        histogram("livepost_freshness_seconds", "From the log's commit to the state's.", status.freshness),
    ]


def mail_metrics(tallies: Iterable[Tally], outcomes: Iterable[OutcomeTally], couriers: CourierStatus) -> list[Family]:
    """Return where mails are, and what is known of them; every state is told, with 0 where there is none."""
    states: Counter[str] = Counter()
    skipped: list[Sample] = []
    for one in tallies:
        states[one.state] += one.count
        if one.state == "skipped":
            skipped.append(Sample(one.count, {"campaign": one.campaign, "reason": one.reason}))
    known = [Sample(one.count, {"campaign": one.campaign, "outcome": one.outcome}) for one in outcomes]
    return [
        Family(
            name="livepost_mails",
            kind="gauge",
            help="Decisions in the ledger by state.",
            samples=[Sample(states[state], {"state": state}) for state in STATES],
        ),
        Family(name="livepost_skipped_total", kind="counter", help="Decisions skipped, by reason.", samples=skipped),
        Family(name="livepost_outcomes_total", kind="counter", help="Mails of which it is known.", samples=known),
        histogram(
            "livepost_event_to_mail_seconds", "From the log's commit to the sender's answer.", couriers.event_to_mail
        ),
        histogram("livepost_claim_to_sent_seconds", "From the claim to the sender's answer.", couriers.claim_to_sent),
    ]


def sender_metrics(senders: Iterable[SenderStanding]) -> list[Family]:
    """Return how senders stand: of each breaker the state that it is in is 1, the others are 0."""
    told = list(senders)

    def of(name: str) -> list[Sample]:
        return [Sample(getattr(one, name), {"sender": one.name}) for one in told]

    states = [
        Sample(float(one.breaker == state), {"sender": one.name, "state": state}) for one in told for state in BREAKERS
    ]
    mails = [
        Sample(one.by_state.get(state, 0), {"sender": one.name, "state": state}) for one in told for state in STATES
    ]
    return [
        Family(name="livepost_sender_answered_total", kind="counter", help="Mails answered.", samples=of("answered")),
        Family(
            name="livepost_sender_troubled_total",
            kind="counter",
            help="Mails that failed for a reason of the sender's own.",
            samples=of("troubled"),
        ),
        Family(name="livepost_sender_mails", kind="gauge", help="Mails that it was given, by state.", samples=mails),
        Family(name="livepost_sender_breaker", kind="gauge", help="The state of its breaker is 1.", samples=states),
    ]


def webhook_metrics(targets: Iterable[WebhookStanding]) -> list[Family]:
    """Return how webhooks stand."""
    told = [(one, one.standing or TargetStanding(one.name, "")) for one in targets]

    def family(name: str, kind: str, help: str, values: Iterable[float]) -> Family:
        labelled = zip(told, values, strict=True)
        samples = [Sample(value, {"target": one.name}) for (one, _), value in labelled]
        return Family(name=name, kind="counter" if kind == "counter" else "gauge", help=help, samples=samples)

    return [
        family("livepost_webhook_delivered_total", "counter", "Messages taken.", [s.delivered for _, s in told]),
        family("livepost_webhook_tries", "gauge", "Tries in vain of the next message.", [s.sent for _, s in told]),
        family("livepost_webhook_dead_letters", "gauge", "Dead letters that wait.", [one.dead for one, _ in told]),
        family("livepost_webhook_disabled", "gauge", "Told nothing more.", [float(bool(s.disabled)) for _, s in told]),
    ]


def audience_metrics(destinations: Iterable[Destination]) -> list[Family]:
    """Return how audiences stand."""
    told = list(destinations)
    known = [one for one in told if one.standing is not None]
    people = [
        Sample(getattr(one.tally, what), {"destination": one.name, "part": what})
        for one in told
        for what in ("people", "due", "jobs", "dead")
    ]
    changes = [Sample(one.standing.changes, {"destination": one.name}) for one in known if one.standing]
    held = [Sample(float(bool(one.standing.held)), {"destination": one.name}) for one in known if one.standing]
    return [
        Family(name="livepost_audience", kind="gauge", help="People, changes due, jobs, dead letters.", samples=people),
        Family(name="livepost_audience_changes_total", kind="counter", help="Changes taken.", samples=changes),
        Family(name="livepost_audience_held", kind="gauge", help="Nothing is sent until let.", samples=held),
    ]


def request_metrics(standing: Mapping[str, int]) -> list[Family]:
    """Return how many rights requests are open, and of these due within a week, and overdue; none where unknown."""
    samples = [Sample(count, {"state": state}) for state, count in standing.items()]
    if not samples:
        return []
    told = "Rights requests that wait for an answer; of these due within a week, and overdue."
    return [Family(name="livepost_rights_requests", kind="gauge", help=told, samples=samples)]


def _gauge(name: str, help: str, value: float) -> Family:
    return Family(name=name, kind="gauge", help=help, samples=[Sample(value)])


def _counter(name: str, help: str, value: float) -> Family:
    return Family(name=name, kind="counter", help=help, samples=[Sample(value)])
