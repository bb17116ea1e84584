"""Measuring in the courier's process: a thread that reads the log for hits and orders, beside the mails.

In: the log. Out: outcomes, clicks and orders in the ledger. Promised: mails do not wait for it; what it has taken it
takes once, whatever stops it; while a store is away it waits.
"""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Callable, Iterator
from threading import Event, Thread

from livepost.errors import StoreError
from livepost.ledger.base import Ledger
from livepost.log.base import LogReader
from livepost.measure.stage import measured
from livepost.model.earning import Measured
from livepost.runtime.data.folder import DataFolder

READ_AT_ONCE = 5_000
"""Records read for one transaction of the ledger."""

BREATH_S = 0.02
"""How long it rests between two stretches: a log of months must not take the mails' core."""

IDLE_S = 0.5
"""How late a hit or an order is measured at most when nobody wakes it."""

FAULT_S = 5.0
"""How long it rests after an error that nobody thought of."""

STOP_S = 5.0


def measure_next(log: LogReader, ledger: Ledger) -> bool:
    """Measure what the log has next; say whether there was anything. What retention has dropped is passed over.

    Raises StoreError if a store does not answer: then nothing was taken, or all of it.
    """
    blocks = log.read(max(ledger.measured(), log.first() - 1), READ_AT_ONCE)
    found = [measured(block) for block in blocks if block.count]
    if not found:
        return False
    ledger.measure(
        Measured(
            upto=found[-1].upto,
            hits=[hit for one in found for hit in one.hits],
            orders=[order for one in found for order in one.orders],
        )
    )
    return True


@contextlib.contextmanager
def measuring(folder: DataFolder) -> Iterator[Callable[[], None]]:
    """Measure, within; yield what wakes it when something is new. Raises StoreError if a store cannot be opened."""
    with contextlib.ExitStack() as open_:
        ledger = open_.enter_context(contextlib.closing(folder.ledger()))
        log = open_.enter_context(contextlib.closing(folder.log_reader()))
        meter = _Meter(log, ledger)
        meter.start()
        try:
            yield meter.woken.set
        finally:
            meter.end()
            meter.join(STOP_S)


class _Meter(Thread):
    def __init__(self, log: LogReader, ledger: Ledger) -> None:
        super().__init__(name="measuring", daemon=True)
        self.woken = Event()
        self._log = log
        self._ledger = ledger
        self._over = Event()

    def run(self) -> None:
        while not self._over.is_set():
            self.woken.clear()
            rest_s = self._turn()
            if rest_s == BREATH_S:
                self._over.wait(rest_s)
            else:
                self.woken.wait(rest_s)

    def end(self) -> None:
        self._over.set()
        self.woken.set()

    def _turn(self) -> float:
        try:
            return BREATH_S if measure_next(self._log, self._ledger) else IDLE_S
        except StoreError:  # log, ledger or disk are away: it goes on from where it was
            return IDLE_S
        except Exception:
            traceback.print_exc(file=sys.stderr)
            return FAULT_S
