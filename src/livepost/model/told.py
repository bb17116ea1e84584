"""What the engine tells others of where it stands and of its segments, and where the whole house stands; light, for
processes that load no numpy.
"""

from __future__ import annotations

import msgspec

from livepost.model.decision import Transition
from livepost.model.feedback import ComplaintRate
from livepost.model.lateness import Lateness


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Where the engine stands. `counts` are the fates of events; `freshness` a histogram (`observe.latencies`).

    `refused` says why the last change that the log names did not happen; "" if it did, or none was named.
    """

    position: int
    as_of: int
    complete_to: int
    next_due: int | None
    people: int
    transitions: int
    program: str
    counts: dict[str, int]
    lateness: Lateness
    freshness: dict[int, int]
    refused: str = ""


class Due(msgspec.Struct, frozen=True):
    """What the engine tells the front: the next due time (ms), and the position after which it needs the log, be it to
    start again.
    """

    next_due: int | None
    log_needed_after: int


class CourierStatus(msgspec.Struct, frozen=True):
    """How long mails took to the sender's receipt, from the log's commit and from their claim: histograms
    (`observe.latencies`).
    """

    event_to_mail: dict[int, int] = {}
    claim_to_sent: dict[int, int] = {}


class SegmentCount(msgspec.Struct, frozen=True):
    """How many people are in a segment."""

    segment: str
    people: int


class SegmentPoint(msgspec.Struct, frozen=True):
    """How many people were in a segment when an hour of stamps ended (`at`, ms): as the last commit before had it."""

    at: int
    people: int


class SegmentHistory(msgspec.Struct, frozen=True):
    """A segment's points, in order of time; what one says held until the next one."""

    segment: str
    points: list[SegmentPoint]


class Member(msgspec.Struct, frozen=True):
    """A person in a segment: their number (to ask for those behind it), their name, since when (ms; 0: always so)."""

    number: int
    person: bytes
    since: int


class Conservation(msgspec.Struct, frozen=True, kw_only=True):
    """Where accepted events ended, each counted from its own records; `holds` if they add up."""

    accepted: int
    processed: int
    duplicate: int
    filtered: int
    quarantined: int
    dead_lettered: int
    in_flight: int
    holds: bool


class TransitionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Transitions by number, in the order of their commits; `first` to `last` are kept in all (first > last: none).

    Numbers are those of an `epoch`; a replay begins another one.
    """

    epoch: str
    first: int
    last: int
    items: list[tuple[int, Transition]]


class Quantiles(msgspec.Struct, frozen=True):
    """Real milliseconds: half of all were no slower than `p50`, 99 of 100 no slower than `p99`; 0 if there are none."""

    p50: float
    p99: float


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where the whole house stands; stamps and `as_of` are UTC ms on the workspace's clock.

    log, engine, complete_to, ledger   positions: written; folded; served, due times too; taken over by the ledger
    lag_records        records that are in the log and not folded yet
    records_per_s      committed over the last 1, 10 and 60 s of the host's clock, by that number; ticks are records too
    freshness_ms       log commit to state commit; event_to_mail_ms: log commit to the mail accepted
    complaints         about marketing mails, over the rolling window, and whether they pause or stop marketing
    trouble            why no events are taken just now, None if they are
    """

    version: str
    program: str
    log: int
    log_stamp: int
    engine: int
    as_of: int
    complete_to: int
    ledger: int
    lag_records: int
    next_due: int | None
    people: int
    transitions: int
    conservation: Conservation
    lateness: Lateness
    records_per_s: dict[int, float]
    freshness_ms: Quantiles
    event_to_mail_ms: Quantiles
    trouble: str | None
    complaints: ComplaintRate = ComplaintRate()
