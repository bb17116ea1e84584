"""`livepost erase`: what it prints, and when it does nothing."""

from __future__ import annotations

from livepost.cli.erasing import lines
from livepost.govern.rights.receipt import Receipt, StoreReceipt
from tests.unit.cli.conftest import Command


def test_a_receipt_is_read_by_people() -> None:
    store = StoreReceipt(
        store="vault.db", done="rows are deleted", at=0, rows={"keys": 4}, remains="in backups", until=86_400_000
    )
    receipt = Receipt(
        id="ab",
        workspace="shop",
        by="command:me",
        asked_at=0,
        live_at=83,
        done_at=1_109,
        position=7,
        subjects=4,
        stores=(store,),
        signature="cd",
    )
    told = lines(receipt)
    assert told[0].startswith(
        "Erased. Nothing of the person was to be read or sent after 83 ms; all was done after 1,109"
    )
    assert told[2] == "  vault.db             rows are deleted (4 keys)"
    assert told[3].strip() == "left: in backups, until 1970-01-02 00:00:00 UTC"
    assert "ab" in told[1] and "Signed cd" in told[-1]


def test_where_no_house_runs_nobody_is_erased(livepost: Command, house: object) -> None:
    answer = livepost("erase", "ada", "--yes")
    assert answer.code == 1
    assert "start it with `livepost run`" in answer.err
