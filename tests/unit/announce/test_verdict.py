"""What an answer makes of a message."""

from __future__ import annotations

import pytest

from livepost.announce.verdict import BACK_OFF_S, Verdict, verdict
from livepost.fetch.fetcher import Answer


def of(answer: Answer | int | str, sent: int = 1, tries: int = 10, chance: float = 0.0) -> Verdict:
    told = Answer(status=answer) if isinstance(answer, int) else answer
    return verdict(told, sent, tries, now_s=1_000.0, chance=chance)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_taken(status: int) -> None:
    assert of(status) == Verdict(state="delivered")


@pytest.mark.parametrize("status", [100, 199, 300, 301, 302, 304, 308, 400, 401, 404, 409, 429, 500, 502, 503, 504])
def test_any_other_answer_is_tried_again(status: int) -> None:
    found = of(status)
    assert (found.state, found.why, found.wait_s) == ("again", f"it answered {status}", 5.0)


def test_no_answer_is_tried_again_for_its_reason() -> None:
    assert of("it took too long").why == "it took too long"


def test_410_ends_it_at_any_try() -> None:
    assert {of(410, sent).state for sent in (1, 5, 10)} == {"disabled"}


def test_waits_are_those_of_the_specification_and_the_tenth_try_is_the_last() -> None:
    waits = [of(500, sent).wait_s for sent in range(1, 10)]
    assert waits == [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
    assert of(500, 10).state == "dead"
    assert of(500, 3, tries=3).state == of("refused", 1, tries=1).state == "dead"
    assert len(BACK_OFF_S) == 9


def test_waits_differ_by_a_tenth_at_most() -> None:
    assert of(500, 2, chance=0.0).wait_s == 300
    assert of(500, 2, chance=1.0).wait_s == pytest.approx(330)


def test_retry_after_makes_a_wait_longer_and_never_shorter() -> None:
    asks = {"retry-after": "60"}
    assert of(Answer(status=429, headers=asks)).wait_s == 60
    assert of(Answer(status=503, headers=asks), sent=2).wait_s == 300
    assert of(Answer(status=503, headers={"retry-after": "Thu, 01 Jan 1970 00:20:00 GMT"})).wait_s == 200
