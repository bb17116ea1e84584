"""Paces by the generic cell rate algorithm, one due time (`tat`) a key, in rows that all couriers share.

In: keys with their pace, the host's time. Out: whether a mail may go now, and else when it may come again. Promised: a
slot is taken in the transaction that puts its mail in flight, so no window has more mails than `Pace` says, whoever
sends; a mail that was told to come again does not wait behind those who were told so later.

Nothing is reserved ahead. Who is turned away is given a place in the queue of its lane (a due time of its own, which
moves by the same step), so that those who wait come again at the pace, and a lane never waits behind another's queue.
"""

from __future__ import annotations

from collections.abc import Iterable

from livepost.clock import DAY_MS, HOUR_MS
from livepost.ledger.base import LANES
from livepost.ledger.routing import US, Pace
from livepost.ledger.store import Store

LONGEST_QUEUE_US = (DAY_MS + HOUR_MS) * US
"""No queue is longer: marketing that would wait for more than a day is not sent any more."""


class Paces:
    """The due times of some keys, as they are in one transaction; `save` writes what changed."""

    def __init__(self, store: Store, keys: Iterable[str], host_ms: int) -> None:
        """Read the keys' rows; there may be none."""
        self._store = store
        self._now_us = host_ms * US
        self._changed: set[str] = set()
        wanted = sorted(set(keys))
        places = ", ".join("?" * len(wanted))
        found = store.rows(f"SELECT key, tat FROM paces WHERE key IN ({places})", wanted) if wanted else []
        self._tats: dict[str, int] = dict(found)

    @staticmethod
    def keys_of(key: str) -> list[str]:
        """Return a key and those of its queues."""
        return [key, *(queue_key(key, lane) for lane in LANES)]

    def free(self, key: str, pace: Pace) -> int:
        """Return how many mails may go now."""
        ahead_us = self._tat(key, pace) - self._now_us
        return max(0, (pace.tolerance_us - ahead_us) // pace.step_us + 1)

    def take(self, key: str, pace: Pace) -> None:
        """Take a slot that is free."""
        self._set(key, self._tat(key, pace) + pace.step_us)

    def queue(self, key: str, lane: str, pace: Pace) -> int:
        """Return when one who is turned away shall come again (host ms), at the end of its lane's queue."""
        tail = queue_key(key, lane)
        free_us = self._tat(key, pace) - pace.tolerance_us
        place_us = max(self._tail(tail) + pace.step_us, free_us, self._now_us + 1)
        self._set(tail, min(place_us, self._now_us + LONGEST_QUEUE_US))
        return -(-self._tats[tail] // US)

    def queued(self, key: str, lane: str) -> bool:
        """Return whether some of the lane wait already: who comes new is to wait behind them."""
        return self._tail(queue_key(key, lane)) > self._now_us

    def save(self) -> None:
        """Write what changed."""
        rows = [(key, self._tats[key]) for key in sorted(self._changed)]
        if rows:
            self._store.change_all(
                "INSERT INTO paces VALUES (?,?) ON CONFLICT (key) DO UPDATE SET tat = excluded.tat", rows
            )
        self._changed.clear()

    def _tat(self, key: str, pace: Pace) -> int:
        """Return the due time; one further ahead than any can be is of a clock that was set back."""
        tat = self._tats.get(key, 0)
        longest_us = self._now_us + pace.tolerance_us + pace.step_us
        return tat if self._now_us < tat <= longest_us else self._now_us

    def _tail(self, tail: str) -> int:
        """Return the end of a queue, 0 for one that is longer than any can be."""
        end = self._tats.get(tail, 0)
        return end if end <= self._now_us + LONGEST_QUEUE_US else 0

    def _set(self, key: str, tat: int) -> None:
        self._tats[key] = tat
        self._changed.add(key)


def queue_key(key: str, lane: str) -> str:
    """Return the key of a lane's queue."""
    return f"{key} {lane}"
