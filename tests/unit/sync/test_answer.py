"""One table by status, for all vendors."""

from __future__ import annotations

import pytest

from livepost.fetch.fetcher import Answer
from livepost.sync.answer import BACK_OFF_S, Verdict, verdict


def of(answer: Answer | int | str, tries: int = 0, *, fine: tuple[int, ...] = (), chance: float = 0.0) -> Verdict:
    told = Answer(status=answer) if isinstance(answer, int) else answer
    return verdict(told, frozenset(fine), tries, vendor="braze", now_s=1_000.0, chance=chance)


@pytest.mark.parametrize(
    ("status", "way"),
    [
        *((status, "on") for status in (200, 201, 202, 204, 207)),
        *((status, "cut") for status in (400, 413, 422)),
        *((status, "again") for status in (301, 401, 403, 404, 408, 409, 429, 500, 502, 503, 504)),
    ],
)
def test_a_status_is_one_way(status: int, way: str) -> None:
    assert of(status).way == way


def test_what_a_talk_expects_is_no_failure() -> None:
    assert of(404, fine=(404,)).way == "on"
    assert of(400, fine=(400,)).way == "on"


def test_waits_grow_to_a_bound_and_retry_after_makes_them_longer() -> None:
    assert [of(500, tries).wait_s for tries in range(8)] == [*BACK_OFF_S, 900, 900, 900]
    assert of(500, chance=1.0).wait_s == 5.5
    assert of(Answer(status=429, headers={"retry-after": "77"})).wait_s == 77
    assert of(Answer(status=429, headers={"retry-after": "1"})).wait_s == 5
    assert of("it took too long") == Verdict(way="again", why="it took too long", wait_s=5)


def test_the_words_have_nothing_of_the_body() -> None:
    assert of(Answer(status=500, body=b"ada@example.com")).why == "braze answered 500"
