"""What the engine tells others of where it stands; light, for processes that load no numpy."""

from __future__ import annotations

import msgspec


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Where the engine stands. `counts` are the fates of events; `freshness` a histogram (`observe.latencies`)."""

    position: int
    as_of: int
    complete_to: int
    next_due: int | None
    people: int
    transitions: int
    program: str
    counts: dict[str, int]
    freshness: dict[int, int]


class Due(msgspec.Struct, frozen=True):
    """What the engine tells the front: the next due time (ms) and how far everything is served."""

    next_due: int | None
    complete_to: int
