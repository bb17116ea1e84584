"""A record: one entry of the log (FORMATS, "Record, stamp, position")."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import msgspec

RECORD_FORMAT = 1

REPLAYS = "replays"
"""Under it the `control` of an event that replays a dead letter names that letter's seq."""


class Kind(IntEnum):
    """What a record is: an event, a tick, or one of the control records."""

    EVENT = 0
    TICK = 1
    PROJECT = 2
    CUT = 3
    LINK = 4
    UNLINK = 5
    FORGET = 6
    SEED = 7
    READY = 8
    BROADCAST = 9
    KILL = 10


class Origin(IntEnum):
    """Where a record comes from; only `LIVE` can trigger anything, everything folds."""

    LIVE = 0
    IMPORT = 1
    BACKFILL = 2


class KeyKind(IntEnum):
    """Which key brought it: none (the house itself), the public write key, or a server's secret key."""

    NONE = 0
    WRITE = 1
    SECRET = 2


class Verdict(IntEnum):
    """What validation at collect said; `process` only routes by it. `ACCEPTED` goes on."""

    ACCEPTED = 0
    FILTERED = 1  # a block rule or a bot
    QUARANTINED = 2  # an event nobody declared, where the setting says quarantine
    DEAD = 3  # breaks the tracking plan, too late, or unusable; `reason` says why


class Mention(msgspec.Struct, frozen=True, array_like=True):
    """Another subject named by a record; `known` if it is a userId or a declared key."""

    subject: bytes
    known: bool


class SealedValue(msgspec.Struct, frozen=True, array_like=True):
    """A personal value as the engine carries it: the seal and the context needed to open it (FORMATS, "Seals")."""

    source: str
    subject: bytes
    message_id: str
    field: str
    seal: bytes


class Record(msgspec.Struct, kw_only=True, array_like=True):
    """One entry of the log. `seq` and `stamp` are -1 until the log has appended it.

    subject       16 bytes, empty for ticks and most control records; `known` says a userId or declared key names it
    name          a track event's name, or `$identify $page $screen $group $alias`
    timestamp, sent_at, received_at   originals in ms (`None` where the client sent none)
    effective_ts  when it happened: timestamp + (received_at - sent_at), clamped to <= stamp by the log
    reason        why the verdict is not ACCEPTED: one sentence, no personal value in it
    properties    open, declared, normalised: str, int, float, bool, list of these, Money as [minor units, "USD"],
                  date-times as ms
    context       open part of Segment's context: consent {purpose: bool}, locale, timezone, campaign, ...
    facets        open values computed from sealed ones, e.g. {"email.domain": "example.com"}
    sealed        field -> seal, under the key of `subject`; "$undeclared" holds all undeclared fields together
    content_hash  16 bytes, keyed with the subject's key, of the canonical plaintext without retry fields
    control       payload of control records; of an event only `REPLAYS`, where it replays a dead letter
    """

    kind: Kind = Kind.EVENT
    origin: Origin = Origin.LIVE
    key: KeyKind = KeyKind.NONE
    source: str = ""
    subject: bytes = b""
    known: bool = False
    mentions: tuple[Mention, ...] = ()
    message_id: str = ""
    name: str = ""
    timestamp: int | None = None
    sent_at: int | None = None
    received_at: int = 0
    effective_ts: int = 0
    verdict: Verdict = Verdict.ACCEPTED
    reason: str = ""
    properties: dict[str, Any] = {}
    context: dict[str, Any] = {}
    facets: dict[str, str] = {}
    sealed: dict[str, bytes] = {}
    content_hash: bytes = b""
    control: dict[str, Any] = {}
    seq: int = -1
    stamp: int = -1

    @property
    def replays(self) -> int | None:
        """The seq of the dead letter that this event replays, None if it replays none."""
        return replays_in(self.control)

    def sealed_value(self, field: str) -> SealedValue | None:
        """Return a field's seal with its context, or None if this record has none."""
        seal = self.sealed.get(field)
        if seal is None:
            return None
        return SealedValue(self.source, self.subject, self.message_id, field, seal)


def replays_in(control: dict[str, Any]) -> int | None:
    """Return the seq of the dead letter that an event with this `control` replays, None if it replays none."""
    seq = control.get(REPLAYS)
    return seq if isinstance(seq, int) else None


HOUSE = "livepost"
"""The source of the house's own records."""


class Appended(msgspec.Struct, frozen=True):
    """What the log answers: the records got seq `first`..`last` and one `stamp` (ms); `committed_ms` is host time."""

    first: int
    last: int
    stamp: int
    committed_ms: int
