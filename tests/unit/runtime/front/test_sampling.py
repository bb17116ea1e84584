"""Looking at counters goes on while somebody asks, and no longer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from livepost.errors import StoreError
from livepost.runtime.front.sampling import Sampling

PATIENCE_S = 10.0


class Counter:
    """Totals that grow by one a look; away when told."""

    def __init__(self) -> None:
        self.looks = 0
        self.away = False

    def __call__(self) -> dict[str, int]:
        self.looks += 1
        if self.away:
            raise StoreError("the engine is away")
        return {"looks": self.looks}


def wait_until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "pace"]


def test_nothing_is_looked_at_before_somebody_asks_nor_long_after() -> None:
    counter = Counter()
    sampling = Sampling(counter, every_s=0.01, after_s=0.2)
    assert (counter.looks, threads()) == (0, [])
    assert sampling.points() == {}
    wait_until(lambda: len(sampling.points().get("looks", [])) >= 3)
    assert len(threads()) == 1
    wait_until(lambda: threads() == [])
    looks = counter.looks
    sampling.points()
    wait_until(lambda: counter.looks > looks)
    sampling.close()


def test_a_look_that_fails_ends_nothing() -> None:
    counter = Counter()
    counter.away = True
    sampling = Sampling(counter, every_s=0.01, after_s=PATIENCE_S)
    sampling.points()
    wait_until(lambda: counter.looks >= 3)
    assert sampling.points() == {}
    counter.away = False
    wait_until(lambda: bool(sampling.points()))
    sampling.close()


def test_closed_it_looks_no_more_and_begins_no_more() -> None:
    counter = Counter()
    sampling = Sampling(counter, every_s=PATIENCE_S, after_s=PATIENCE_S)
    sampling.points()
    wait_until(lambda: counter.looks == 1)
    began = time.monotonic()
    sampling.close()
    assert time.monotonic() - began < PATIENCE_S / 2
    assert threads() == []
    sampling.points()
    assert (threads(), counter.looks) == ([], 1)
