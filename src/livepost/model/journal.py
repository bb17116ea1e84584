"""A person's journal: consents, journeys under way and what campaigns decided; part of the person's row.

Kept by `decide`, read by whoever shows a person. Everything here merges in any order to the same journal.
"""

from __future__ import annotations

import msgspec

WATCH_MS = 24 * 3_600_000
"""For so long after a decision `until` and leaving the audience still cancel it (ms)."""


class Consent(msgspec.Struct, array_like=True):
    """What a person said last about a purpose: ordered by (effective_ts, message_id)."""

    effective_ts: int
    message_id: str
    allowed: bool
    source: str


class Zone(msgspec.Struct, array_like=True):
    """The zone that a person's clocks showed last: ordered by (effective_ts, message_id)."""

    effective_ts: int
    message_id: str
    name: str


class Journey(msgspec.Struct, array_like=True):
    """A person under way in a campaign: entered at, due at (ms), the cause of its decision ids, the step to come."""

    entered_at: int
    due: int
    cause: bytes
    cause_text: str
    step: int = 0


class Watched(msgspec.Struct, array_like=True):
    """A decision to send that can still be cancelled."""

    at: int
    decision: bytes


class Memory(msgspec.Struct, array_like=True):
    """A campaign's memory of a person.

    journey   the one under way, if any
    entered   time of the last entry (ms), None if never
    decided   times of decisions to send, for the cap, ascending
    watched   decisions of the last 24 h
    held_out  (assigned at, held out) once assigned
    """

    journey: Journey | None = None
    entered: int | None = None
    decided: list[int] = []
    watched: list[Watched] = []
    held_out: tuple[int, bool] | None = None


class Journal(msgspec.Struct, array_like=True):
    """consents by purpose, as said and as `told` to the outbox under the person's name; memories by campaign name;
    `decided` as in a memory, of all campaigns with caps overall; the zone, where a campaign asks for it.
    """

    consents: dict[str, Consent] = {}
    told: dict[str, bool] = {}
    campaigns: dict[str, Memory] = {}
    decided: list[int] = []
    zone: Zone | None = None


def read(raw: bytes) -> Journal:
    """Return the journal of a row; an empty one where nothing was written."""
    return _decoder.decode(raw) if raw else Journal()


def write(journal: Journal) -> bytes:
    """Return the journal as a row keeps it."""
    return msgspec.msgpack.encode(journal)


def under_way(raw: bytes) -> list[str]:
    """Return the campaigns in which a person of this journal is under way; nothing else of it is made."""
    memories = _journeys.decode(raw).campaigns if raw else {}
    return [name for name, memory in memories.items() if memory.journey != _NONE]


class _MemoryOfJourney(msgspec.Struct, array_like=True):
    journey: msgspec.Raw


class _JournalOfJourneys(msgspec.Struct, array_like=True):
    """A journal of which only the journeys are looked at."""

    consents: msgspec.Raw
    told: msgspec.Raw
    campaigns: dict[str, _MemoryOfJourney]


_NONE = msgspec.Raw(msgspec.msgpack.encode(None))
_decoder = msgspec.msgpack.Decoder(Journal)
_journeys = msgspec.msgpack.Decoder(_JournalOfJourneys)
