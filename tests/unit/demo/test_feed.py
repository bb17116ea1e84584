"""The feed, against a collector that listens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from threading import Event, Timer
from time import monotonic

import msgspec

from livepost.clock import DAY_MS, MINUTE_MS, ScaledClock, SimulatedClock, WallClock, anchor_clock
from livepost.demo.feed import BYTES_A_BATCH, EVENTS_A_BATCH, Account, Feed, Sent
from livepost.demo.happenings import Happening
from livepost.demo.stock import Stock
from tests.unit.demo.collector import DROP, Collector, collector

NOW = 1_797_012_487_000


def _event(at_ms: int, household: int = 1, basket: int = 0, **properties: str) -> Happening:
    return Happening(at_ms, household, {"messageId": f"m-{household}-{at_ms}", "properties": properties}, basket)


def _feed(heard: Collector, events: list[Happening], now_ms: int = NOW) -> Feed:
    return Feed(Stock(events), url=heard.url, secret_key="sk", clock=SimulatedClock(now_ms))


def _run_until(feed: Feed, heard: Collector, events: int) -> Account:
    """Run the feed until so many events were heard, then stop it."""
    stop = Event()
    deadline = monotonic() + 10

    def look() -> None:
        if len(heard.events) >= events or monotonic() > deadline:
            stop.set()
        else:
            Timer(0.005, look).start()

    look()
    return feed.run(stop)


def test_events_are_sent_with_their_time_shifted_to_the_start() -> None:
    with collector() as heard:
        _feed(heard, [_event(-MINUTE_MS), _event(0)]).run(Event())
    assert [event["timestamp"] for event in heard.events] == ["2026-12-11T18:07:07.000Z", "2026-12-11T18:08:07.000Z"]
    assert all("sentAt" not in event for event in heard.events)


def test_nothing_is_sent_before_its_time() -> None:
    with collector() as heard:
        account = _run_until(_feed(heard, [_event(0), _event(1)]), heard, events=1)
    assert [event["messageId"] for event in heard.events] == ["m-1-0"]
    assert account.fed_through_ms == NOW


def test_a_feed_ends_when_nothing_is_left() -> None:
    with collector() as heard:
        account = _feed(heard, [_event(0)]).run(Event())
    assert account.acknowledged == account.sent == len(heard.events) == 1


def test_a_feed_told_to_stop_sends_no_more() -> None:
    with collector() as heard:
        stop = Event()
        stop.set()
        account = _feed(heard, [_event(0)]).run(stop)
    assert heard.events == []
    assert account.sent == 0


def test_batches_hold_at_most_a_hundred_events() -> None:
    with collector() as heard:
        _feed(heard, [_event(-each) for each in range(EVENTS_A_BATCH * 3 + 1)][::-1]).run(Event())
    assert max(map(len, heard.batches)) == EVENTS_A_BATCH
    assert len(heard.events) == EVENTS_A_BATCH * 3 + 1


def test_batches_stay_below_the_collector_s_limit_of_bytes() -> None:
    long = "x" * 30_000
    with collector() as heard:
        _feed(heard, [_event(-each, text=long) for each in range(30)][::-1]).run(Event())
    assert BYTES_A_BATCH - 31_000 < max(heard.sizes) <= BYTES_A_BATCH + len('{"batch":[]}')
    assert len(heard.events) == 30


def test_a_household_s_events_keep_their_order_while_batches_go_side_by_side() -> None:
    events = [_event(at_ms, household) for at_ms in range(-150, 0) for household in range(10)]
    with collector(DROP, (503, {}), DROP) as heard:
        account = _feed(heard, events).run(Event())
    times = defaultdict(list)
    for event in heard.events:
        times[event["messageId"].split("-")[1]].append(event["timestamp"])
    assert len(times) == 10
    assert all(one < other for each in times.values() for one, other in pairwise(each))
    assert account.retries == 3
    assert account.requests == account.retries + len(heard.batches)


def test_the_account_tells_between_which_moments_an_order_was_stamped() -> None:
    with collector() as heard:
        account = _feed(heard, [_event(-5, basket=77), _event(-2)]).run(Event())
    assert account.orders == [Sent(basket=77, at_ms=NOW - 5, sent_ms=NOW, acknowledged_ms=NOW)]
    assert account.longest_lag_ms == 5


def test_lags_are_told_in_real_time() -> None:
    clock = ScaledClock(WallClock().now_ms(), speed=1_000.0)
    with collector() as heard:
        stock = Stock([_event(-3_600_000, basket=77)])
        account = Feed(stock, url=heard.url, secret_key="sk", clock=clock).run(Event())
    assert 3_600 <= account.longest_lag_ms < 8_600


def test_the_feed_s_own_process_stops_at_a_signal_and_leaves_its_account(tmp_path: Path) -> None:
    anchor_clock(tmp_path, speed=20_000)
    code = (
        "import sys; from pathlib import Path; from livepost.demo.feed import run_feed; "
        "run_feed(url=sys.argv[1], secret_key='sk', data=Path(sys.argv[2]), account=Path(sys.argv[2]) / 'fed.json')"
    )
    with collector() as heard:
        child = subprocess.Popen([sys.executable, "-c", code, heard.url, str(tmp_path)], stderr=subprocess.PIPE)
        deadline = monotonic() + 60
        while len(heard.events) < 300 and child.poll() is None and monotonic() < deadline:
            Event().wait(0.02)
        os.kill(child.pid, signal.SIGTERM)
        _, errors = child.communicate(timeout=30)
    assert child.returncode == 0, errors
    account = msgspec.json.decode((tmp_path / "fed.json").read_bytes(), type=Account)
    assert account.sent == account.acknowledged == len(heard.events) >= 300
    assert account.synthetic == sum(event["messageId"].startswith("synthetic-") for event in heard.events)
    assert account.start_ms < account.fed_through_ms < account.start_ms + 30 * DAY_MS
    assert len(account.orders) == sum(event["messageId"].startswith("order-") for event in heard.events)
