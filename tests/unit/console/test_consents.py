from __future__ import annotations

from livepost.model.consent import ConsentEvent, ConsentTally
from tests.unit.console.told import START, Browser, ToldHouse

GIVEN = ConsentEvent(
    number=1,
    person=bytes(16),
    purpose="marketing",
    channel="email",
    step=1,
    layer="engine",
    state="given",
    allowed=True,
    at=START,
    how="event",
    source="web",
    message_id="m1",
    position=7,
    words="",
)


def tally(purpose: str, state: str, people: int) -> ConsentTally:
    return ConsentTally(purpose=purpose, channel="email", state=state, people=people)  # type: ignore[arg-type]


def test_people_are_counted_by_purpose_and_state_and_signals_are_no_purposes() -> None:
    told = [tally("marketing", "given", 1_204), tally("marketing", "withdrawn", 3), tally("topic:news", "refused", 2)]
    house = ToldHouse(consent_counts=[*told, tally("gpc:ads", "refused", 9)], newest_consents=[GIVEN])
    text = Browser(house).get("/consents").text
    assert "<td>marketing</td>" in text and '<td class="n">1,204</td>' in text
    assert "<td>topic:news</td>" in text and "gpc:ads" not in text
    assert f'<a href="/people/{"00" * 16}">' in text and '<span class="good">given</span>' in text


def test_where_nobody_said_anything_it_says_so() -> None:
    assert (
        "Nobody said anything yet." in Browser(ToldHouse(consent_counts=[], newest_consents=[])).get("/consents").text
    )
