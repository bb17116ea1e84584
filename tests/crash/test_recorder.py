"""A recorder that hangs, dies or is not there: its batches are taken all the same, each event once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from livepost.runtime.recorder.recorders import JOB_S, LARGE_BYTES
from tests.crash.house import House, wait_until
from tests.crash.load import send

RECORDER = "recorder-1"
VIEWS = 20


def batch(name: str) -> list[dict[str, Any]]:
    """Return calls that together are large enough for a recorder."""
    about = "x" * (LARGE_BYTES // VIEWS)
    return [
        {
            "type": "track",
            "event": "Product Viewed",
            "userId": f"user-{name}",
            "messageId": f"{name}-{number}",
            "properties": {"product_id": "p", "about": about},
        }
        for number in range(VIEWS)
    ]


def logged(house: House, name: str) -> list[str]:
    """Return the message ids of a batch as they stand in the log."""
    with closing(house.folder.log_reader()) as log:
        records = [record for block in log.read(-1, 100_000) for record in block.records()]
    return [record.message_id for record in records if record.message_id.startswith(f"{name}-")]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("recorder"))
    house.start()
    try:
        yield house
    finally:
        house.stop()


def took_s(house: House, name: str) -> float:
    """Return the seconds until a batch of this name was acknowledged."""
    began = time.monotonic()
    send(house, batch(name))
    return time.monotonic() - began


def test_a_batch_is_handed_to_a_recorder_and_one_that_hangs_costs_its_time_but_no_event(house: House) -> None:
    wait_until("a quick reply", lambda: took_s(house, "quick") < JOB_S / 2)
    pid = house.supervisor.pids()[RECORDER]
    wait_until("the recorder to ask for work", lambda: _hangs(house, pid))
    assert set(logged(house, "again")) == {call["messageId"] for call in batch("again")}


def _hangs(house: House, pid: int) -> bool:
    """Say whether a batch waited for the stopped recorder: then it was handed to it."""
    os.kill(pid, signal.SIGSTOP)
    try:
        waited = took_s(house, "slow") >= JOB_S
        return waited and took_s(house, "again") < JOB_S  # and the front does not wait for it twice
    finally:
        os.kill(pid, signal.SIGCONT)


def test_after_a_kill_batches_are_taken_and_the_next_recorder_takes_its_share(house: House) -> None:
    house.kill(RECORDER)
    send(house, batch("killed"))
    assert sorted(logged(house, "killed")) == sorted(call["messageId"] for call in batch("killed"))
    wait_until("the new recorder to ask for work", lambda: _hangs(house, house.supervisor.pids()[RECORDER]))
