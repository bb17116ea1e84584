"""Tries to get in that failed, counted by what they were made for and from where.

Reads and writes: the table `tries`. Promised: a try is counted before it is judged, so that many at once cost what they
cost one after the other; nothing tells whose account or which address it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from livepost.clock import DAY_MS
from livepost.control.sqlite import ControlStore
from livepost.ids import digest

REMEMBERED_MS = DAY_MS
"""How long failures are counted on after the last one."""

KNOWN_MS = 30 * DAY_MS
"""How long a place from where somebody got in is known."""

WaitMs = Callable[[int], int]
"""From failures to how long (ms) the next try has to wait."""


class Tries:
    """The tries of a workspace; `secret` (32 bytes) keys the hashes of what they were made for."""

    def __init__(self, store: ControlStore, secret: bytes) -> None:
        self._store = store
        self._key = digest("tries", size=32, key=secret)

    def charge(self, whats: Sequence[tuple[str, WaitMs]], now_ms: int) -> int:
        """Count a try for each of `whats` and return 0; or, if one has to wait, count none and return how long (ms)."""
        with self._store.transaction():
            self._store.write("DELETE FROM tries WHERE last_ms <= ? AND failures > 0", (now_ms - REMEMBERED_MS,))
            self._store.write("DELETE FROM tries WHERE last_ms <= ?", (now_ms - KNOWN_MS,))
            waits = [self._wait_ms(self._name(what), rule, now_ms) for what, rule in whats]
            if max(waits, default=0) > 0:
                return max(waits)
            for what, _ in whats:
                self._store.write(
                    "INSERT INTO tries VALUES (?, 1, ?) ON CONFLICT (what) DO UPDATE "
                    "SET failures = failures + 1, last_ms = excluded.last_ms",
                    (self._name(what), now_ms),
                )
        return 0

    def clear(self, whats: Sequence[str], known: str, now_ms: int) -> None:
        """Forget what was counted for each of `whats`, and know a place for `KNOWN_MS`."""
        with self._store.transaction():
            for what in whats:
                self._store.write("DELETE FROM tries WHERE what = ?", (self._name(what),))
            sql = "INSERT INTO tries VALUES (?, 0, ?) ON CONFLICT (what) DO UPDATE SET last_ms = excluded.last_ms"
            self._store.write(sql, (self._name(known), now_ms))

    def knows(self, place: str) -> bool:
        """Return whether somebody got in from a place."""
        return bool(self._store.read("SELECT 1 FROM tries WHERE what = ? AND failures = 0", (self._name(place),)))

    def _wait_ms(self, name: bytes, rule: WaitMs, now_ms: int) -> int:
        rows = self._store.read("SELECT failures, last_ms FROM tries WHERE what = ?", (name,))
        return max(0, rows[0][1] + rule(rows[0][0]) - now_ms) if rows else 0

    def _name(self, what: str) -> bytes:
        return digest("what", what, size=16, key=self._key)
