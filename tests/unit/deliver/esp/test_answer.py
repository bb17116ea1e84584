"""What an answer means, and what is kept of its words."""

from __future__ import annotations

import doctest

import pytest

from livepost.deliver.answer import TEXT_CHARS
from livepost.deliver.esp import answer as module
from livepost.deliver.esp.answer import Answer, by_status, meaning, names, without, words


def test_the_examples_of_the_module_hold() -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("statuses", "state"),
    [
        ((400, 406, 410, 411, 413, 414, 415, 422, 428, 431, 451, 499), "failed"),
        ((401, 402, 403, 404, 405, 407, 408, 420, 421, 423, 425, 429), "temporary"),
        ((100, 200, 204, 299, 301, 302, 304, 307, 308, 399, 409), "unknown"),
        ((500, 501, 502, 503, 504, 505, 520, 599, 600, 999), "unknown"),
    ],
)
def test_a_status_is_definite_only_where_it_proves_something(statuses: tuple[int, ...], state: str) -> None:
    assert {by_status(status, asks_to_wait=False) for status in statuses} == {state}


def test_only_a_503_gets_better_by_naming_a_time() -> None:
    answers = {status: by_status(status, asks_to_wait=True) for status in (200, 400, 429, 500, 502, 503, 504)}
    assert [status for status in answers if answers[status] != by_status(status, asks_to_wait=False)] == [503]
    assert answers[503] == "temporary"


@pytest.mark.parametrize("read", ["sent", "queued"])
def test_taken_is_only_what_both_the_status_and_the_answer_say(read: str) -> None:
    assert meaning(Answer(status=202), read, {}) == "sent"
    assert meaning(Answer(status=500), read, {}) == "unknown"
    assert meaning(Answer(status=422), read, {}) == "failed"


@pytest.mark.parametrize(("read", "state"), [("rejected", "failed"), ("invalid", "failed"), ("unknown", "unknown")])
def test_a_200_may_be_a_refusal(read: str, state: str) -> None:
    assert meaning(Answer(status=200), read, {}) == state


def test_a_name_that_is_known_goes_before_the_status() -> None:
    one = Answer(status=422, body=b'{"ErrorCode": 412, "Message": "pending"}')
    assert meaning(one, "", {"412": "temporary"}) == "temporary"
    assert meaning(one, "", {"406": "temporary"}) == "failed"


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (Answer(status=400, headers={"x-amzn-errortype": "MessageRejected:http://a/"}), ["MessageRejected"]),
        (Answer(status=400, body=b'{"__type": "com.amazonaws#Throttled"}'), ["Throttled"]),
        (Answer(status=500, body=b'{"code": -2, "name": "ValidationError"}'), ["-2", "ValidationError"]),
        (Answer(status=400, body=b'{"Messages": [{"Errors": [{"ErrorCode": "mj-0013"}]}]}'), ["mj-0013"]),
        (Answer(status=200, body=b'{"ErrorCode": 0, "code": true, "name": null}'), []),
        (Answer(status=500, body=b"\xff not json"), []),
        (Answer(status=500, body=b"[" * 50_000), []),
        (Answer(status=500, body=b'{"a":' * 20 + b'{"code": "deep"}' + b"}" * 20), []),
    ],
)
def test_a_providers_own_names_are_found_where_each_writes_them(answer: Answer, found: list[str]) -> None:
    assert names(answer) == found


def test_words_are_one_line_without_addresses_and_keys() -> None:
    body = b'{"errors": [{"message": "no <ada@example.com>\\nwith k3y"}, {"message": "Ada?"}], "message": "twice"}'
    told = words(Answer(status=400, body=body), "", "ada@example.com", "k3y")
    assert told == "400 no (address) with (key): (address)?: twice"
    assert len(words(Answer(status=400, body=b'{"message": "' + b"x" * 999 + b'"}'), "", "a@b.c", "")) == TEXT_CHARS


def test_what_our_library_read_is_told_where_it_is_a_refusal() -> None:
    assert words(Answer(status=200), "rejected", "a@b.c", "") == "200 rejected"
    assert words(Answer(status=200), "queued", "a@b.c", "") == "200"


def test_an_empty_key_hides_nothing() -> None:
    assert without("all of it", "") == "all of it"
