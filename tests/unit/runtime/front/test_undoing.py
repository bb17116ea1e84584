"""The front's part in undoing a merge: what goes into the log, and what has to be read further first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from livepost.errors import StoreError
from livepost.model.record import Kind, Origin, Record
from livepost.model.unlink import Part, Unlink
from livepost.runtime.front import undoing
from livepost.runtime.front.undoing import TAIL_RECORDS, Undoing
from tests.unit.runtime.front.test_changing import EVENT, NOW, A, B, Front, raw

ADA, TABLET = b"s" * 16, b"t" * 16


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    one = Front(tmp_path)
    with closing(one.log):
        one.intake.append([EVENT])
        yield one


def unlink(upto: int, **also: Any) -> Unlink:
    parts = Part(subjects=((ADA, True),)), Part(subjects=((TABLET, False),), history={"v": [{"count": [[0, 2]]}]})
    told: dict[str, Any] = {"link": 1, "mentioned": TABLET, "upto": upto, "project": A.hash(), "parts": parts}
    return Unlink(**told | also)


def handle(front: Front, told: Unlink) -> int | None:
    return Undoing(front.intake, lambda: front.log, front.changing.known).handle(raw(told))


def other(number: int) -> Record:
    return Record(source="web", subject=b"o" * 16, message_id=str(number), name="Viewed", effective_ts=NOW)


def test_an_undo_is_a_record_of_the_past_alone_in_its_block(front: Front) -> None:
    told = unlink(1)
    assert handle(front, told) == 2
    [block] = front.log.read(1, 10)
    record = block.record(0)
    assert (record.kind, record.origin, block.count) == (Kind.UNLINK, Origin.BACKFILL, 1)
    assert msgspec.convert(record.control, Unlink) == told


def test_records_of_others_behind_what_was_read_do_not_matter(front: Front) -> None:
    front.intake.append([other(number) for number in range(10)])
    assert handle(front, unlink(1)) == 12


@pytest.mark.parametrize("subject", [ADA, TABLET])
def test_a_record_of_the_person_behind_what_was_read_is_to_be_read_first(front: Front, subject: bytes) -> None:
    front.intake.append([other(1), msgspec.structs.replace(EVENT, subject=subject), other(2)])
    assert handle(front, unlink(2)) is None
    assert handle(front, unlink(3)) == 5


def test_more_than_a_tail_is_to_be_read_first(front: Front) -> None:
    front.intake.append([other(number) for number in range(TAIL_RECORDS)])
    front.intake.append([other(TAIL_RECORDS)])
    assert handle(front, unlink(1)) is None
    assert handle(front, unlink(2)) is not None


def test_an_undo_of_another_project_and_one_while_the_project_changes_are_refused(front: Front) -> None:
    with pytest.raises(StoreError, match="the project that serves to stay"):
        handle(front, unlink(1, project=B.hash()))
    front.cut(B)
    with pytest.raises(StoreError, match="the project that serves to stay"):
        handle(front, unlink(2))
    assert Kind.UNLINK.name not in [kind for kind, _ in front.records()]


def test_an_undo_that_is_too_long_is_refused(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    told = unlink(1)
    size = len(msgspec.msgpack.encode(told))
    monkeypatch.setattr(undoing, "UNLINK_BYTES_MAX", size - 1)
    with pytest.raises(StoreError, match=f"at most {size - 1} bytes, got {size}"):
        handle(front, told)
    monkeypatch.setattr(undoing, "UNLINK_BYTES_MAX", size)
    assert handle(front, told) == 2
