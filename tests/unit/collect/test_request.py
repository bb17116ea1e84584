"""Requests: sizes at the bound and one over, calls in order."""

from __future__ import annotations

import pytest

from livepost.collect.limits import MAX_BATCH_EVENTS, MAX_BODY_BYTES, MAX_EVENT_BYTES
from livepost.collect.request import read_batch, read_single
from livepost.errors import RejectedError


def call_of(size: int) -> bytes:
    start = b'{"type":"track","userId":"u","event":"X","properties":{"a":"'
    return start + b"x" * (size - len(start) - 3) + b'"}}'


def refusal(read: object, *args: object) -> RejectedError:
    with pytest.raises(RejectedError) as refused:
        read(*args)  # type: ignore[operator]
    return refused.value


def test_a_call_is_read_up_to_the_bound_and_refused_with_400_beyond() -> None:
    assert len(call_of(MAX_EVENT_BYTES)) == MAX_EVENT_BYTES
    assert read_single(call_of(MAX_EVENT_BYTES), "track").calls[0].user_id == "u"
    error = refusal(read_single, call_of(MAX_EVENT_BYTES + 1), "track")
    assert (error.status, error.code) == (400, "event_too_large")


def test_an_event_in_a_batch_is_read_up_to_the_bound_and_the_batch_refused_beyond() -> None:
    assert len(read_batch(b'{"batch":[%b, {}]}' % call_of(MAX_EVENT_BYTES)).calls) == 2
    error = refusal(read_batch, b'{"batch":[{}, %b]}' % call_of(MAX_EVENT_BYTES + 1))
    assert (error.status, error.code) == (400, "event_too_large")


def test_of_two_events_that_cannot_be_read_the_first_is_told() -> None:
    large, broken = call_of(MAX_EVENT_BYTES + 1), b'{"userId":"\xff"}'
    assert refusal(read_batch, b'{"batch":[%b, %b]}' % (large, broken)).code == "event_too_large"
    assert refusal(read_batch, b'{"batch":[%b, %b]}' % (broken, large)).code == "unreadable"


def test_a_batch_is_read_up_to_the_bound_of_events() -> None:
    assert len(read_batch(b'{"batch":[%b]}' % b",".join([b"{}"] * MAX_BATCH_EVENTS)).calls) == MAX_BATCH_EVENTS
    assert refusal(read_batch, b'{"batch":[%b]}' % b",".join([b"{}"] * (MAX_BATCH_EVENTS + 1))).code == "batch_length"


def test_a_full_batch_of_ordinary_events_fits_the_bounds() -> None:
    event = call_of(100)
    count = (MAX_BODY_BYTES - 20) // (len(event) + 1)
    assert len(read_batch(b'{"batch":[%b]}' % b",".join([event] * count)).calls) == count < MAX_BATCH_EVENTS


def test_the_key_and_sent_at_of_the_body_are_told() -> None:
    batch = read_batch(b'{"batch":[{}],"writeKey":"WK","sentAt":"1970-01-01T00:00:01Z"}')
    assert (batch.write_key, batch.sent_at) == ("WK", 1000)
    assert read_single(b'{"userId":"u","writeKey":"WK"}', "page").write_key == "WK"
    assert read_single(b'{"userId":"u"}', "page").write_key is None


def test_an_odd_sent_at_or_context_of_a_batch_counts_as_none() -> None:
    batch = read_batch(b'{"batch":[{}],"sentAt":5,"context":[]}')
    assert (batch.sent_at, batch.calls[0].context) == (None, None)
