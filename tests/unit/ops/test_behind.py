"""Which records are behind a value; that they are the right ones for every word: tests/properties/test_behind.py."""

import msgspec
import pytest

from livepost.clock import DAY_MS, HOUR_MS, SimulatedClock
from livepost.expr import Compare, Const, Field
from livepost.log.base import Position
from livepost.log.memory import MemoryLog
from livepost.model.compiled import FeatureSpec
from livepost.model.letter import Letter
from livepost.model.record import KeyKind, Kind, Origin, Record, Verdict
from livepost.ops.behind import FIELDS_MAX, SHOWN, VALUE_CHARS, behind, counted, folded_by, set_aside, told
from livepost.ops.search import Searched

NOW = 1_767_603_600_000  # 2026-01-05 09:00:00 UTC
VIEWS = FeatureSpec(name="views", kind="count", event="Product Viewed", over_ms=7 * DAY_MS, grid_ms=HOUR_MS)


def viewed(seq: int, ago_ms: int = 0, **also: object) -> Record:
    given = {"name": "Product Viewed", "source": "web", "message_id": str(seq), "stamp": NOW, **also}
    return Record(seq=seq, effective_ts=NOW - ago_ms, **given)  # type: ignore[arg-type]


class Dead:
    """An engine with dead letters at these positions; `asked` counts the questions."""

    def __init__(self, *positions: int) -> None:
        self.asked = 0
        self._positions = positions

    def dead(self, after: int, limit: int) -> list[Letter]:
        self.asked += 1
        later = [one for one in self._positions if one > after][:limit]
        return [Letter(position=one, fate="dead_lettered", reason="late", at=0, source="", name="") for one in later]


def test_the_newest_are_told_and_of_the_others_how_many_they_are() -> None:
    found = behind(VIEWS, [viewed(seq, ago_ms=1_000 * seq) for seq in range(SHOWN + 2)], NOW)
    assert ([one.position for one in found.records], found.more, found.others) == (list(range(SHOWN)), 2, 0)
    assert str(found).splitlines()[-1].strip() == "and 2 more"
    assert behind(VIEWS, [viewed(seq) for seq in range(SHOWN)], NOW).more == 0


def test_what_does_not_decide_the_value_is_counted_and_not_told() -> None:
    latest = msgspec.structs.replace(VIEWS, kind="latest", field="product")
    records = [viewed(seq, ago_ms=seq, properties={"product": f"tea-{seq}"}) for seq in range(3)]
    found = behind(latest, [*records, viewed(9)], NOW)
    assert [(one.position, one.values) for one in found.records] == [(0, {"product": "tea-0"})]
    assert found.others == 2
    assert "views: 1 record, 2 more do not decide it" in str(found)


def test_a_condition_reads_fields_and_facets_and_both_are_told() -> None:
    where = msgspec.to_builtins(Compare("==", Field("ip.country"), Const("DE")))
    spec = msgspec.structs.replace(VIEWS, where=where)
    found = behind(spec, [viewed(1, facets={"ip.country": "DE"}, properties={"a": 1}), viewed(2)], NOW)
    assert [(one.position, one.values) for one in found.records] == [(1, {"ip.country": "DE"})]


def test_what_is_personal_stays_sealed_and_what_a_website_told_is_no_address() -> None:
    spec = FeatureSpec(
        name="$address", kind="latest", event="$identify", field="email", personal=True, secret_only=True
    )
    known = viewed(1, name="$identify", key=KeyKind.SECRET, sealed={"email": b"seal"})
    found = behind(spec, [known, viewed(2, name="$identify", key=KeyKind.WRITE, sealed={"email": b"seal"})], NOW)
    assert [(one.position, one.values, one.sealed) for one in found.records] == [(1, {}, "email")]
    assert "email sealed" in str(found)


def test_a_late_one_and_an_import_say_so_and_long_values_are_cut() -> None:
    late = told(viewed(1, ago_ms=2 * DAY_MS, origin=Origin.IMPORT, properties={"name": "x" * 200}))
    assert str(late).startswith("2026-01-03 09:00:00 UTC  Product Viewed (record 1), name 'xxx")
    assert str(late).endswith("..., by import, taken in 172,800 s later")
    assert len(str(late)) < 200 + VALUE_CHARS
    many = told(viewed(1, properties={str(number): number for number in range(FIELDS_MAX + 1)}))
    assert len(many.values) == FIELDS_MAX


def test_what_was_set_aside_refused_or_came_again_does_not_count() -> None:
    again = viewed(5, message_id="1")
    next_month = msgspec.structs.replace(viewed(6, message_id="1"), stamp=NOW + 31 * DAY_MS)
    quarantined = viewed(4, verdict=Verdict.QUARANTINED)
    events = [next_month, again, quarantined, viewed(3), viewed(2), viewed(1)]
    log = MemoryLog(SimulatedClock(NOW))
    found = counted(Searched(events, Position(0, 0), whole=True), log, Dead(2, 7))
    assert [one.seq for one in found.records] == [1, 3, 6]
    assert found.reach == "the whole log was searched"


def test_how_far_the_log_was_searched_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    log = MemoryLog(SimulatedClock(NOW))
    cut = counted(Searched([], Position(17, NOW), whole=False), log, Dead())
    assert cut.reach.startswith("the log was searched back to record 17, 2026-01-05 09:00:00 UTC; older records may")
    monkeypatch.setattr(log, "first", lambda: 5)
    dropped = counted(Searched([], Position(5, NOW), whole=True), log, Dead())
    assert dropped.reach == "retention has dropped what came before record 5"


def test_dead_letters_are_asked_for_where_records_are() -> None:
    many = Dead(*range(0, 100_000))
    assert set_aside([5, 50_000, 99_999], many) == {5, 50_000, 99_999}
    assert many.asked == 3
    few = Dead(7, 2_000)
    assert set_aside(list(range(1_000)), few) == {7}
    assert few.asked == 1


def test_a_record_at_a_due_times_position_came_after_it() -> None:
    records = [viewed(1), viewed(2, stamp=NOW + 500)]
    assert [one.seq for one in folded_by(records, NOW + 400, 2)] == [1]
    assert [one.seq for one in folded_by(records, NOW + 500, 2)] == [1, 2]


def test_a_control_record_is_no_event_of_anybody() -> None:
    link = Record(kind=Kind.LINK, seq=1, stamp=NOW)
    assert behind(VIEWS, [link], NOW).records == ()
