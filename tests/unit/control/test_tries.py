"""Tries that failed: counted before they are judged, forgotten in time."""

from __future__ import annotations

from pathlib import Path

import pytest

from livepost.control.sqlite import ControlStore
from livepost.control.tries import KNOWN_MS, REMEMBERED_MS, Tries

NOW = 1_767_603_600_000


@pytest.fixture
def store(tmp_path: Path) -> ControlStore:
    return ControlStore(tmp_path / "control.db")


@pytest.fixture
def tries(store: ControlStore) -> Tries:
    return Tries(store, bytes(32))


def three(failures: int) -> int:
    return 1_000 if failures >= 3 else 0


def test_a_try_too_many_waits_and_is_not_counted(tries: Tries) -> None:
    assert [tries.charge([("a", three)], NOW) for _ in range(5)] == [0, 0, 0, 1_000, 1_000]
    assert tries.charge([("a", three)], NOW + 400) == 600
    assert tries.charge([("b", three)], NOW) == 0
    assert tries.charge([("a", three)], NOW + 1_000) == 0
    assert tries.charge([("a", three), ("b", three)], NOW + 1_000) == 1_000


def test_who_gets_in_begins_anew_from_a_place_that_is_known(tries: Tries) -> None:
    for _ in range(3):
        tries.charge([("a", three)], NOW)
    assert not tries.knows("home")
    tries.clear(["a"], "home", NOW)
    assert tries.charge([("a", three)], NOW) == 0
    assert tries.knows("home")


def test_what_is_old_is_forgotten(tries: Tries, store: ControlStore) -> None:
    tries.charge([("a", three)], NOW)
    tries.clear([], "home", NOW)
    tries.charge([], NOW + REMEMBERED_MS)
    assert store.read("SELECT count(*) FROM tries") == [(1,)]
    tries.charge([], NOW + KNOWN_MS)
    assert store.read("SELECT count(*) FROM tries") == [(0,)]


def test_nothing_tells_whose_they_are(tries: Tries, store: ControlStore) -> None:
    tries.charge([("pair:ada@example.com:192.0.2.1", three)], NOW)
    assert "ada" not in str(store.read("SELECT * FROM tries"))
