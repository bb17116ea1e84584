"""Values taken out of old blocks: an empty seal stays, the newest segment is left alone, nothing of it is in a file."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import msgspec

from livepost.clock import DAY_MS, SimulatedClock
from livepost.log.segment import segment_firsts
from livepost.log.sqlite import SqliteLog, SqliteLogReader
from livepost.log.thinning import BLOCKS_AT_ONCE, thin
from livepost.model.record import Record

START_MS = 1_700_000_000_000
EMAIL, PAGE = ("$identify", "email"), ("$page", "$context")


def event(number: int, name: str = "$identify") -> Record:
    sealed = {"email": b"seal of %d" % number, "phone": b"other"} if name == "$identify" else {"$context": b"rest"}
    return Record(source="web", subject=b"s" * 16, message_id=str(number), name=name, sealed=sealed)


def written(folder: Path, days: int = 3, a_day: int = 1) -> list[Record]:
    """Write a log of days, blocks of two records each; return its records."""
    clock = SimulatedClock(START_MS)
    with closing(SqliteLog(folder, clock)) as log:
        for day in range(days):
            clock.advance(DAY_MS if day else 0)
            for number in range(a_day):
                log.append([event(10 * day + number), event(number, "$page")])
    return records(folder)


def records(folder: Path) -> list[Record]:
    with closing(SqliteLogReader(folder)) as reader:
        return [record for block in reader.read(-1, 10_000) for record in block.records()]


def goes(event: str, seal: str) -> str:
    return "email" if (event, seal) == EMAIL else ""


def all_of(folder: Path, before: int, change: bool = True) -> tuple[int, int, dict[str, int]]:
    """Thin to the end; return the seq it came to, in how many parts, and what went."""
    first, parts, gone = 0, 0, {"email": 0}
    while True:
        part = thin(folder, first, before, goes, change=change)
        first, parts = part.go_on, parts + 1
        gone["email"] += part.gone.get("email", 0)
        if not part.more:
            return first, parts, gone


def test_only_what_goes_is_gone_and_everything_else_stays_as_it_was(tmp_path: Path) -> None:
    before = written(tmp_path)
    assert len(segment_firsts(tmp_path)) == 3
    assert all_of(tmp_path, START_MS + DAY_MS) == (2, 2, {"email": 1})
    after = records(tmp_path)
    assert after[0].sealed == {"email": b"", "phone": b"other"}
    assert after[0].sealed_value("email") is not None
    assert [msgspec.structs.replace(one, sealed={}) for one in after] == [
        msgspec.structs.replace(one, sealed={}) for one in before
    ]
    assert after[1:] == before[1:]


def test_the_newest_segment_stays_however_old_it_is(tmp_path: Path) -> None:
    written(tmp_path)
    assert all_of(tmp_path, START_MS + 900 * DAY_MS)[2] == {"email": 2}
    assert [one.sealed.get("email") for one in records(tmp_path) if one.name == "$identify"][2] == b"seal of 20"


def test_a_second_time_changes_nothing_and_a_count_changes_nothing(tmp_path: Path) -> None:
    before = written(tmp_path)
    assert all_of(tmp_path, START_MS + 2 * DAY_MS, change=False)[2] == {"email": 2}
    assert records(tmp_path) == before
    assert all_of(tmp_path, START_MS + 2 * DAY_MS)[2] == {"email": 2}
    assert all_of(tmp_path, START_MS + 2 * DAY_MS)[2] == {"email": 0}


def test_it_is_done_in_parts_that_are_gone_on_from(tmp_path: Path) -> None:
    a_day = BLOCKS_AT_ONCE + 3
    written(tmp_path, days=2, a_day=a_day)
    first = thin(tmp_path, 0, START_MS + DAY_MS, goes)
    assert (first.go_on, first.more, first.gone) == (2 * BLOCKS_AT_ONCE - 1, True, {"email": BLOCKS_AT_ONCE})
    second = thin(tmp_path, first.go_on, START_MS + DAY_MS, goes)
    assert (second.go_on, second.more, second.gone) == (2 * a_day, True, {"email": 3})
    assert not thin(tmp_path, second.go_on, START_MS + DAY_MS, goes).more


def test_what_was_taken_out_is_in_no_file(tmp_path: Path) -> None:
    written(tmp_path)
    old = _bodies(tmp_path, 0)
    assert old[0] in _raw(tmp_path)
    all_of(tmp_path, START_MS + DAY_MS)
    assert old[0] not in _raw(tmp_path)
    assert _bodies(tmp_path, 2)[0] in _raw(tmp_path)


def test_an_empty_log_and_one_of_a_day_have_nothing_to_do(tmp_path: Path) -> None:
    assert not thin(tmp_path / "none", 0, START_MS, goes).more
    written(tmp_path / "one", days=1)
    assert thin(tmp_path / "one", 0, START_MS + 9 * DAY_MS, goes).gone == {}


def test_a_reader_that_is_open_reads_on(tmp_path: Path) -> None:
    written(tmp_path)
    with closing(SqliteLogReader(tmp_path)) as reader:
        assert reader.read(-1, 1)[0].record(0).sealed["email"] == b"seal of 0"
        all_of(tmp_path, START_MS + DAY_MS)
        assert reader.read(-1, 1)[0].record(0).sealed["email"] == b""
        assert reader.last().seq == 5


def _bodies(folder: Path, first: int) -> list[bytes]:
    with closing(SqliteLogReader(folder)) as reader:
        segment = reader._holding(first)
        assert segment is not None
        return segment._bodies(first - 1, 1)


def _raw(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
