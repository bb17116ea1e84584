"""An outcome as a record of the log: event, origin live, source `livepost`, an id derived from what happened.

In: the name, the person and open properties. Out: a `Record` without seq and stamp. Promised: no personal
value in it; the same outcome gives the same message_id and content hash however often it is made.
"""

from __future__ import annotations

from typing import Any

from livepost.ids import digest
from livepost.model.record import HOUSE, Record

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
