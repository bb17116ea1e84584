"""Work beside the mails: a thread for each that does a turn, waits until it is woken or it is time, and does the next.

In: turns, each of which says how long to wait for the next one. Out: threads that end with the house. Promised: an
error that nobody thought of is told on stderr and ends no thread; mails wait for none of them.
"""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from threading import Event, Thread

from livepost.errors import StoreError

FAULT_S = 5.0
"""How long a thread rests after an error that nobody thought of."""


class Turning(Thread):
    """One thread; `over` is set when it is to end, for turns that wait in between."""

    def __init__(
        self,
        name: str,
        turn: Callable[[], float],
        *,
        idle_s: float,
        away: tuple[type[Exception], ...] = (StoreError,),
        over: Event | None = None,
    ) -> None:
        """Take the turn; one that raises an error of `away` is tried again after `idle_s`."""
        super().__init__(name=name, daemon=True)
        self.woken = Event()
        self._turn = turn
        self._idle_s = idle_s
        self._away = away
        self._over = over or Event()

    def run(self) -> None:
        """Do one turn after the other."""
        while not self._over.is_set():
            self.woken.clear()
            if wait_s := self._turned():
                self.woken.wait(wait_s)

    def end(self) -> None:
        """Let the turn under way be the last."""
        self._over.set()
        self.woken.set()

    def _turned(self) -> float:
        try:
            return self._turn()
        except self._away:
            return self._idle_s
        except Exception:
            traceback.print_exc(file=sys.stderr)
            return FAULT_S


@contextlib.contextmanager
def turning(threads: Sequence[Turning], stop_s: float) -> Iterator[Callable[[], None]]:
    """Let threads work, within; yield what wakes all. What is under way at the end may take `stop_s` seconds."""
    for one in threads:
        one.start()
    try:
        yield lambda: _wake(threads)
    finally:
        for one in threads:
            one.end()
        for one in threads:
            one.join(stop_s)


def _wake(threads: Sequence[Turning]) -> None:
    for one in threads:
        one.woken.set()
