"""Looks at counters once a second while somebody wants to see how they go, and a minute longer.

In: a look at the totals. Out: series. Promised: nobody asks, nothing runs; one thread, whoever asks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from time import monotonic

from livepost.errors import StoreError
from livepost.observe.series import Series

EVERY_S = 1.0
"""Seconds between two looks."""

AFTER_S = 60.0
"""How long it goes on after somebody asked last."""

CLOSE_S = 2.0


class Sampling:
    """Series of what `totals` tells, for any number of threads."""

    def __init__(self, totals: Callable[[], Mapping[str, int]], *, every_s: float = EVERY_S, after_s: float = AFTER_S):
        """Take what is looked at; it may raise StoreError, and is asked again a second later then."""
        self._totals = totals
        self._every_s = every_s
        self._after_s = after_s
        self._series = Series()
        self._lock = threading.Lock()
        self._wanted_until = 0.0
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def points(self) -> dict[str, list[float]]:
        """Return the series by name (`observe.series`), and go on looking."""
        with self._lock:
            self._wanted_until = monotonic() + self._after_s
            if self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(target=self._run, name="pace", daemon=True)
                self._thread.start()
            return self._series.points()

    def close(self) -> None:
        """End the looking; the last look has CLOSE_S seconds."""
        self._closed.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(CLOSE_S)

    def _run(self) -> None:
        while self._goes_on():
            try:
                totals = self._totals()
            except StoreError:  # the engine is being started again: its share of the seconds comes with the next look
                totals = {}
            if totals:
                with self._lock:
                    self._series.add(monotonic(), totals)
            self._closed.wait(self._every_s)

    def _goes_on(self) -> bool:
        with self._lock:
            if monotonic() < self._wanted_until and not self._closed.is_set():
                return True
            self._thread = None
            return False
