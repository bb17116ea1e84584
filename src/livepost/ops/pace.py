"""How fast events go through the house, room by room, put together from what its stores and processes tell.

In: the engine's status, the ledger's tallies, the log, series of totals. Out: the totals to make series of; a `Pace`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from livepost.ledger.base import Tally
from livepost.ledger.moves import OPEN
from livepost.log.base import LogReader
from livepost.model.standing import Pace, RoomPace
from livepost.model.told import Status
from livepost.observe.latencies import Latencies
from livepost.ops.standing import DIGITS, quantiles

ROOMS: tuple[tuple[str, str], ...] = (
    ("collect", "events"),
    ("process", "events"),
    ("decide", "decisions"),
    ("deliver", "mails"),
    ("measure", "outcomes"),
)
"""The rooms of an event's way, and what is counted in each."""


def totals(status: Status, log: LogReader, tallies: Sequence[Tally], outcomes: int) -> dict[str, int]:
    """Return by room how much was done in all: accepted, folded, decided, sent, brought back as `outcomes`."""
    return {
        "collect": log.events(),
        "process": sum(status.counts.values()),
        "decide": sum(tally.count for tally in tallies),
        "deliver": sum(tally.count for tally in tallies if tally.state == "sent"),
        "measure": outcomes,
    }


def pace(
    status: Status,
    log: LogReader,
    tallies: Sequence[Tally],
    series: Mapping[str, list[float]],
    event_to_mail: Mapping[int, int],
) -> Pace:
    """Return how fast it goes; `series` are those of `totals`, `event_to_mail` the courier's histogram."""
    lag = max(log.last().seq - status.position, 0)
    waiting = {
        "process": lag,
        "decide": status.position - status.complete_to,
        "deliver": sum(tally.count for tally in tallies if tally.state in OPEN),
    }
    return Pace(
        rooms=tuple(_room(room, what, series.get(room, []), waiting.get(room)) for room, what in ROOMS),
        lag_records=lag,
        freshness=_sizes(status.freshness),
        freshness_ms=quantiles(status.freshness),
        event_to_mail=_sizes(event_to_mail),
        event_to_mail_ms=quantiles(event_to_mail),
    )


def _room(room: str, what: str, series: list[float], waiting: int | None) -> RoomPace:
    return RoomPace(room=room, what=what, per_s=series[-1] if series else 0.0, series=series, waiting=waiting)


def _sizes(counts: Mapping[int, int]) -> list[tuple[float, int]]:
    return [(round(ms, DIGITS), count) for ms, count in Latencies(counts).sizes()]
