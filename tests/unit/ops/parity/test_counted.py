"""Which records count: verdicts, lateness and the 30 days of an id, each at its bound."""

from __future__ import annotations

import pytest

from livepost.ids import digest
from livepost.model.block import block_of
from livepost.model.compiled import Compiled
from livepost.model.record import Kind, Origin, Record, Verdict
from livepost.ops.parity.counted import count_records
from livepost.ops.parity.tables import Loader, database

DAY = 86_400_000
NOON = 1_767_225_600_000 + DAY // 2


def counted(*records: Record, position: int | None = None) -> list[int]:
    """Return the seqs that count; each record's stamp is given, its seq is its place."""
    with database(200) as db:
        blocks = [block_of([record], seq, record.stamp) for seq, record in enumerate(records)]
        last = len(records) - 1 if position is None else position
        Loader(db, Compiled(), ()).load(blocks, last)
        count_records(db, last)
        return sorted(seq for (seq,) in db.execute("SELECT seq FROM counted").fetchall())


def event(message: str, stamp: int = NOON, *, age: int = 0, content: str = "", **parts: object) -> Record:
    return Record(
        source="web",
        subject=digest("ada"),
        message_id=message,
        effective_ts=stamp - age,
        stamp=stamp,
        content_hash=digest(content),
        **parts,  # type: ignore[arg-type]
    )


def test_only_accepted_events_count() -> None:
    verdicts = [event(f"m{verdict}", verdict=verdict) for verdict in Verdict]
    assert counted(*verdicts, event("tick", kind=Kind.TICK), event("cut", kind=Kind.CUT)) == [0]


def test_a_live_event_over_thirty_days_late_does_not_count_and_an_import_does() -> None:
    ages = [event("a", age=30 * DAY), event("b", age=30 * DAY + 1)]
    assert counted(*ages, event("c", age=31 * DAY, origin=Origin.IMPORT)) == [0, 2]


def test_an_id_counts_once_whatever_its_content() -> None:
    assert counted(event("a"), event("b"), event("a"), event("a", content="other")) == [0, 1]


def test_the_same_message_id_from_another_source_is_another_event() -> None:
    other = event("a")
    other.source = "server"
    assert counted(event("a"), other) == [0, 1]


@pytest.mark.parametrize(("days", "counts"), [(30, [0]), (31, [0, 1])])
def test_an_id_is_forgotten_on_the_thirty_first_day(days: int, counts: list[int]) -> None:
    assert counted(event("a"), event("a", NOON + days * DAY)) == counts


def test_days_are_counted_by_their_number_and_not_in_hours() -> None:
    late_evening = NOON + DAY // 2 - 1
    assert counted(event("a", late_evening), event("a", late_evening + 30 * DAY + 1)) == [0, 1]


def test_an_id_is_remembered_from_its_last_acceptance_and_not_from_a_duplicate() -> None:
    days = (0, 20, 31, 40, 61, 62)
    assert counted(*[event("a", NOON + day * DAY) for day in days]) == [0, 2, 5]


def test_a_refused_record_does_not_make_its_id_known() -> None:
    assert counted(event("a", age=31 * DAY), event("a"), event("b", verdict=Verdict.DEAD), event("b")) == [1, 3]


def test_what_comes_behind_the_position_does_not_count() -> None:
    assert counted(event("a"), event("b"), event("c"), position=1) == [0, 1]
