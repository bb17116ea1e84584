"""The audit's page: who did what, one person's alone, and the chain looked through when it is asked for."""

from __future__ import annotations

from livepost.audit.verify import Finding, Verdict
from livepost.ops.audit_trail import EntryLine
from tests.unit.console.told import START, Browser, ToldHouse

ADA = "0" * 31 + "a"
READ = EntryLine(number=2, at=START, by="key:crm", did="person.read", about="", people=[ADA])
KILLED = EntryLine(number=1, at=START, by="session:7", did="campaign.killed", about="win_back", people=[])
WHOLE = Verdict(entries=2, heads=1, vouched=2, findings=[])
BROKEN = Verdict(entries=2, heads=1, vouched=0, findings=[Finding(number=2, wrong="an entry is gone")])


def house(verdict: Verdict = WHOLE) -> ToldHouse:
    asked = {ADA: [READ]}
    return ToldHouse(
        audit=lambda person, limit: asked[person.hex()] if person else [READ, KILLED], audit_verdict=verdict
    )


def test_entries_say_who_did_what_and_lead_to_the_person() -> None:
    text = Browser(house()).get("/audit").text
    assert "key:crm" in text
    assert "win_back" in text
    assert f'href="/audit?person={ADA}"' in text
    assert "It is whole" not in text  # it was not asked


def test_of_one_person_only_what_is_about_them_and_that_is_noted() -> None:
    browser = Browser(house())
    text = browser.get("/audit", {"person": ADA}).text
    assert "person.read" in text
    assert "win_back" not in text
    assert [(deed.did, deed.people) for _, deed in browser.noted] == [("audit.read", (bytes.fromhex(ADA),))]


def test_what_is_no_subject_is_refused() -> None:
    assert Browser(house()).get("/audit", {"person": "ada@example.com"}).status_code == 400


def test_the_whole_chain_is_looked_through_when_it_is_asked_for() -> None:
    assert "It is whole" in Browser(house()).post("/audit", {"act": "verify"}).text
    text = Browser(house(BROKEN)).post("/audit", {"act": "verify"}).text
    assert "It is not whole" in text
    assert "from entry 2: an entry is gone" in text


def test_who_may_not_read_it_is_not_shown_it() -> None:
    assert Browser(house(), role="marketer").get("/audit").status_code == 403
    assert Browser(house(), role="auditor").get("/audit").status_code == 200
