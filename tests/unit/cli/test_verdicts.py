"""`settle`: a person's word on mails, from the command line."""

from __future__ import annotations

from contextlib import closing

from livepost.testing.contracts.ledger import START_MS, consent, decision, flown, page, settled
from tests.unit.cli.conftest import Command
from tests.unit.runtime.still import StillHouse


def waiting(house: StillHouse) -> list[str]:
    """Let a mail be unknown and two be held; return their ids, the unknown one last."""
    with closing(house.folder.ledger()) as ledger:
        after = ledger.cursor() + 1
        ledger.take_over(page(consent(after), *(decision(n, after) for n in (1, 2))), START_MS)
        ledger.hold(START_MS)
        ledger.take_over(page(decision(3, after + 1)), START_MS)
        settled(ledger, flown(ledger, ledger.claim(START_MS, 1, "w")), "unknown")
    return [decision(n).id.hex() for n in (1, 2, 3)]


def states(house: StillHouse) -> list[str]:
    with closing(house.folder.ledger()) as ledger:
        return [ledger.delivery(decision(n).id).state for n in (1, 2, 3)]  # type: ignore[union-attr]


def test_what_waits_is_listed_and_settled_one_by_one_or_all(livepost: Command, house: StillHouse) -> None:
    assert "No mail waits for a word" in livepost("settle").out
    first, _, third = waiting(house)
    listed = livepost("settle").out
    assert f"{third}  unknown  browse_reminder, marketing" in listed
    assert f"{first}  held     browse_reminder, marketing; restored from a backup" in listed
    assert livepost("settle", third[:8], "--not-sent", "--note", "not in its log").out == "1 mail settled.\n"
    assert livepost("settle", "--all", "--drop", "--campaign", "welcome").out == "0 mails settled.\n"
    assert livepost("settle", "--all", "--release").out == "2 mails settled.\n"
    assert states(house) == ["pending", "pending", "failed"]


def test_what_cannot_be_said_is_refused_with_what_to_do(livepost: Command, house: StillHouse) -> None:
    first, _, third = waiting(house)
    assert "which 0 have" in livepost("settle", third, "--release").err
    assert "which 0 have" in livepost("settle", "feedbeef", "--sent").err
    for wrong in (["--sent"], [first], [first, "--sent", "--drop"], ["--all"]):
        assert "name mails or --all" in livepost("settle", *wrong).err
    assert states(house) == ["held", "held", "unknown"]
