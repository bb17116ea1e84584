"""Measuring in the courier's process: a thread that reads the log for hits and orders, beside the mails.

In: the log. Out: outcomes, clicks and orders in the ledger. Promised: mails do not wait for it; what it has taken it
takes once, whatever stops it; while a store is away it waits.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from threading import Event

from livepost.ledger.base import Ledger
from livepost.log.base import LogReader
from livepost.measure.stage import measured
from livepost.model.earning import Measured
from livepost.runtime.courier.turning import Turning, turning
from livepost.runtime.data.folder import DataFolder

READ_AT_ONCE = 5_000
"""Records read for one transaction of the ledger."""

BREATH_S = 0.02
"""How long it rests between two stretches: a log of months must not take the mails' core."""

IDLE_S = 0.5
"""How late a hit or an order is measured at most; how long it rests behind a short stretch: each is a commit for which
mails wait.
"""

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
        over = Event()
        meter = Turning("measuring", lambda: _turn(log, ledger, over), idle_s=IDLE_S, over=over)
        yield open_.enter_context(turning([meter], STOP_S))


def _turn(log: LogReader, ledger: Ledger, over: Event) -> float:
    """Measure a stretch and take breath, whoever wakes it meanwhile; return how long to wait for the next one (s)."""
    before = ledger.measured()
    if not measure_next(log, ledger):
        return IDLE_S
    is_far_behind = ledger.measured() - before >= READ_AT_ONCE // 2
    over.wait(BREATH_S if is_far_behind else IDLE_S)
    return 0.0
