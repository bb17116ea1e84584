"""A person's journal: consents, journeys under way and what campaigns decided; part of the person's row.

Kept by `decide`, read by whoever shows a person. Everything here merges in any order to the same journal.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from livepost.model.consent import SIGNALS, is_signal, purpose_of, way_of

WATCH_MS = 24 * 3_600_000
"""For so long after a decision `until` and leaving the audience still cancel it (ms)."""


class Consent(msgspec.Struct, array_like=True):
    """What a person said last about a purpose: ordered by (effective_ts, message_id)."""

    effective_ts: int
    message_id: str
    allowed: bool
    source: str


def keep(consents: dict[str, Consent], key: str, said: Consent) -> None:
    """Fold a word in: the last one stands, but of a signal, which is repeated with each call, the first.

    So an old signal never undoes what somebody said since it was first heard.
    """
    before = consents.get(key)
    if before is None or is_later(key, said, before):
        consents[key] = said


def is_later(key: str, said: Consent, before: Consent) -> bool:
    """Say whether a word stands instead of another one under the same key."""
    one, other = (said.effective_ts, said.message_id), (before.effective_ts, before.message_id)
    return one < other if is_signal(key) else one > other


def standing(consents: Mapping[str, Consent]) -> Mapping[str, Consent]:
    """Return what stands by purpose and choice: the last word or signal, of one time the refusal."""
    signals = [key for key in consents if key.startswith(SIGNALS)]
    if not signals:
        return consents
    stands = {key: said for key, said in consents.items() if key not in signals}
    for key in signals:
        said, purpose = consents[key], purpose_of(key)
        before = stands.get(purpose)
        if before is None or _order(said) > _order(before):
            source = way_of(key) + said.source
            stands[purpose] = Consent(said.effective_ts, said.message_id, said.allowed, source)
    return stands


def _order(said: Consent) -> tuple[int, bool, str]:
    return said.effective_ts, not said.allowed, said.message_id


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
