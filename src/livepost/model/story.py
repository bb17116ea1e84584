"""What happened to one person, as people are shown it: things of several kinds, each with its time.

`at` is the workspace's time (UTC ms) by which they are ordered; for an event it is the log's stamp, not when it
happened (`effective_ts`). Ids are hex; nothing sealed is in it.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, TypeAlias

import msgspec


class EventHappened(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="event"):
    """An event of the log; `sealed` names the fields that are not open, `consents` are purpose -> allowed."""

    kind: ClassVar[str] = "event"
    at: int
    position: int
    name: str
    effective_ts: int
    origin: Literal["live", "import", "backfill"]
    source: str
    verdict: Literal["accepted", "filtered", "quarantined", "dead"]
    reason: str
    properties: dict[str, Any]
    sealed: tuple[str, ...]
    consents: dict[str, bool]


class SegmentCrossed(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="transition"):
    """The person entered or left a segment."""

    kind: ClassVar[str] = "transition"
    at: int
    position: int
    segment: str
    entered: bool
    number: int
    origin: Literal["live", "import", "backfill"]


class DecisionTaken(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="decision"):
    """A campaign decided on a mail; `skip` is the reason why there is to be none, "" if there is to be one."""

    kind: ClassVar[str] = "decision"
    at: int
    position: int
    decision: str
    campaign: str
    cause: str
    skip: str
    detail: str


class DeliveryMoved(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="delivery"):
    """A delivery went from one state of the ledger to another."""

    kind: ClassVar[str] = "delivery"
    at: int
    decision: str
    campaign: str
    before: str
    after: str
    reason: str
    detail: str


class OutcomeNoted(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="outcome"):
    """What happened to a mail later; `position` is None where only the ledger remembers it, and then it is the first of
    its kind. `campaign` is "" if the ledger does not know the mail.
    """

    kind: ClassVar[str] = "outcome"
    at: int
    position: int | None
    decision: str
    campaign: str
    name: str
    properties: dict[str, Any]


Happening: TypeAlias = EventHappened | SegmentCrossed | DecisionTaken | DeliveryMoved | OutcomeNoted


class PersonStory(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to a person, the newest first.

    looked_back_to   stamp of the oldest record of the log that was looked at: older events may be missing
    complete         nothing is: the log was looked through to its beginning, and no limit cut anything
    """

    entries: list[Happening]
    looked_back_to: int
    complete: bool
