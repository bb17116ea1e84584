from contextlib import closing
from typing import Any

from livepost.ledger.base import COMPLAINTS
from tests.unit.cli.conftest import Command
from tests.unit.runtime.still import MARKETING, StillHouse, look


def comes(house: StillHouse, person: str) -> list[tuple[str, str]]:
    """Let somebody who allows it look at three products; return states and reasons of all deliveries, newest first."""
    traits = {"email": f"{person}@example.com"}
    known: dict[str, Any] = {"type": "identify", "userId": person, "messageId": person, "traits": traits}
    house.take({**known, "context": MARKETING}, *(look(product, person) for product in ("a", "b", "c")))
    house.work()
    with closing(house.folder.ledger()) as ledger:
        return [(one.state, one.reason) for one in ledger.deliveries()]


def test_a_campaign_that_is_stopped_mails_nobody_until_it_is_let_go(livepost: Command, house: StillHouse) -> None:
    assert livepost("kill").out == "Nothing is stopped.\n"
    assert livepost("kill", "browse_reminder").out.startswith("browse_reminder  stopped since 20")
    assert comes(house, "bob") == [("skipped", "kill"), ("sent", "")]
    assert livepost("kill", "browse_reminder", "--off").out == "Nothing is stopped.\n"
    assert comes(house, "cyd") == [("sent", ""), ("skipped", "kill"), ("sent", "")]


def test_all_marketing_is_stopped_beside_a_campaign_of_its_own_switch(livepost: Command, house: StillHouse) -> None:
    livepost("kill", "browse_reminder")
    assert livepost("kill", "--all").out.splitlines()[0].startswith("all marketing  stopped since ")
    assert [one["campaign"] for one in livepost("kill", "--json").json()] == ["*", "browse_reminder"]
    livepost("kill", "browse_reminder", "--off")
    assert comes(house, "bob")[0] == ("skipped", "kill")
    assert livepost("kill", "--all", "--off").out == "Nothing is stopped.\n"


def test_the_mails_that_programs_ask_for_can_be_stopped_before_there_was_one(
    livepost: Command, house: StillHouse
) -> None:
    assert livepost("kill", "$send").out.startswith("$send  stopped since ")


def test_a_campaign_that_there_is_not_is_a_sentence(livepost: Command, house: StillHouse) -> None:
    told = livepost("kill", "browse_remainder")
    assert (told.code, told.out) == (1, "")
    assert "expected a campaign of this project (browse_reminder" in told.err


def test_a_name_beside_all_and_off_of_nothing_are_refused(livepost: Command, house: StillHouse) -> None:
    for words in (("browse_reminder", "--all"), ("--off",)):
        assert livepost("kill", *words).code == 2


def test_a_pause_by_complaints_is_told_and_ended_by_a_person(livepost: Command, house: StillHouse) -> None:
    with closing(house.folder.ledger()) as ledger:
        ledger.kill(COMPLAINTS, True, 1_700_000_000_000)
    assert livepost("kill").out.startswith("all marketing (too many complained)  stopped since 2023-11-14")
    assert comes(house, "bob") == [("skipped", "kill"), ("sent", "")]
    assert livepost("kill", "--all", "--off").out == "Nothing is stopped.\n"
    assert comes(house, "cyd") == [("sent", ""), ("skipped", "kill"), ("sent", "")]
