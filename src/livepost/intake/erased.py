"""What does not come in again: events of before an erasure, under any id of who was erased.

In: calls, and the erasure list (keyed hashes of ids, with times). Out: calls of which nothing is left but that they
came. Promised: no subject is made for them; a call of later is let in, and begins a new subject.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from livepost.intake.call import Call
from livepost.intake.timestamp import effective_ms, parse_timestamp
from livepost.vault.base import ANONYMOUS, EMAIL, USER, ExternalId
from livepost.vault.external import normalised

ERASED = "it is of before its person was erased, so nothing of it is kept"
"""The reason of what is filtered for it."""

PURPOSE = "erasure"
"""The purpose of the keyed hashes."""

Blind = Callable[[str, str], bytes]
"""The vault's keyed hash of a value for a purpose."""


class ErasedCall(Call):
    """What is left of a call: its type, its name, its times."""


def erasure_hash(blind: Blind, id: ExternalId) -> bytes:
    """Return the keyed hash under which an id stands in the erasure list."""
    plain = normalised(id)
    return blind(PURPOSE, f"{plain.kind}:{plain.value}")


class Erased:
    """The erasure list, as intake asks it."""

    def __init__(self, blind: Blind, ids: Mapping[bytes, int]) -> None:
        """`ids` are keyed hashes, each with the time (ms) of its last erasure."""
        self.ids = dict(ids)
        self._blind = blind
        self._newest = max(self.ids.values(), default=-1)

    def names(self, ids: Sequence[ExternalId]) -> bool:
        """Say whether one of the ids was erased, whenever."""
        return bool(self.ids) and any(erasure_hash(self._blind, id) in self.ids for id in ids)

    def rest(self, call: Call, named: Sequence[ExternalId], sent_at: int | None, received_at: int) -> Call:
        """Return the call, or what is to be left of it; `named` are the ids that it names, `sent_at` and `received_at`
        (ms) how it came.
        """
        if self._newest < 0:
            return call
        timestamp = parse_timestamp(call.timestamp) if call.timestamp else None
        sent = parse_timestamp(call.sent_at) if call.sent_at else sent_at
        effective = effective_ms(timestamp, sent, received_at)
        if effective > self._newest:
            return call
        ids = (*named, *_told(call))
        if not any(self.ids.get(erasure_hash(self._blind, id), -1) >= effective for id in ids):
            return call
        return ErasedCall(
            type=call.type,
            event=call.event if call.type == "track" else None,
            timestamp=call.timestamp,
            sent_at=call.sent_at,
        )


def _told(call: Call) -> Iterator[ExternalId]:
    """Go through what else in a call may name somebody: whom an alias joins, an address whoever brought it."""
    if call.previous_id not in (None, ""):
        yield ExternalId(USER, str(call.previous_id))
        yield ExternalId(ANONYMOUS, str(call.previous_id))
    email = (call.traits or {}).get("email")
    if isinstance(email, str) and email.strip():
        yield ExternalId(EMAIL, email)
