"""A courier's beat: it tells the ledger that it is alive, beside whatever it is at.

In: a ledger of its own. Out: a lease that lasts. Promised: a stopped process does not beat, so its lease ends; a server
that does not answer for a while does.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from threading import Event, Thread

from livepost.clock import SECOND_MS
from livepost.errors import StoreError
from livepost.ledger.base import BEAT_MS, Ledger

STOP_S = 5.0


@contextlib.contextmanager
def beating(ledger: Ledger, worker: str) -> Iterator[None]:
    """Keep a worker's lease, within; end it behind. Raises StoreError if it cannot begin."""
    ledger.enlist(worker)
    over = Event()
    thread = Thread(target=_beat, args=(ledger, worker, over), name="beat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(STOP_S)
        with contextlib.suppress(StoreError):  # then it ends by itself
            ledger.retire(worker)


def _beat(ledger: Ledger, worker: str, over: Event) -> None:
    while not over.wait(BEAT_MS / SECOND_MS):
        with contextlib.suppress(StoreError):  # busy or away: said again at the next beat
            ledger.enlist(worker)
