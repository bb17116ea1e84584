from contextlib import closing

from tests.unit.cli.conftest import Command
from tests.unit.runtime.still import StillHouse

ADDRESS = ("--person", "ada", "--to", "grace@example.com")


def test_a_test_is_asked_for_and_named(livepost: Command, house: StillHouse) -> None:
    told = livepost("test-send", "browse_reminder", *ADDRESS).out
    with closing(house.folder.ledger()) as ledger:
        [one] = ledger.deliveries(campaign="$test")
    assert one.decision.id.hex() in told
    assert one.decision.cause_text == "a test of browse_reminder, asked for by command line"


def test_a_campaign_or_person_that_there_is_not_is_said_so(livepost: Command, house: StillHouse) -> None:
    assert "browse_reminder" in livepost("test-send", "reminder", *ADDRESS).err
    assert "nobody is known" in livepost("test-send", "browse_reminder", "--person", "bob", "--to", "g@example.com").err
