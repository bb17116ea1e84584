"""An unsubscribe as the log's echo of what the ledger has committed.

In: a withdrawal as the ledger has it. Out: a record `Unsubscribed` (Segment's name) with the consent it takes
back, so that the engine folds it. Promised: one withdrawal, one message_id, however often the echo is made.
"""

from __future__ import annotations

from livepost.measure.outcome import outcome_record
from livepost.model.record import Record

UNSUBSCRIBED = "Unsubscribed"


def unsubscribed(person: bytes, purpose: str, at_ms: int, proof: str, *, known: bool) -> Record:
    """Return the echo of a withdrawal made at `at_ms`."""
    return outcome_record(
        UNSUBSCRIBED,
        person,
        known=known,
        at_ms=at_ms,
        cause=(person, purpose, at_ms),
        properties={"purpose": purpose, "proof": proof},
        context={"consent": {purpose: False}},
    )
