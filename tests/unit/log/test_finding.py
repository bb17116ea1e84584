"""Where a subject is looked for in a body, and what is spared."""

from __future__ import annotations

from typing import Any

import pytest

from livepost.errors import StoreError
from livepost.log import finding
from livepost.log.body import MAX_BLOCK_RECORDS, new_block, pack
from livepost.log.finding import found_in
from livepost.model.record import Record

ADA, BOB = b"a" * 16, b"b" * 16
LAST_MS = 2**53


def body_of(records: list[Record]) -> bytes:
    return pack(new_block(records, 0, LAST_MS))


def found(body: bytes, count: int, subject: bytes = ADA) -> list[int]:
    return [one.seq for one in found_in([(0, count - 1, LAST_MS, body)], [subject], count, 1).records]


@pytest.mark.parametrize("count", [1, 15, 16, 255, 4_096, MAX_BLOCK_RECORDS])
def test_the_last_subject_of_a_block_of_any_length_is_found(count: int) -> None:
    records = [Record(subject=BOB, name="n" * 300, effective_ts=LAST_MS) for _ in range(count - 1)]
    body = body_of([*records, Record(subject=ADA)])
    assert found(body, count) == [count - 1]
    assert len(found(body, count, BOB)) == count - 1


def test_of_a_block_without_the_subject_nothing_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def decoded(body: bytes) -> Any:
        raise AssertionError

    monkeypatch.setattr(finding, "_undecoded", decoded)
    body = body_of([Record(subject=BOB)])
    assert found(body, 1) == []
    with pytest.raises(AssertionError):
        found(body, 1, BOB)


def test_sixteen_bytes_that_are_no_subject_of_a_record_find_nothing() -> None:
    assert (
        found(body_of([Record(subject=BOB, effective_ts=LAST_MS), Record(subject=BOB)]), 2, b"b" * 8 + bytes(8)) == []
    )
    across = BOB[8:] + b"c" * 8
    assert found(body_of([Record(subject=BOB), Record(subject=b"c" * 16)]), 2, across) == []


@pytest.mark.parametrize("damage", ["another format", "cut short", "a flipped bit"])
def test_a_damaged_body_that_may_hold_the_subject_is_refused(damage: str) -> None:
    body = body_of([Record(subject=ADA, message_id=str(number)) for number in range(50)])
    middle = len(body) // 2
    spoilt = {
        "another format": b"\x07" + body[1:],
        "cut short": body[:-20],
        "a flipped bit": body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :],
    }
    with pytest.raises(StoreError, match="a block"):
        found(spoilt[damage], 50)
