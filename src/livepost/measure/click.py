"""A click: the raw hit on a mail's link.

In: what the link's token meant, when it was hit, why by a machine. Out: a record `Email Link Clicked` (Segment's name).
Promised: no address of the link, no network address, no user agent in it; a machine's is filtered, so that nothing
counts it or follows of it.
"""

from __future__ import annotations

from livepost.measure.outcome import hit_record
from livepost.model.record import Record

CLICKED = "Email Link Clicked"


def clicked(decision: bytes, person: bytes, link: int, at_ms: int, *, known: bool, machine: str = "") -> Record:
    """Return the record of a hit on the `link`-th link (from 0) of a mail; two hits in a millisecond are one.

    `machine` says why it is taken for a machine's, "" if it is not known to be one: then `human` stays open.
    """
    properties = {"decision": decision.hex(), "link": link}
    return hit_record(CLICKED, person, (decision, link, at_ms), properties, at_ms, known=known, machine=machine)
