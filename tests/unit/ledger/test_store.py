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
