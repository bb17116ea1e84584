"""The work that peers do is the work that Livepost does: what they are compared by is itself compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest

from benchmarks.peers import duck, plain
from benchmarks.peers.compare import compare
from benchmarks.peers.person import DAY, SEGMENTS, Person, Transition, advance, evaluate, features, fold, take
from benchmarks.peers.run import PEER_LIST, table
from benchmarks.peers.told import Job, Watch, events, keep, read
from benchmarks.peers.workload import Workload, baskets, reference
from livepost.bench import shop
from livepost.bench.traffic import Distribution
from livepost.log.body import unpack
from livepost.model.compiled import ADDRESS_FEATURE
from livepost.model.record import Record
from livepost.project.compiled import compile_project
from livepost.project.declarations import collect
from tests.house.source import HOUSE
from tests.oracle import naive

COMPILED = compile_project(collect(vars(shop)))
EVENTS, PEOPLE, DAYS = 2_000, 300, 60.0


def workload(folder: Path, distribution: Distribution = "skewed") -> Workload:
    return reference(folder / "log", distribution, PEOPLE, EVENTS, DAYS)


def records(log: Workload) -> list[Record]:
    return [record for body in log.bodies for record in unpack(body).records()]


def job(log: Workload, folder: Path, every: int = 0) -> Job:
    folder.mkdir()
    return Job(log.file, folder, log.events, log.warm, every)


def transitions_of(found: naive.OracleResult) -> list[Transition]:
    return [(one.person.hex(), one.segment, one.entered, one.at, 0) for one in found.transitions]


@pytest.fixture(scope="module")
def skewed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workload, naive.OracleResult]:
    """A log, and what the naive oracle says of it, which takes seconds."""
    log = workload(tmp_path_factory.mktemp("skewed"))
    return log, naive.run(COMPILED, records(log), "bench")


def test_plain_python_tells_every_transition_of_the_naive_oracle(
    tmp_path: Path, skewed: tuple[Workload, naive.OracleResult]
) -> None:
    log, oracle = skewed
    taken, told = plain.run(job(log, tmp_path / "plain"))
    compared = compare(transitions_of(oracle), told)
    assert compared.ours > 300
    assert compared.same, compared
    assert taken.events == EVENTS // 2


def test_so_it_does_where_nobody_is_busier_than_others(tmp_path: Path) -> None:
    log = workload(tmp_path, "uniform")
    _, told = plain.run(job(log, tmp_path / "plain"))
    assert compare(transitions_of(naive.run(COMPILED, records(log), "bench")), told).same


def test_without_due_times_transitions_are_missed(skewed: tuple[Workload, naive.OracleResult]) -> None:
    log, oracle = skewed
    people: dict[str, Person] = {}
    told: list[Transition] = []
    for event in events(log.file, log.events):
        person = people.setdefault(event.person, Person())
        fold(person, event)
        told += evaluate(person, event.person, event.stamp, event.stamp)
    compared = compare(transitions_of(oracle), told)
    assert compared.missed > 0
    assert not compared.same


def test_plain_python_has_the_features_of_the_naive_oracle(skewed: tuple[Workload, naive.OracleResult]) -> None:
    log, oracle = skewed
    people: dict[str, Person] = {}
    for event in events(log.file, log.events):
        take(people.setdefault(event.person, Person()), event)
    last = unpack(log.bodies[-1]).stamp
    found = {name: features(person, last) for name, person in people.items()}
    assert found == {name.hex(): _declared(one.features) for name, one in oracle.people.items()}
    assert {len(values) for values in found.values()} == {20}


def test_segments_are_those_of_the_shop_in_its_order() -> None:
    assert tuple(one.name for one in COMPILED.segments) == SEGMENTS


def test_a_state_survives_its_bytes(tmp_path: Path) -> None:
    person = Person()
    stamp = 0
    for event in events(workload(tmp_path).file, 200):
        take(person, event)
        stamp = event.stamp
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(person), type=Person)
    assert again == person
    told = advance(again, "p", stamp + 90 * DAY)
    assert told == advance(person, "p", stamp + 90 * DAY) != []


def test_a_poll_after_the_last_event_knows_who_is_in_and_not_what_was_between(tmp_path: Path) -> None:
    log = workload(tmp_path)
    _, exact = plain.run(job(log, tmp_path / "plain"))
    _, polled = duck.run(job(log, tmp_path / "duck", every=500))
    assert _inside(polled) == _inside(exact)
    compared = compare(exact, polled)
    assert compared.missed > 0
    assert compared.false == 0


def test_the_file_holds_the_events_of_the_blocks(tmp_path: Path) -> None:
    log = workload(tmp_path)
    lines = list(events(log.file, log.events))
    assert [(one.id, one.stamp, one.at) for one in lines] == [
        (one.message_id, one.stamp, one.effective_ts) for one in records(log)
    ]
    assert (log.events, log.warm) == (EVENTS, EVENTS // 2)


def test_baskets_are_looked_at_added_and_ordered(tmp_path: Path) -> None:
    duckdb.execute(
        "copy (select * from (values (1, 7, timestamp '2017-01-01 10:00:00', 5, 1.5), "
        "(1, 7, timestamp '2017-01-01 10:00:00', 6, 2.25)) as t(household_id, basket_id, transaction_timestamp, "
        f"product_id, sales_value)) to '{tmp_path / 'transactions_weeks_01_36.parquet'}'"
    )
    duckdb.execute(
        "copy (select * from (values (5, 'GROCERY'), (6, null)) as t(product_id, department)) "
        f"to '{tmp_path / 'products.parquet'}'"
    )
    log = baskets(tmp_path / "log", tmp_path, 500)
    found = [(one.name, one.product_id, one.category, one.total) for one in events(log.file, 10)]
    assert found == [
        ("Product Viewed", "p-5", "GROCERY", 0),
        ("Product Added", "p-5", "", 0),
        ("Product Viewed", "p-6", "none", 0),
        ("Product Added", "p-6", "", 0),
        ("Order Completed", "", "", 375),
    ]


def test_a_transition_at_another_moment_is_neither_missed_nor_equal() -> None:
    ours = [("a", "keen", True, 5, 5), ("a", "keen", False, 9, 9), ("b", "keen", True, 5, 5)]
    theirs = [("a", "keen", True, 5, 105), ("a", "keen", False, 8, 10), ("c", "keen", True, 5, 5)]
    found = compare(ours, theirs)
    assert (found.equal, found.missed, found.false) == (1, 1, 1)
    assert found.late_p99_ms == 100
    assert compare(ours, ours).same


def test_the_same_transition_twice_is_two() -> None:
    one = ("a", "keen", True, 5, 5)
    assert compare([one, one], [one]).missed == 1


def test_transitions_are_read_as_they_were_kept(tmp_path: Path) -> None:
    told = [("a", "keen", True, 5, 6), ("b", "vip", False, 7, 8)]
    keep(tmp_path, told)
    assert read(tmp_path) == told


def test_a_figure_of_fewer_events_is_refused() -> None:
    watch = Watch(events=10, warm=5)
    watch.count(9)
    with pytest.raises(ValueError, match="expected 10 events, got 9"):
        watch.taken("x")


def test_only_what_comes_after_the_warm_part_is_timed() -> None:
    watch = Watch(events=10, warm=5)
    assert not watch.count(5)
    assert watch.count(5)
    assert watch.taken("x").events == 5


def test_every_peer_says_its_settings_and_what_it_lacks_and_stands_in_the_docs() -> None:
    page = (HOUSE / "docs" / "reference" / "bench.md").read_text()
    for peer in PEER_LIST:
        assert peer.settings and peer.lacks
        assert f"| {peer.name} |" in page


def test_the_table_rounds_down() -> None:
    row: dict[str, Any] = {
        "log": "uniform",
        "peer": "one",
        "timed_events": 10,
        "events_per_s": 1_999,
        "events_per_cpu_s": 2_001,
        "theirs": 3,
        "equal": 2,
        "missed": 1,
        "false": 0,
        "late_p99_ms": 60_000,
    }
    assert "| uniform, 10 timed | one | 1,999 | 2,001 | 3 | 2 | 1 | 0 | 60 s |" in table({"rows": [row]})


def _declared(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != ADDRESS_FEATURE}


def _inside(told: list[Transition]) -> set[tuple[str, str]]:
    """Return who is in what after the last transition."""
    last = {(person, segment): entered for person, segment, entered, _, _ in told}
    return {key for key, entered in last.items() if entered}
