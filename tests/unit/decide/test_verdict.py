"""The verdict on a due mail: which reason comes first, and where each begins to hold."""

from __future__ import annotations

from typing import Any

import pytest

from livepost.decide.verdict import judge, spoken
from livepost.ids import digest
from livepost.model.compiled import CampaignSpec, CapSpec
from livepost.model.journal import Consent, Journal, Memory
from livepost.model.moment import Moment

HOUR, DAY = 3_600_000, 86_400_000
NOW = 1_767_225_600_000
PERSON = b"p" * 16
YES = {"marketing": Consent(1, "m", True, "web")}
NO = {"marketing": Consent(1, "m", False, "web")}


def spec(**rest: Any) -> CampaignSpec:
    return CampaignSpec(name="c", audience="s", **rest)


def skip(
    campaign: CampaignSpec, consents: dict[str, Consent] = YES, memory: Memory | None = None, lateness: int = 0
) -> str:
    book = Journal(consents=consents)
    return judge(campaign, PERSON, book, memory or Memory(), Moment(NOW, 1, lateness_ms=lateness)).skip


def test_nothing_against_a_mail_is_an_empty_verdict() -> None:
    assert skip(spec()) == ""


def test_consent_comes_before_holdout_before_cap_before_stale() -> None:
    campaign = spec(cap=CapSpec(1, DAY), holdout=1.0)
    full = Memory(decided=[NOW - 1])
    late = campaign.fresh_ms + 1
    assert skip(campaign, NO, full, late) == "consent"
    assert skip(campaign, YES, Memory(decided=[NOW - 1]), late) == "holdout"
    kept = Memory(decided=[NOW - 1], held_out=(NOW, False))
    assert skip(campaign, YES, kept, late) == "cap"
    assert skip(campaign, YES, Memory(held_out=(NOW, False)), late) == "stale"


def test_marketing_needs_a_yes_for_its_own_purpose() -> None:
    assert [skip(spec(), {}), skip(spec(), NO), skip(spec(purpose="service"), YES)] == ["consent"] * 3


def test_a_transactional_mail_needs_no_consent() -> None:
    assert skip(spec(class_="transactional"), NO) == ""


@pytest.mark.parametrize(("age", "verdict"), [(DAY - 1, "cap"), (DAY, "")])
def test_a_cap_forgets_a_mail_at_the_millisecond_its_time_is_over(age: int, verdict: str) -> None:
    assert skip(spec(cap=CapSpec(1, DAY)), memory=Memory(decided=[NOW - age])) == verdict


@pytest.mark.parametrize(("mails", "verdict"), [(1, ""), (2, "cap")])
def test_a_cap_is_reached_with_as_many_mails_as_it_allows(mails: int, verdict: str) -> None:
    assert skip(spec(cap=CapSpec(2, DAY)), memory=Memory(decided=[NOW - 5] * mails)) == verdict


@pytest.mark.parametrize(("lateness", "verdict"), [(HOUR, ""), (HOUR + 1, "stale")])
def test_a_mail_is_stale_a_millisecond_after_its_freshness(lateness: int, verdict: str) -> None:
    assert skip(spec(fresh_ms=HOUR), lateness=lateness) == verdict


def test_who_is_held_out_is_drawn_from_the_campaign_and_the_person() -> None:
    people = [digest("person", n) for n in range(200)]
    out = [p for p in people if int.from_bytes(digest("c", p, size=8), "big") < 0.25 * 2**64]
    told = [p for p in people if judge(spec(holdout=0.25), p, Journal(YES), Memory(), Moment(NOW, 1)).skip]
    assert told == out
    assert 25 < len(out) < 75


def test_a_drawn_place_is_kept_with_its_time_even_if_the_share_changes() -> None:
    memory = Memory()
    assert skip(spec(holdout=0.0), memory=memory) == ""
    assert memory.held_out == (NOW, False)
    assert skip(spec(holdout=1.0), memory=memory) == ""


def test_nobody_is_drawn_while_consent_is_missing() -> None:
    memory = Memory()
    assert skip(spec(holdout=1.0), NO, memory) == "consent"
    assert memory.held_out is None


def test_a_verdict_says_its_numbers() -> None:
    memory = Memory(decided=[NOW - 5, NOW - 6])
    moment = Moment(NOW, 1, lateness_ms=2 * HOUR)
    details = [
        judge(spec(), PERSON, Journal(), Memory(), moment).detail,
        judge(spec(), PERSON, Journal(NO), Memory(), moment).detail,
        judge(spec(holdout=1.0), PERSON, Journal(YES), Memory(), moment).detail,
        judge(spec(cap=CapSpec(2, 7 * DAY)), PERSON, Journal(YES), memory, moment).detail,
        judge(spec(), PERSON, Journal(YES), Memory(), moment).detail,
    ]
    assert details == [
        "marketing: never given",
        "marketing: withdrawn or refused",
        "one of 100% left out",
        "2 of 2 in 7 days",
        "due 2 hours before it could be decided",
    ]


@pytest.mark.parametrize(
    ("ms", "words"),
    [(DAY, "1 day"), (36 * HOUR, "36 hours"), (90_000, "90 seconds"), (1_500, "1.5 seconds"), (0, "0 seconds")],
)
def test_a_duration_is_spoken_in_its_largest_whole_unit(ms: int, words: str) -> None:
    assert spoken(ms) == words


def test_a_topic_switched_off_stops_marketing_of_it_alone() -> None:
    off = {**YES, "topic:tea": Consent(1, "m", False, "web")}
    on = {**YES, "topic:tea": Consent(1, "m", True, "web")}
    assert skip(spec(topic="tea"), off) == "topic"
    assert skip(spec(topic="tea", class_="transactional"), off) == ""
    assert [skip(spec(topic="tea"), YES), skip(spec(topic="tea"), on), skip(spec(topic="pot"), off)] == [""] * 3
    assert skip(spec(topic="tea"), {**off, **NO}) == "consent"
    assert skip(spec(topic="tea", holdout=1.0), off) == "topic"
