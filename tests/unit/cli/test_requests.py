from __future__ import annotations

import re
from contextlib import closing

from tests.unit.cli.conftest import Command
from tests.unit.runtime.still import StillHouse


def test_a_request_is_entered_extended_answered_and_shown(livepost: Command, house: StillHouse) -> None:
    assert livepost("requests", "list").out == "No request waits for an answer.\n"
    one = livepost("requests", "enter", "access", "ada", "--verified", "by a call back", "--json").json()
    assert (one["kind"], one["state"], one["way"]) == ("access", "pending", "cli")
    assert one["id"][:8] in livepost("requests", "list").out
    assert livepost("requests", "extend", one["id"][:8], "--why", "many letters").code == 0
    assert "answered, or was extended" in livepost("requests", "extend", one["id"][:8], "--why", "again").err
    assert livepost("requests", "answer", one["id"][:8], "--told", "sent by letter").code == 0
    assert "is completed already" in livepost("requests", "answer", one["id"][:8], "--told", "again").err
    shown = livepost("requests", "show", one["id"][:8], "--json").json()
    assert [step["told"] for step in shown["steps"]] == [
        "it came in",
        "its time was extended: many letters",
        "sent by letter",
    ]
    assert not re.search(r"\bada\b", livepost("requests", "show", one["id"][:8]).out)  # ids are drawn: one may spell it
    assert livepost("requests", "list", "--json").json() == []
    assert len(livepost("requests", "list", "--all", "--json").json()) == 1
    assert "got 0 that begin with ffff" in livepost("requests", "show", "ffff").err


def test_a_restriction_holds_from_the_next_claim_on_until_it_is_lifted(livepost: Command, house: StillHouse) -> None:
    assert livepost("requests", "restrict", "ada", "--verified", "by a call back").code == 0
    with closing(house.folder.ledger()) as ledger:
        [person] = [one.person for one in ledger.deliveries(limit=10)]
        assert [one.kind for one in ledger.limits(person)] == ["restricted"]
        assert livepost("requests", "unrestrict", "ada", "--told", "by a letter of 3 May").code == 0
        assert ledger.limits(person) == []
    assert "is not restricted" in livepost("requests", "unrestrict", "ada", "--told", "again").err


def test_an_objection_is_noted_for_a_purpose_or_for_all(livepost: Command, house: StillHouse) -> None:
    assert (
        "marketing is off for good"
        in livepost("requests", "object", "ada", "--verified", "x", "--purpose", "marketing").out
    )
    done = livepost("requests", "object", "ada", "--verified", "x", "--json").json()
    assert (done["kind"], done["state"]) == ("objection", "completed")
    with closing(house.folder.ledger()) as ledger:
        [person] = [one.person for one in ledger.deliveries(limit=10)]
        assert sorted(one.purpose for one in ledger.limits(person)) == ["*", "marketing"]
