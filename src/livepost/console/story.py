"""What happened to a person, an entry of their line of time each: a kind, a sentence, its details.

In: entries of a person's story. Out: what the page writes. Promised: a reason has the words of
`model.decision.REASONS`; what is sealed is named and not shown.
"""

from __future__ import annotations

import msgspec
from markupsafe import Markup

from livepost.clock import moment
from livepost.console.feature import SEALED, plain
from livepost.console.picture.mark import mark
from livepost.console.state import state_colour, state_word
from livepost.console.words import number, short
from livepost.model.decision import reason_words
from livepost.model.story import (
    DecisionTaken,
    DeliveryMoved,
    EventHappened,
    Happening,
    OutcomeNoted,
    SegmentCrossed,
)

KINDS = {
    "event": "event",
    "transition": "transition",
    "decision": "decision",
    "delivery": "mail",
    "outcome": "outcome",
}
"""Kinds of entries and what people call them."""

UNDECLARED = "$undeclared"
_VERDICTS = {"accepted": "", "filtered": "soft", "quarantined": "warn", "dead": "bad"}
_LATE_MS = 1_000
"""How far an event's own time may be from the log's before both are told."""

Details = list[tuple[str, str]]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry as it is shown; `about` is the segment or campaign it is about, `path` that one's page.

    `key` names it as long as it is there; `tags` are words with a class each; `mail` is the decision (hex) whose mail
    it is about, "" for none.
    """

    key: str
    kind: str
    mark: Markup
    at: int
    about: str = ""
    path: str = ""
    text: str
    tags: tuple[tuple[str, str], ...] = ()
    details: Details
    mail: str = ""


def kind_of(one: Happening) -> str:
    """Return the kind of an entry, one of KINDS."""
    return str(type(one).__struct_config__.tag)


def entry(one: Happening) -> Entry:
    """Return an entry of a story as it is shown."""
    match one:
        case EventHappened():
            return _event(one)
        case SegmentCrossed():
            return _crossed(one)
        case DecisionTaken():
            return _decision(one)
        case DeliveryMoved():
            return _moved(one)
        case OutcomeNoted():
            return _outcome(one)


def _event(one: EventHappened) -> Entry:
    colour = _VERDICTS[one.verdict]
    said = f"{one.verdict}: {one.reason}" if one.reason else one.verdict
    origin = ((one.origin, "soft"),) if one.origin != "live" else ()
    return Entry(
        key=f"event-{one.position}",
        kind="event",
        mark=mark("event", colour or "soft"),
        at=one.at,
        text=one.name,
        tags=(*origin, *(((said, colour),) if colour else ())),
        details=[
            *((name, plain(value)) for name, value in one.properties.items()),
            *(("undeclared fields" if name == UNDECLARED else name, SEALED) for name in one.sealed),
            *((f"consent to {purpose}", _allowed(allowed)) for purpose, allowed in one.consents.items()),
            *((("happened", moment(one.effective_ts)),) if abs(one.effective_ts - one.at) > _LATE_MS else ()),
            ("source", one.source),
            ("record", number(one.position)),
        ],
    )


def _crossed(one: SegmentCrossed) -> Entry:
    return Entry(
        key=f"transition-{one.segment}-{one.number}",
        kind="transition",
        mark=mark("transition", "link"),
        at=one.at,
        about=one.segment,
        path=f"/segments/{one.segment}",
        text="entered" if one.entered else "left",
        tags=((one.origin, "soft"),) if one.origin != "live" else (),
        details=[("because of record", number(one.position)), ("transition", number(one.number))],
    )


def _decision(one: DecisionTaken) -> Entry:
    skip = reason_words(one.skip, one.detail)
    return Entry(
        key=f"decision-{one.decision}",
        kind="decision",
        mark=mark("decision", "warn" if one.skip else "ink"),
        at=one.at,
        about=one.campaign,
        path=f"/campaigns/{one.campaign}",
        text=f"no mail: {skip}" if one.skip else "a mail is wanted",
        details=[("cause", one.cause), ("because of record", number(one.position)), ("decision", one.decision)],
        mail=one.decision,
    )


def _moved(one: DeliveryMoved) -> Entry:
    why = reason_words(one.reason, one.detail)
    told = [("reason", why)] if why else []
    return Entry(
        key=f"delivery-{one.decision}-{one.before}-{one.after}-{one.at}",
        kind="delivery",
        mark=mark("delivery", state_colour(one.after)),
        at=one.at,
        about=one.campaign,
        path=f"/campaigns/{one.campaign}",
        text=f"{state_word(one.after)}: {why}" if why else state_word(one.after),
        details=[*told, ("was before", state_word(one.before)), ("decision", one.decision)],
        mail=one.decision,
    )


def _outcome(one: OutcomeNoted) -> Entry:
    place = [("record", number(one.position))] if one.position is not None else []
    return Entry(
        key=f"outcome-{one.decision}-{one.name}-{one.position}-{one.at}",
        kind="outcome",
        mark=mark("outcome", "link"),
        at=one.at,
        about=one.campaign or f"mail {short(one.decision)}",
        path=f"/campaigns/{one.campaign}" if one.campaign else "",
        text=one.name,
        details=[*((name, plain(value)) for name, value in one.properties.items()), *place],
        mail=one.decision if one.campaign else "",
    )


def _allowed(allowed: bool) -> str:
    return "allowed" if allowed else "not allowed"
