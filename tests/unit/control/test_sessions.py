"""Sessions as kept: by a hash, until they end, idle or not."""

from __future__ import annotations

from pathlib import Path

import pytest

from livepost.control.sessions import SessionTable
from livepost.control.sqlite import ControlStore
from livepost.control.users import Users

NOW = 1_767_603_600_000
IDLE, HOUR = 600_000, 3_600_000


@pytest.fixture
def store(tmp_path: Path) -> ControlStore:
    return ControlStore(tmp_path / "control.db")


@pytest.fixture
def table(store: ControlStore) -> SessionTable:
    return SessionTable(store, IDLE)


def test_a_session_is_found_by_its_word_which_is_not_kept(table: SessionTable, store: ControlStore) -> None:
    ada = Users(store, bytes(32)).add("Ada", "ada@example.com", "auditor", NOW)
    word = table.begin(ada.id, NOW, NOW + HOUR)
    found = table.find(word, NOW + 1)
    assert found is not None
    assert (found.user, found.role, found.begun_ms, found.ends_ms) == (ada.id, "auditor", NOW, NOW + HOUR)
    assert table.find(word + "a", NOW) is None
    assert word not in str(store.read("SELECT * FROM sessions"))
    other = SessionTable(store, IDLE)
    assert other.find(word, NOW) == found


def test_it_ends_when_nobody_uses_it_and_at_its_end_however_much_it_is_used(table: SessionTable) -> None:
    word = table.begin(None, NOW, NOW + HOUR)
    assert table.find(word, NOW + IDLE - 1)
    assert table.find(word, NOW + IDLE) is None
    for at in range(NOW, NOW + HOUR, IDLE // 2):
        found = table.find(word, at)
        assert found is not None
        table.touch(found.id, at)
    assert table.find(word, NOW + HOUR - 1)
    assert table.find(word, NOW + HOUR) is None


def test_one_is_ended_by_its_own_user_only_and_does_not_come_back(table: SessionTable, store: ControlStore) -> None:
    users = Users(store, bytes(32))
    ada, bob = (users.add(name, f"{name}@example.com", "owner", NOW) for name in ("ada", "bob"))
    word = table.begin(ada.id, NOW, NOW + HOUR)
    [session] = table.of(ada.id, NOW)
    assert not table.end_of(bob.id, session.id)
    assert table.find(word, NOW)
    assert table.end_of(ada.id, session.id)
    table.touch(session.id, NOW + 1)
    assert table.find(word, NOW + 1) is None
    assert table.of(ada.id, NOW) == []


def test_those_that_ended_are_forgotten_by_the_way(table: SessionTable, store: ControlStore) -> None:
    table.begin(None, NOW, NOW + HOUR)
    table.begin(None, NOW + IDLE, NOW + HOUR)
    assert store.read("SELECT count(*) FROM sessions") == [(1,)]
