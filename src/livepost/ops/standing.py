"""Where the house stands, put together from what its stores tell; nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version

from livepost.log.base import LogReader
from livepost.model.feedback import ComplaintRate
from livepost.model.told import Conservation, Quantiles, Standing, Status
from livepost.observe.latencies import Latencies

DIGITS = 2

TRIES = 20
"""How often the log is counted anew because it grew meanwhile."""


def standing(
    status: Status,
    log: LogReader,
    *,
    ledger: int,
    records_per_s: dict[int, float],
    event_to_mail: Mapping[int, int],
    trouble: str | None,
    complaints: ComplaintRate,
) -> Standing:
    """Return where the house stands; `ledger` is its cursor, `event_to_mail` the courier's histogram.

    Raises StoreError if the log cannot be read.
    """
    last = log.last()
    return Standing(
        version=version("livepost"),
        program=status.program,
        log=last.seq,
        log_stamp=last.stamp,
        engine=status.position,
        as_of=status.as_of,
        complete_to=status.complete_to,
        ledger=ledger,
        lag_records=max(last.seq - status.position, 0),
        next_due=status.next_due,
        people=status.people,
        transitions=status.transitions,
        conservation=conservation(status, log),
        lateness=status.lateness,
        records_per_s=records_per_s,
        freshness_ms=quantiles(status.freshness),
        event_to_mail_ms=quantiles(event_to_mail),
        trouble=trouble,
        complaints=complaints,
    )


def conservation(status: Status, log: LogReader) -> Conservation:
    """Return where accepted events ended: the log counts what came in and what is not folded yet, the engine the rest.

    Raises StoreError if the log cannot be read.
    """
    in_flight, accepted = _counted(status.position, log)
    holds = sum(status.counts.values()) + in_flight == accepted
    return Conservation(accepted=accepted, in_flight=in_flight, holds=holds, **status.counts)


def quantiles(counts: Mapping[int, int]) -> Quantiles:
    """Return p50 and p99 of a histogram (`observe.latencies`)."""
    latencies = Latencies(counts)
    return Quantiles(p50=round(latencies.quantile(0.5), DIGITS), p99=round(latencies.quantile(0.99), DIGITS))


def _counted(position: int, log: LogReader) -> tuple[int, int]:
    """Return how many events came behind a position, and how many in all, both of one moment if one can be had."""
    for _ in range(TRIES):
        accepted, in_flight = log.events(), log.events_after(position)
        if log.events() == accepted:
            break
    return in_flight, accepted
