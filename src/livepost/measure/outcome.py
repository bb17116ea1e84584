"""An outcome as a record of the log: event, origin live, source `livepost`, an id derived from what happened.

In: the name, the person and open properties. Out: a `Record` without seq and stamp. Promised: no personal
value in it; the same outcome gives the same message_id and content hash however often it is made.
"""

from __future__ import annotations

from typing import Any

import msgspec

from livepost.ids import digest
from livepost.measure.machine import MACHINE
from livepost.model.record import HOUSE, Record, Verdict

SOURCE = HOUSE
"""Where outcomes come from."""


def outcome_record(
    name: str,
    person: bytes,
    *,
    known: bool,
    at_ms: int,
    cause: tuple[str | bytes | int, ...],
    properties: dict[str, Any],
    context: dict[str, Any] | None = None,
) -> Record:
    """Return the record of an outcome; `cause` tells it from all others, `known` is the vault's word on the
    person.
    """
    message_id = digest(name, *cause).hex()
    return Record(
        source=SOURCE,
        subject=person,
        known=known,
        message_id=message_id,
        name=name,
        received_at=at_ms,
        effective_ts=at_ms,
        properties=properties,
        context=context or {},
        content_hash=digest(name, message_id),
    )


def hit_record(
    name: str,
    person: bytes,
    cause: tuple[str | bytes | int, ...],
    properties: dict[str, Any],
    at_ms: int,
    *,
    known: bool,
    machine: str,
) -> Record:
    """Return the record of a hit on a mail; one that is taken for a machine's is filtered, with the reason."""
    told = {"class": MACHINE, "human": False} if machine else {"class": "unknown", "human": None}
    record = outcome_record(name, person, known=known, at_ms=at_ms, cause=cause, properties=properties | told)
    if not machine:
        return record
    return msgspec.structs.replace(record, verdict=Verdict.FILTERED, reason=f"a machine's: {machine}")
