"""`broadcast`, as far as it goes without a house that runs; tests/real/test_broadcast.py has the rest."""

from __future__ import annotations

from contextlib import closing

from msgspec.structs import replace

from livepost.ledger.base import AskedBroadcast
from livepost.testing.contracts.broadcasts import LETTER, NEXT_LETTER, letter_to_three
from tests.unit.cli.conftest import Command
from tests.unit.runtime.still import StillHouse

AT = 1_767_603_600_000
WAITS = AskedBroadcast(id=b"\xb1" * 16, campaign="letter", message_id="m1", asked_at=AT, asked_by="ada", people=12_345)


def test_broadcasts_are_listed_with_who_asked_and_what_to_do(livepost: Command, house: StillHouse) -> None:
    assert livepost("broadcast").out == "Nothing was broadcast yet.\n"
    assert livepost("broadcast", "--json").json() == []
    with closing(house.folder.ledger()) as ledger:
        ledger.ask_broadcast(WAITS)
        ledger.ask_broadcast(replace(WAITS, id=b"\xb2" * 16, asked_at=house.folder.clock.now_ms()))
    waits, lapsed = livepost("broadcast").out.splitlines()
    assert waits.startswith("b2b2b2b2  waiting  letter  to 12,345 people, asked for ")
    assert waits.endswith(" by ada; `livepost broadcast --approve b2b2b2b2` begins it")
    assert lapsed == (
        "b1b1b1b1  lapsed   letter  to 12,345 people, asked for 2026-01-05 09:00:00 UTC by ada; "
        "nobody approved it within 24 hours; `livepost broadcast letter` asks anew"
    )
    with closing(house.folder.ledger()) as ledger:
        ledger.approve_broadcast(WAITS.id, 12_345, "bob", AT)
        assert "approved letter" in livepost("broadcast").out
        ledger.begin_broadcast(WAITS.id, 7, AT)
    _, told = livepost("broadcast", "--json").json()
    assert (told["state"], told["approved_by"], told["position"]) == ("begun", "bob", 7)
    assert told["counts"]["decided"] == 0


def test_what_became_of_each_broadcast_is_a_line_below_it(livepost: Command, house: StillHouse) -> None:
    with closing(house.folder.ledger()) as ledger:
        letter_to_three(ledger)
    newer, older = livepost("broadcast").out.splitlines()[1::2]
    assert newer.strip() == "1 decided: 1 pending; 0 sent; 0 delivered; 0 opened; 0 clicked; 0 ordered"
    assert older.strip() == (
        "3 decided: 1 held out to measure the campaign's effect; 2 sent; 0 delivered; 0 opened; 1 clicked; 0 ordered"
    )
    counts = {one["id"]: one["counts"] for one in livepost("broadcast", "--json").json()}
    assert counts[LETTER.hex()]["held_out"] == 1 and counts[NEXT_LETTER.hex()]["by_state"] == {"pending": 1}


def test_what_is_no_broadcast_is_a_sentence(livepost: Command, house: StillHouse) -> None:
    told = livepost("broadcast", "browse_reminder", "--yes")
    assert (told.code, told.out) == (1, "")
    assert "expected a campaign made by @broadcast (none), got browse_reminder" in told.err


def test_an_approval_names_one_that_is_there(livepost: Command, house: StillHouse) -> None:
    told = livepost("broadcast", "--approve", "b1", "--yes")
    assert told.code == 1 and "expected the id of one broadcast, or how it begins, got b1, which 0 have" in told.err
    with closing(house.folder.ledger()) as ledger:
        ledger.ask_broadcast(WAITS)
    assert "nobody is there to be asked; say --yes" in livepost("broadcast", "--approve", "b1").err
    assert "no answer from front" in livepost("broadcast", "--approve", "b1", "--yes").err


def test_a_name_beside_an_approval_is_refused(livepost: Command, house: StillHouse) -> None:
    assert livepost("broadcast", "letter", "--approve", "b1").code == 2
