"""An open: the raw hit on a mail's picture.

In: what the picture's token meant, when it was loaded, why by a machine. Out: a record `Email Opened` (Segment's name).
Promised: no network address and no user agent in it; a machine's is filtered, so that nothing counts it or follows of
it.
"""

from __future__ import annotations

from livepost.measure.outcome import hit_record
from livepost.model.record import Record

OPENED = "Email Opened"


def opened(decision: bytes, person: bytes, at_ms: int, *, known: bool, machine: str = "") -> Record:
    """Return the record of a mail's picture being loaded; `machine` says why by a machine, "" if that is not known."""
    properties = {"decision": decision.hex()}
    return hit_record(OPENED, person, (decision, at_ms), properties, at_ms, known=known, machine=machine)
