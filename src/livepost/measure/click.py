"""A click: the raw hit on a mail's link, not yet told to be a person's or a machine's.

In: what the link's token meant and when it was hit. Out: a record `Email Link Clicked` (Segment's name).
Promised: no address of the link, no network address, no user agent in it; it changes no consent and no
membership by itself.
"""

from __future__ import annotations

from livepost.measure.outcome import outcome_record
from livepost.model.record import Record

CLICKED = "Email Link Clicked"


def clicked(decision: bytes, person: bytes, link: int, at_ms: int, *, known: bool) -> Record:
    """Return the record of a hit on the `link`-th link (from 0) of a mail.

    `human` stays open (class unknown) until hits are classified; two hits in a millisecond are one.
    """
    return outcome_record(
        CLICKED,
        person,
        known=known,
        at_ms=at_ms,
        cause=(decision, link, at_ms),
        properties={"decision": decision.hex(), "link": link, "class": "unknown", "human": None},
    )
