"""What a person chose on a page as the log's echo of what the ledger has committed.

In: a purpose or choice with the word on it. Out: a record `Segment Consent Preference Updated`. Promised: one word, one
message_id, however often the echo is made.
"""

from __future__ import annotations

from livepost.intake.context import CONSENT_EVENT
from livepost.measure.outcome import outcome_record
from livepost.model.record import Record


def chosen(person: bytes, key: str, allowed: bool, at_ms: int, proof: str, *, known: bool) -> Record:
    """Return the echo of a word said at `at_ms`; `key` is a purpose or a choice (`livepost.model.choice`)."""
    return outcome_record(
        CONSENT_EVENT,
        person,
        known=known,
        at_ms=at_ms,
        cause=(person, key, int(allowed), at_ms),
        properties={"proof": proof},
        context={"consent": {key: allowed}},
    )
