"""The simulated house: due times on the way, rest after each call, events accounted for, ids that repeat."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from livepost.clock import HOUR_MS, MINUTE_MS, SimulatedClock
from livepost.intake.call import Call, read_call
from livepost.model.record import KeyKind, Record
from livepost.runtime.author.project import load_project
from livepost.runtime.simulated import RestlessError, SimulatedHouse
from livepost.settings.settings import Settings

START = 1_767_603_600_000
PAGE = """
from livepost import Email, Event, Profile, campaign, hours, minutes, segment, since

class Visited(Event):
    pass

class EmailSent(Event):
    campaign: str

class Visitor(Profile):
    quiet = segment(since(Visited) >= hours(1))

@campaign(audience=Visitor.quiet, wait=minutes(30))
def come_back(visitor):
    return Email("note", subject="Come back")

{more}
"""
LOOP = """
@campaign(on=EmailSent)
def mail_about_a_mail(visitor):
    return Email("note", subject="You got a mail")
"""
NOTE = "<mjml><mj-body><mj-section><mj-column><mj-text>Note</mj-text></mj-column></mj-section></mj-body></mjml>"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project of one page and one template."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "note.mjml").write_text(NOTE)
    (tmp_path / "shop.py").write_text(PAGE.replace("{more}", ""))
    return tmp_path


def house(folder: Path) -> SimulatedHouse:
    settings = Settings()
    return SimulatedHouse(load_project(folder, settings), settings, SimulatedClock(START))


def call(**parts: Any) -> Call:
    return read_call(json.dumps({"type": "track", "event": "Visited", "userId": "ada", **parts}).encode())


def known(house: SimulatedHouse) -> None:
    consent = {"consent": {"categoryPreferences": {"marketing": True}}}
    traits = {"email": "ada@example.com"}
    house.take([call(type="identify", event=None, traits=traits, context=consent)], KeyKind.SECRET)


def test_time_stops_at_every_due_time_on_the_way(folder: Path) -> None:
    simulated = house(folder)
    known(simulated)
    simulated.take([call()], KeyKind.WRITE)
    simulated.advance(5 * HOUR_MS)
    (entered,) = simulated.worker.transitions(None, "quiet", 10)
    (delivery,) = simulated.ledger.deliveries()
    assert entered.at == START + HOUR_MS
    assert (delivery.state, delivery.changed_at) == ("sent", START + 90 * MINUTE_MS)
    assert simulated.clock.now_ms() == START + 5 * HOUR_MS


def test_people_are_as_of_the_time_moved_to(folder: Path) -> None:
    simulated = house(folder)
    simulated.take([call()], KeyKind.WRITE)
    simulated.advance(MINUTE_MS)
    view = simulated.person(simulated.subject("ada") or b"")
    assert view is not None
    assert (view.as_of, view.features["since(Visited)"]) == (START + MINUTE_MS, MINUTE_MS)


def test_standing_still_serves_what_fell_due_only_afterwards(folder: Path) -> None:
    simulated = house(folder)
    known(simulated)
    simulated.take([call()], KeyKind.WRITE)
    simulated.stand_still(5 * HOUR_MS)
    (delivery,) = simulated.ledger.deliveries()
    assert (delivery.reason, delivery.changed_at) == ("stale", START + 5 * HOUR_MS)


def test_every_event_is_accounted_for_also_those_the_house_brings_itself(folder: Path) -> None:
    simulated = house(folder)
    known(simulated)
    simulated.take([call(messageId="1"), call(messageId="1"), call(event=None)], KeyKind.WRITE)
    simulated.advance(2 * HOUR_MS)
    fates = simulated.fates()
    assert fates == {
        "accepted": 5,
        "processed": 3,
        "duplicate": 1,
        "filtered": 0,
        "quarantined": 0,
        "dead_lettered": 1,
        "in_flight": 0,
    }


def test_an_event_that_nobody_handed_in_would_be_found(folder: Path) -> None:
    """The negative control: what reaches the log past the intake breaks the equation."""
    simulated = house(folder)
    simulated.take([call()], KeyKind.WRITE)
    simulated.log.append([Record(message_id="smuggled", subject=b"s" * 16)])
    fates = simulated.fates()
    assert fates.pop("accepted") != sum(fates.values())


def test_a_mail_that_brings_a_mail_is_told_instead_of_going_on_for_ever(folder: Path) -> None:
    (folder / "shop.py").write_text(PAGE.replace("{more}", LOOP))
    simulated = house(folder)
    known(simulated)
    simulated.take([call()], KeyKind.WRITE)
    with pytest.raises(RestlessError, match="does a campaign start on an event that its own mail brings"):
        simulated.advance(5 * HOUR_MS)


def test_a_withdrawal_is_in_the_ledger_and_in_the_log(folder: Path) -> None:
    simulated = house(folder)
    known(simulated)
    ada = simulated.subject("ada") or b""
    simulated.withdraw(ada, "marketing")
    view = simulated.person(ada)
    assert view is not None
    assert view.consents == {"marketing": False}
    assert simulated.ledger.unechoed(10) == []


def test_subjects_are_found_by_userid_first_and_nobody_is_made_by_asking(folder: Path) -> None:
    simulated = house(folder)
    simulated.take([call(userId=None, anonymousId="ada"), call(userId="ada")], KeyKind.WRITE)
    ada = simulated.subject("ada") or b""
    assert simulated.vault.keys(ada).kind == "user"
    assert simulated.subject("bob") is None
    assert simulated.person(b"x" * 16) is None


def test_two_houses_that_hear_the_same_give_the_same_ids(folder: Path) -> None:
    assert _told(house(folder)) == _told(house(folder))


def _told(simulated: SimulatedHouse) -> list[bytes]:
    known(simulated)
    simulated.take([call(), call(userId="bob")], KeyKind.WRITE)
    simulated.advance(2 * HOUR_MS)
    return [one.id for one in simulated.worker.transitions(None, None, 10)] + [
        one.decision.id for one in simulated.ledger.deliveries()
    ]


def visits_of_a_day(made: SimulatedHouse) -> None:
    """Forty people come one after the other, 18 minutes apart."""
    allowed = {"consent": {"categoryPreferences": {"marketing": True}}}
    for number in range(40):
        made.take([call(userId=f"visitor-{number}", messageId=f"m{number}", context=allowed)], KeyKind.SECRET)
        made.clock.advance(18 * MINUTE_MS)


def of_the_day(made: SimulatedHouse) -> tuple[list[tuple[bytes, int]], dict[bytes, tuple[int, str]]]:
    """Return transitions as (id, at), and decisions by id: at, skip."""
    decided = [delivery.decision for delivery in made.ledger.deliveries(limit=1_000)]
    crossed = made.worker.transitions(None, None, 1_000)
    return sorted((one.id, one.at) for one in crossed), {one.id: (one.at, one.skip) for one in decided}


def test_a_house_that_was_down_for_a_day_crosses_and_decides_as_one_that_was_there_but_what_is_stale(
    folder: Path,
) -> None:
    there, away = house(folder), house(folder)
    for made in (there, away):
        visits_of_a_day(made)
    there.advance(24 * HOUR_MS)
    away.stand_still(24 * HOUR_MS)
    crossed, decided = of_the_day(there)
    crossed_late, decided_late = of_the_day(away)
    assert crossed_late == crossed and len(crossed) == 40
    assert {id: at for id, (at, _) in decided_late.items()} == {id: at for id, (at, _) in decided.items()}
    assert len(decided) == 40
    back = away.log.last().stamp
    stale = {id for id, (at, skip) in decided_late.items() if skip == "stale"}
    assert stale and all(back - decided_late[id][0] > HOUR_MS for id in stale)
    assert all(skip != "stale" for _, skip in decided.values())
    for made in (there, away):
        made.close()
