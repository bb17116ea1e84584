"""Every table of the ledger is given to whom it is about, or says why it holds nothing of anybody."""

from __future__ import annotations

from livepost.ledger.holdings import GIVEN, NOBODYS
from livepost.ledger.schema import TABLES


def test_every_table_is_given_or_says_why_not() -> None:
    given = [one.table for one in GIVEN]
    assert sorted([*given, *NOBODYS]) == sorted(TABLES)
    assert all(NOBODYS.values())
