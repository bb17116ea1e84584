"""Calls: what is read from one message, and what becomes of broken ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livepost.errors import RejectedError
from livepost.intake.call import MAX_DEPTH, BrokenCall, Call, json_name, read_call, read_calls


def test_a_track_call_is_read_with_its_parts() -> None:
    call = read_call(b'{"type":"track","userId":"u1","event":"Order Completed","properties":{"total":9.5},"x":1}')
    assert (call.type, call.user_id, call.event, call.properties) == ("track", "u1", "Order Completed", {"total": 9.5})


def test_an_id_may_come_as_a_number() -> None:
    assert read_call(b'{"userId": 7}').user_id == 7


@pytest.mark.parametrize(
    ("body", "timestamp"),
    [
        (b'{"originalTimestamp":"2026-11-21"}', "2026-11-21"),
        (b'{"originalTimestamp":"2026-11-21","timestamp":"2026-11-20"}', "2026-11-20"),
        (b'{"originalTimestamp":"2026-11-21","timestamp":null,"event":5}', "2026-11-21"),
    ],
)
def test_rudderstacks_original_timestamp_counts_where_there_is_no_timestamp(body: bytes, timestamp: str) -> None:
    assert read_call(body).timestamp == timestamp


def test_the_empty_array_of_php_clients_is_an_empty_object() -> None:
    call = read_call(b'{"type":"track","userId":"u1","event":"X","properties":[]}')
    assert not isinstance(call, BrokenCall)
    assert call.properties is None


def test_null_counts_as_missing() -> None:
    assert read_call(b'{"userId":null,"properties":null,"timestamp":null}') == Call()


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b'{"userId":["x"]}', "expected `userId` to be a string, got an array"),
        (b'{"userId":true}', "expected `userId` to be a string, got a boolean"),
        (b'{"event":5}', "expected `event` to be a string, got a number"),
        (b'{"properties":"x"}', "expected `properties` to be an object, got a string"),
        (b'{"timestamp":1700000000}', "expected `timestamp` to be an ISO 8601 date-time, got a number"),
        (b"[1]", "expected a call to be an object, got an array"),
    ],
)
def test_a_part_of_the_wrong_type_makes_a_broken_call_that_says_so(body: bytes, fault: str) -> None:
    call = read_call(body)
    assert isinstance(call, BrokenCall)
    assert call.fault == fault


def test_a_broken_call_keeps_the_parts_that_can_be_read() -> None:
    call = read_call(b'{"type":"track","userId":"u1","messageId":"m1","event":5}')
    assert isinstance(call, BrokenCall)
    assert (call.type, call.user_id, call.message_id, call.event) == ("track", "u1", "m1", None)
    assert call.told["event"] == 5


def test_a_client_cannot_set_the_fault() -> None:
    assert type(read_call(b'{"fault":"x","told":1,"userId":"u1"}')) is Call


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b'{"a":NaN}', b"[" * 5000, b'{"properties":{"a":1e999}}', b'"\\ud800"']
)
def test_what_is_not_json_is_refused_with_400(body: bytes) -> None:
    with pytest.raises(RejectedError) as refused:
        read_call(body)
    assert (refused.value.status, refused.value.code) == (400, "unreadable")


def nested(levels: int) -> bytes:
    return b'{"userId":"u1","properties":' + b'{"a":' * (levels - 1) + b"1" + b"}" * levels


def test_nesting_is_read_up_to_the_bound_and_is_a_fault_beyond() -> None:
    at_bound = read_call(nested(MAX_DEPTH))
    beyond = read_call(nested(MAX_DEPTH + 1))
    assert not isinstance(at_bound, BrokenCall)
    assert isinstance(beyond, BrokenCall)
    assert "levels of nesting" in beyond.fault
    assert beyond.properties is None


def test_many_brackets_side_by_side_are_no_deep_nesting() -> None:
    assert type(read_call(b'{"properties":{"a":[' + b",".join([b"{}"] * 500) + b"]}}")) is Call


@given(st.none() | st.booleans() | st.text() | st.lists(st.none()))
def test_any_value_has_a_name_in_json(value: object) -> None:
    assert json_name(value).split()[-1] in {"null", "boolean", "string", "array"}


GOOD = b'{"type":"track","userId":"u1","event":"X","timestamp":"2026-11-21","properties":{"a":[1]}}'
DEEP = b'{"userId":"u2","properties":{"a":%b1%b}}' % (b"[" * MAX_DEPTH, b"]" * MAX_DEPTH)


@pytest.mark.parametrize(
    "others", [[], [b'{"originalTimestamp":"2026-11-21"}'], [DEEP], [b'{"userId":[]}'], [b"[]", DEEP, b'{"traits":[]}']]
)
def test_many_calls_are_read_as_each_alone(others: list[bytes]) -> None:
    raws = [GOOD, *others, GOOD]
    assert read_calls(raws) == list(map(read_call, raws))


def test_of_many_calls_the_first_that_is_no_json_is_what_they_are_refused_for() -> None:
    with pytest.raises(RejectedError) as alone:
        read_call(b'{"userId":nul}')
    with pytest.raises(RejectedError) as together:
        read_calls([GOOD, b'{"userId":nul}', b'{"userId"'])
    assert (str(together.value), together.value.code) == (str(alone.value), alone.value.code)
