"""The key-encryption key of a house that runs is rotated while calls come in, and again where the front is killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import httpx
import pytest

from livepost.errors import StoreError
from livepost.vault.base import USER, ExternalId
from livepost.vault.kek.memory import MemoryKeks
from livepost.vault.sqlite import SqliteVault
from tests.crash.house import House, wait_until

SHOP = Path(__file__).parents[1] / "journeys/keys"
PEOPLE = 1_500


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "data", SHOP)
    made.start()
    yield made
    made.stop()


def tell(house: House, first: int, count: int) -> None:
    """Tell of so many people, a hundred a call."""
    for number in range(first, first + count, 100):
        calls = [
            {"type": "track", "event": "Product Viewed", "userId": f"u{n}", "properties": {"product_id": "tea"}}
            for n in range(number, number + 100)
        ]
        url = f"http://localhost:{house.folder.port}/v1/batch"
        assert httpx.post(url, json={"batch": calls}, auth=(house.secret_key, "")).status_code == 200


def rotated(house: House) -> dict[str, int]:
    """Rotate as a person would, and return what the command said."""
    told = subprocess.run(
        [sys.executable, "-m", "livepost.cli", "keys", "rotate", "--json"],
        cwd=SHOP,
        env={**os.environ, "LIVEPOST_DATA": str(house.folder.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    answer: dict[str, int] = json.loads(told.stdout)
    return answer


def known(house: House, keks: MemoryKeks) -> int:
    """Return how many of the people a vault opened with these keys knows, with their key."""
    with closing(SqliteVault(house.folder.path / "vault.db", keks, readonly=True)) as vault:
        found = [vault.find(ExternalId(USER, f"u{number}")) for number in range(PEOPLE)]
        return sum(one is not None for one in found)


def test_calls_come_in_while_the_key_is_rotated_and_the_new_one_opens_everybody(house: House) -> None:
    tell(house, 0, PEOPLE)
    (old,) = house.folder.keks.read()
    done, told = Event(), []

    def busy() -> None:
        while not done.is_set():
            tell(house, PEOPLE + 100 * len(told), 100)
            told.append(1)

    thread = Thread(target=busy)
    thread.start()
    try:
        assert rotated(house)["retired"] == 1
    finally:
        done.set()
        thread.join()
    assert told
    new, retired = house.folder.keks.read()
    assert (retired.key, retired.retired) == (old.key, True)
    assert known(house, MemoryKeks(new.key)) == PEOPLE
    with pytest.raises(StoreError, match="does not open"):
        known(house, MemoryKeks(old.key))


def test_a_rotation_whose_front_is_killed_is_ended_by_the_next(house: House) -> None:
    tell(house, 0, PEOPLE)
    house.folder.keks.add()  # as a front leaves it that was killed behind its first step
    house.kill("front")
    wait_until("the older key to be retired", lambda: house.folder.keks.read()[1].retired)
    newest = house.folder.keks.read()[0]
    assert known(house, MemoryKeks(newest.key)) == PEOPLE
