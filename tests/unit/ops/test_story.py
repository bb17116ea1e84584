"""What happened to a person: from the rooms of a house in memory, and from records made by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from livepost.clock import HOUR_MS
from livepost.log.base import Position
from livepost.measure.click import clicked
from livepost.model.record import Origin, Record, Verdict
from livepost.model.story import (
    DecisionTaken,
    DeliveryMoved,
    EventHappened,
    Happening,
    OutcomeNoted,
    PersonStory,
    SegmentCrossed,
)
from livepost.ops import search as looking_back
from livepost.ops.evidence import Evidence, gather
from livepost.ops.search import Bounds, Searched, search
from livepost.ops.story import story_of
from livepost.testing.contracts.ledger import clicked as measured_click
from tests.unit.api.house import Asked
from tests.unit.nobody import nobody

ADA, BOB = b"a" * 16, b"b" * 16
NOTHING = Evidence(view=nobody(ADA))


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    house = Asked(tmp_path)
    yield house
    house.house.close()


def told(asked: Asked, name: str = "ada", limit: int = 1_000) -> PersonStory:
    view = asked.person(name, -1)
    assert view is not None
    evidence = gather(view, asked.house.ledger, asked.house.worker)
    outcomes = {one.decision.id: asked.house.ledger.outcomes(one.decision.id) for one in evidence.deliveries}
    return story_of(evidence, outcomes, search(asked.house.log, view.subjects, limit), limit)


def lines(entries: list[Happening]) -> list[str]:
    """Return what happened in words, the oldest first."""
    return [line(one) for one in reversed(entries)]


def line(one: Happening) -> str:
    match one:
        case EventHappened():
            return f"event {one.name}"
        case SegmentCrossed():
            return f"{'into' if one.entered else 'out of'} {one.segment}"
        case DecisionTaken():
            return f"decided {one.campaign} {one.skip}".rstrip()
        case DeliveryMoved():
            return f"{one.campaign} {one.before} > {one.after} {one.reason}".rstrip()
        case OutcomeNoted():
            return f"outcome {one.name}"


def test_a_persons_story_is_told_in_order_and_each_thing_once(asked: Asked) -> None:
    asked.knows("ada")
    asked.clock.advance(1_000)
    asked.views("ada", "tea")
    asked.clock.advance(1_000)
    asked.views("ada", "coffee")
    asked.knows("bob")
    found = told(asked)
    assert lines(found.entries) == [
        "event $identify",
        "into idle",
        "event Viewed",
        "out of idle",
        "event Viewed",
        "into keen",
        "decided nudge",
        "nudge pending > claimed",
        "nudge claimed > in_flight",
        "nudge in_flight > sent",
    ]
    assert found.complete and found.looked_back_to == asked.house.log.read(-1, 1)[0].stamp
    assert "Email Sent" in [record.name for block in asked.house.log.read(-1, 100) for record in block.records()]
    assert [one.at for one in found.entries] == sorted((one.at for one in found.entries), reverse=True)


def test_an_event_is_told_with_what_is_open_and_the_names_of_what_is_sealed(asked: Asked) -> None:
    asked.knows("ada")
    asked.views("ada", "tea")
    identify, viewed = (one for one in reversed(told(asked).entries) if isinstance(one, EventHappened))
    assert identify.consents == {"marketing": True}
    assert "first_name" in identify.sealed and "Ada" not in str(identify)
    assert (viewed.properties, viewed.origin, viewed.verdict, viewed.source) == (
        {"product": "tea"},
        "live",
        "accepted",
        "secret",
    )


def test_a_click_is_told_once_with_its_campaign_by_the_log_or_where_that_was_not_searched_by_the_ledger(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked.knows("ada")
    asked.views("ada", "tea", "coffee")
    [mail] = asked.house.ledger.deliveries()
    at = asked.clock.now_ms()
    asked.house.append([clicked(mail.decision.id, mail.person, 0, at, known=True)])
    measured_click(asked.house.ledger, mail.decision.id, at)
    [click] = [one for one in told(asked).entries if isinstance(one, OutcomeNoted)]
    assert (click.campaign, click.name, click.decision) == ("nudge", "Email Link Clicked", mail.decision.id.hex())
    assert click.position is not None and click.properties["link"] == 0
    for _ in range(3):
        asked.clock.advance(HOUR_MS)
        asked.views("bob", "tea")
    monkeypatch.setattr(looking_back, "USUAL", Bounds(records=1))
    monkeypatch.setattr(looking_back, "AT_ONCE", 1)
    short = told(asked)
    [again] = [one for one in short.entries if isinstance(one, OutcomeNoted)]
    assert (again.position, again.at, again.campaign) == (None, at, "nudge")
    assert not short.complete and short.looked_back_to > at
    assert [one for one in short.entries if isinstance(one, EventHappened)] == []


def test_two_subjects_of_one_person_have_one_story(asked: Asked) -> None:
    asked.tell({"type": "track", "event": "Viewed", "anonymousId": "x", "properties": {"product": "tea"}})
    asked.tell({"type": "identify", "userId": "ada", "anonymousId": "x"})
    asked.views("bob", "tea")
    names = [one.name for one in told(asked).entries if isinstance(one, EventHappened)]
    assert names == ["$identify", "Viewed"]


def test_a_limit_cuts_the_oldest_and_says_so(asked: Asked) -> None:
    asked.knows("ada")
    asked.views("ada", "tea", "coffee")
    whole = told(asked)
    cut = told(asked, limit=3)
    assert cut.entries == whole.entries[:3]
    assert (whole.complete, cut.complete) == (True, False)
    assert told(asked, limit=len(whole.entries)).complete


def test_what_came_twice_is_told_once_as_it_came_first() -> None:
    first = event(1, message_id="m")
    again, other = event(5, message_id="m"), event(6, message_id="m", content_hash=b"c" * 16)
    found = story_of(NOTHING, {}, Searched([other, again, first], Position(0, 0), whole=True), 10)
    assert [one.position for one in found.entries if isinstance(one, EventHappened)] == [6, 1]


def test_what_another_source_calls_a_click_is_an_event() -> None:
    found = story_of(NOTHING, {}, Searched([event(1, name="Email Link Clicked")], Position(0, 0), whole=True), 10)
    assert [one.kind for one in found.entries] == ["event"]


def test_every_verdict_and_origin_of_a_record_has_a_word() -> None:
    records = [event(1, verdict=verdict, origin=origin) for verdict in Verdict for origin in Origin]
    for record in records:
        [one] = story_of(NOTHING, {}, Searched([record], Position(0, 0), whole=True), 10).entries
        assert isinstance(one, EventHappened)
        assert (one.verdict.upper(), one.origin.upper()) == (record.verdict.name, record.origin.name)


def event(seq: int, **also: object) -> Record:
    given = {"subject": ADA, "name": "Viewed", "source": "web", "message_id": str(seq), **also}
    return Record(seq=seq, stamp=seq, **given)  # type: ignore[arg-type]
