"""Who is at work: each courier's lease, and that of the one who takes the outbox over.

In: names of workers, the host's time. Out: who leads, what nobody is at work on. Promised: what a worker has in flight
is its own while its lease lasts, and nobody's when it is over; a page is taken over by who leads, or not at all. A
worker that never enlisted has no lease, and nobody waits for it.
"""

from __future__ import annotations

from livepost.clock import DAY_MS
from livepost.errors import FencedError
from livepost.ledger.base import WORKER_LEASE_MS
from livepost.ledger.store import ROW, Row, Store

OUTBOX = "$outbox"
"""The lease of the one that takes the outbox over."""

_GOOD = "until BETWEEN ? AND ?"


def enlist(store: Store, worker: str, host_ms: int) -> None:
    """Let a worker's lease begin, or last longer; forget those of workers that are long gone."""
    _grant(store, worker, worker, host_ms)
    store.write("DELETE FROM leases WHERE until < ?", (host_ms - DAY_MS,))


def renew(store: Store, worker: str, host_ms: int) -> None:
    """Let the lease of a worker that has one last longer."""
    store.write("UPDATE leases SET until = ? WHERE name = ?", (host_ms + WORKER_LEASE_MS, worker))


def retire(store: Store, worker: str) -> None:
    """End a worker's leases."""
    store.write("DELETE FROM leases WHERE holder = ?", (worker,))


def lead(store: Store, worker: str, host_ms: int) -> bool:
    """Give the outbox to a worker if it is nobody's; say whether it has it."""
    held = store.rows(f"SELECT holder FROM leases WHERE name = ? AND {_GOOD}", (OUTBOX, *_good(host_ms)))
    if held and held[0][0] != worker:
        return False
    _grant(store, OUTBOX, worker, host_ms)
    return True


def leads_long(store: Store, worker: str, host_ms: int) -> bool:
    """Say, outside a transaction, whether a worker leads and will for a while."""
    least = host_ms + WORKER_LEASE_MS // 2, host_ms + WORKER_LEASE_MS
    return bool(store.read(f"SELECT 1 FROM leases WHERE name = ? AND holder = ? AND {_GOOD}", (OUTBOX, worker, *least)))


def check_leader(store: Store, worker: str) -> None:
    """Raise FencedError if another one has taken the outbox over since."""
    for (holder,) in store.rows("SELECT holder FROM leases WHERE name = ?", (OUTBOX,)):
        if holder != worker:
            raise FencedError(f"expected the outbox to be {worker}'s, it is {holder}'s by now; drop the page")


def abandoned(store: Store, worker: str, host_ms: int) -> list[Row]:
    """Return what is in flight of workers without a lease, and of `worker` whatever its lease."""
    found = store.rows(
        f"SELECT {ROW} FROM deliveries WHERE state = 'in_flight'"
        f" AND (worker = ? OR worker NOT IN (SELECT name FROM leases WHERE {_GOOD})) ORDER BY first_tried",
        (worker, *_good(host_ms)),
    )
    return [Row(*values) for values in found]


def count_abandoned(store: Store, host_ms: int) -> int:
    """Return, outside a transaction, how many mails are in flight of workers without a lease."""
    [(count,)] = store.read(
        "SELECT count(*) FROM deliveries WHERE state = 'in_flight'"
        f" AND worker NOT IN (SELECT name FROM leases WHERE {_GOOD})",
        _good(host_ms),
    )
    return int(count)


def _grant(store: Store, name: str, holder: str, host_ms: int) -> None:
    store.write(
        "INSERT INTO leases VALUES (?,?,?) ON CONFLICT (name) DO UPDATE SET holder = excluded.holder,"
        " until = excluded.until",
        (name, holder, host_ms + WORKER_LEASE_MS),
    )


def _good(host_ms: int) -> tuple[int, int]:
    """Return when a good lease ends at the earliest and the latest: one longer than any is of a clock set back."""
    return host_ms + 1, host_ms + WORKER_LEASE_MS
