from __future__ import annotations

import itertools

import pytest

from livepost.ledger.moves import ALLOWED, MOVES, STATES, MoveError, check_move
from livepost.ledger.sqlite import SqliteStore
from livepost.model.decision import REASONS
from livepost.testing.contracts.ledger import ADA, START_MS, decision

FORMATS = """
- > pending; pending > skipped; claimed > skipped; pending > claimed; claimed > pending; claimed > in_flight;
in_flight > sent; in_flight > failed; in_flight > pending; in_flight > unknown; unknown > sent; unknown > failed;
unknown > pending; pending > held; claimed > held; in_flight > held; unknown > held; held > pending; held > sent;
held > skipped
"""


def test_the_table_is_that_of_formats() -> None:
    told = {tuple(one.strip().split(" > ")) for one in FORMATS.replace("\n", " ").split(";")}
    assert told == {(before or "-", after) for before, after in ALLOWED}
    assert len(ALLOWED) == len(MOVES)


@pytest.mark.parametrize(("before", "after"), list(itertools.product(("", *STATES), STATES)))
def test_only_the_moves_of_the_table_are_allowed(before: str, after: str) -> None:
    if (before, after) in ALLOWED:
        check_move(before, after, "transactional")
    else:
        with pytest.raises(MoveError, match="cannot go from"):
            check_move(before, after, "transactional")


def test_marketing_never_leaves_unknown_by_sending_again() -> None:
    with pytest.raises(MoveError, match="for a marketing mail"):
        check_move("unknown", "pending", "marketing")


@pytest.mark.parametrize(("before", "after"), list(itertools.product(STATES, STATES)))
def test_the_store_refuses_every_other_move_and_writes_nothing(before: str, after: str) -> None:
    store = SqliteStore(":memory:")
    with store.transaction():
        store.insert(decision(1, class_="transactional"), ADA, 0, START_MS)
        store.change("UPDATE deliveries SET state = ?", (before,))
    allowed = (before, after) in ALLOWED
    try:
        with store.transaction():
            row = store.row(decision(1).id)
            assert row is not None
            store.move(row, after, START_MS)  # type: ignore[arg-type]
    except MoveError:
        assert not allowed
    else:
        assert allowed
    assert store.read("SELECT state FROM deliveries") == [(after if allowed else before,)]
    assert store.read("SELECT count(*) FROM moves") == [(1 + allowed,)]


def test_the_reasons_the_checks_give_are_reasons_people_know() -> None:
    from livepost.ledger.checks import CHECKS

    order = [reason for reason, _ in REASONS]
    places = [order.index(reason) for reason, _ in CHECKS]
    assert places == sorted(places)
