from __future__ import annotations

import pytest

from livepost.ledger.sqlite import SqliteStore
from livepost.testing.contracts.ledger import ADA, START_MS, decision


def test_an_error_inside_a_transaction_leaves_nothing_behind() -> None:
    store = SqliteStore(":memory:")
    with pytest.raises(RuntimeError), store.transaction():
        store.insert(decision(1), ADA, 0, START_MS)
        raise RuntimeError
    with store.transaction():
        store.insert(decision(2), ADA, 0, START_MS)
    assert store.read("SELECT id FROM deliveries") == [(decision(2).id,)]
    assert store.read("SELECT count(*) FROM moves") == [(1,)]
    assert store.read("SELECT sum(count) FROM tallies") == [(1,)]


def test_a_group_is_written_together_and_seen_by_whatever_is_asked_then() -> None:
    store = SqliteStore(":memory:")
    with store.transaction():
        rows = [store.insert(decision(number), ADA, 0, START_MS) for number in (1, 2)]
        for row in rows:
            store.move(row, "claimed", START_MS, worker="w")
        store.move(rows[0], "pending", START_MS, worker="")
        assert store.rows("SELECT state, worker FROM deliveries ORDER BY number") == [("pending", ""), ("claimed", "w")]
    assert store.read("SELECT after FROM moves WHERE delivery = 1 ORDER BY number") == [
        ("pending",),
        ("claimed",),
        ("pending",),
    ]
