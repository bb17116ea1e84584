"""A send as an outcome: the ledger's move to `sent`, for the log.

In: the facts of a move. Out: a record `Email Sent`. Promised: one decision, one message_id.
"""

from __future__ import annotations

from livepost.measure.outcome import outcome_record
from livepost.model.record import Record

SENT = "Email Sent"


def sent(decision: bytes, person: bytes, campaign: str, at_ms: int, *, known: bool) -> Record:
    """Return the record of a mail that was sent at `at_ms`."""
    return outcome_record(
        SENT,
        person,
        known=known,
        at_ms=at_ms,
        cause=(decision,),
        properties={"decision": decision.hex(), "campaign": campaign},
    )
