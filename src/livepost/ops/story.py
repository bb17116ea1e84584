"""What happened to one person, from the log, the engine and the ledger, each thing once.

In: what the stores know of the person. Out: a story. Promised: the log is searched no further than the bounds say,
and the story says how far that was; a mail's sending, which the log has as an event too, is told as the ledger's
move; a click is told as the log has it, or as the ledger has it where the log was not searched so far.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from livepost.ledger.base import Delivery, Move, Outcome
from livepost.measure.click import CLICKED
from livepost.measure.feedback import NAMES, RECORDED
from livepost.measure.outcome import SOURCE
from livepost.measure.send import SENT
from livepost.model.decision import Transition
from livepost.model.record import Origin, Record, Verdict
from livepost.model.story import (
    DecisionTaken,
    DeliveryMoved,
    EventHappened,
    Happening,
    OutcomeNoted,
    PersonStory,
    SegmentCrossed,
)
from livepost.ops.evidence import Evidence
from livepost.ops.search import Searched

ORIGINS: dict[int, Literal["live", "import", "backfill"]] = {
    Origin.LIVE: "live",
    Origin.IMPORT: "import",
    Origin.BACKFILL: "backfill",
}
VERDICTS: dict[int, Literal["accepted", "filtered", "quarantined", "dead"]] = {
    Verdict.ACCEPTED: "accepted",
    Verdict.FILTERED: "filtered",
    Verdict.QUARANTINED: "quarantined",
    Verdict.DEAD: "dead",
}
Placed = tuple[tuple[int, int, int], Happening]
"""Something that happened, behind what orders it: its time, a log position, and what comes of it at the same one."""


def story_of(
    evidence: Evidence, outcomes: Mapping[bytes, list[Outcome]], searched: Searched, limit: int
) -> PersonStory:
    """Return what happened to a person, the newest first, at most `limit` things; `outcomes` are by decision id."""
    campaigns = {one.decision.id.hex(): one.decision.campaign for one in evidence.deliveries}
    sent = {id.hex() for id, moves in evidence.history.items() if any(move.after == "sent" for move in moves)}
    events = [one for one in _once(searched.events) if not (_is(one, SENT) and one.properties.get("decision") in sent)]
    placed = [
        *(_recorded(one, campaigns) for one in events),
        *map(_crossed, evidence.transitions),
        *(placed for one in evidence.deliveries for placed in _delivered(one, evidence.history[one.decision.id])),
        *_noted(outcomes, campaigns, events),
    ]
    placed.sort(key=lambda one: one[0], reverse=True)
    return PersonStory(
        entries=[happening for _, happening in placed[:limit]],
        looked_back_to=searched.oldest.stamp,
        complete=searched.whole and len(placed) <= limit,
    )


def _once(events: Iterable[Record]) -> list[Record]:
    """Return the events without those that came again: of a key's message only the first one counts."""
    return list({(one.source, one.message_id, one.content_hash): one for one in events}.values())


def _is(event: Record, name: str) -> bool:
    return event.name == name and event.source == SOURCE


def _recorded(event: Record, campaigns: Mapping[str, str]) -> Placed:
    key = (event.stamp, event.seq, 0)
    if _is(event, CLICKED):
        decision = str(event.properties.get("decision", ""))
        return key, OutcomeNoted(
            at=event.stamp,
            position=event.seq,
            decision=decision,
            campaign=campaigns.get(decision, ""),
            name=event.name,
            properties=event.properties,
        )
    return key, EventHappened(
        at=event.stamp,
        position=event.seq,
        name=event.name,
        effective_ts=event.effective_ts,
        origin=ORIGINS[event.origin],
        source=event.source,
        verdict=VERDICTS[event.verdict],
        reason=event.reason,
        properties=event.properties,
        sealed=tuple(sorted(event.sealed)),
        consents=event.context.get("consent") or {},
    )


def _crossed(one: Transition) -> Placed:
    return (one.at, one.position, 1), SegmentCrossed(
        at=one.at,
        position=one.position,
        segment=one.segment,
        entered=one.entered,
        number=one.number,
        origin=ORIGINS[one.origin],
    )


def _delivered(one: Delivery, moves: Iterable[Move]) -> Iterator[Placed]:
    """Give a decision, and each move of its delivery that says more: not that it was written down or skipped at once.

    The ledger's clock is another process's: no move is told to be before its decision.
    """
    decision = one.decision
    yield (
        (decision.at, decision.position, 2),
        DecisionTaken(
            at=decision.at,
            position=decision.position,
            decision=decision.id.hex(),
            campaign=decision.campaign,
            cause=decision.cause_text,
            skip=decision.skip,
            detail=decision.detail,
        ),
    )
    for order, move in enumerate(moves):
        if move.before and not decision.skip:
            at = max(move.at, decision.at)
            yield (
                (at, decision.position, 3 + order),
                DeliveryMoved(
                    at=at,
                    decision=decision.id.hex(),
                    campaign=decision.campaign,
                    before=move.before,
                    after=move.after,
                    reason=move.reason,
                    detail=move.detail,
                ),
            )


def _noted(
    outcomes: Mapping[bytes, list[Outcome]], campaigns: Mapping[str, str], events: Iterable[Record]
) -> Iterator[Placed]:
    """Give the ledger's outcomes of which no event was found."""
    found = {(event.name, event.properties.get("decision")) for event in events}
    for one in (outcome for some in outcomes.values() for outcome in some):
        name, decision = NAMES[one.outcome], one.decision.hex()
        if (RECORDED.get(one.outcome, name), decision) not in found:
            yield (
                (one.at, 0, 0),
                OutcomeNoted(
                    at=one.at, position=None, decision=decision, campaign=campaigns[decision], name=name, properties={}
                ),
            )
