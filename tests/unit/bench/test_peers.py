"""The work that peers do is the work that Livepost does: what they are compared by is itself compared."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import msgspec
import pytest

from benchmarks.peers import duck, plain
from benchmarks.peers.compare import compare
from benchmarks.peers.event import Event
from benchmarks.peers.person import (
    DAY,
    FED,
    HOUR,
    MINUTE,
    SECOND,
    SEGMENTS,
    Person,
    Transition,
    advance,
    evaluate,
    features,
    fold,
    take,
)
from benchmarks.peers.run import OURS, PEER_LIST, PEERS, gates, table
from benchmarks.peers.shard import MOST, Envelope, Shard, envelopes, opened, written
from benchmarks.peers.shop import Shop
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


@pytest.mark.parametrize("seed", range(10))
def test_shards_tell_each_person_what_one_shop_tells_also_after_restarts(seed: int) -> None:
    chance = Random(seed)
    log = random_events(chance)
    whole, told = in_one_shop(log), by_shard(log, chance, restarts=True)
    assert sum(map(len, whole.values())) > 100
    assert told == whole


def test_an_envelope_may_not_carry_its_last_stamp_as_its_time() -> None:
    log = random_events(Random(1))
    assert by_shard(log, Random(2)) == in_one_shop(log)
    assert by_shard(log, Random(2), late=True) != in_one_shop(log)


def test_a_shard_that_keeps_nothing_is_found_out_by_a_restart() -> None:
    log = random_events(Random(1))
    assert by_shard(log, Random(2), keeps=False) == in_one_shop(log)
    assert by_shard(log, Random(2), restarts=True, keeps=False) != in_one_shop(log)


def test_a_shard_from_its_bytes_knows_who_is_due() -> None:
    shard = Shard()
    for envelope in envelopes(lines_of(random_events(Random(1))), 40):
        shard.fold(envelope)
    again = Shard(shard.changed().items())
    assert again.due == shard.due
    assert sorted(again.wait(again.due + 90 * DAY)) == sorted(shard.wait(shard.due + 90 * DAY)) != []
    assert shard.changed().keys() == again.changed().keys() != set()


def test_an_envelope_has_one_shards_events_of_one_run_in_order() -> None:
    log = random_events(Random(3))
    cut = [(one, msgspec.json.decode(one.events, type=list[Event])) for one in envelopes(lines_of(log), 40)]
    homes, found = defaultdict(set), defaultdict(list)
    for envelope, part in cut:
        assert part
        run = log[part[0].seq // 40 * 40 :][:40]
        assert (envelope.since, envelope.until) == (run[0].stamp, run[-1].stamp)
        for event in part:
            homes[event.person].add(envelope.shard)
            found[event.person].append(event)
    assert all(len(shards) == 1 for shards in homes.values())
    assert len({one.shard for one, _ in cut}) > 1
    assert found == {person: [event for event in log if event.person == person] for person in found}
    assert sum(map(len, found.values())) == len(log)


def test_an_envelope_is_full_at_its_bound() -> None:
    log = [Event(n, n, n, "one", str(n), "Products Searched") for n in range(2 * MOST + 1)]
    sizes = [len(msgspec.json.decode(one.events)) for one in envelopes(lines_of(log))]
    assert sizes == [MOST, MOST, 1]


def test_an_envelope_is_read_as_it_was_written() -> None:
    envelope = Envelope("3", 5, 7, '[{"name":"Product Viewed"}]')
    text = written(envelope)
    assert text.count("\n") == 1
    assert opened(text.rstrip()) == envelope


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


def test_both_of_pyflink_have_one_environment() -> None:
    homes = {peer.module: peer.home for peer in PEER_LIST}
    assert homes["flink"] == homes["flink_shard"] == PEERS / "flink"
    locked = {path.stem for path in (HOUSE / "requirements" / "peers").glob("*.txt")}
    assert {home.name for home in homes.values()} == locked


def test_livepost_is_held_to_plain_python_on_whole_logs() -> None:
    plain_python = PEER_LIST[0].name
    rates = {("uniform", OURS): 40_000, ("uniform", plain_python): 10_000, ("skewed", OURS): 29_999}
    rates |= {("skewed", plain_python): 10_000, ("real baskets", OURS): 1, ("real baskets", plain_python): 9}
    rows = [
        {"log": f"{log}, 100,000 people", "peer": peer, "timed_events": 200_000, "events_per_s": rate}
        for (log, peer), rate in rates.items()
    ]
    short = [{**row, "timed_events": 20_000, "events_per_s": 1} for row in rows]
    assert gates([*rows, *short, {"log": "skewed", "peer": "PyFlink", "failed": "no Java"}]) == {
        "uniform_times_plain": {"at_least": 4.0, "is": 4.0, "holds": True},
        "skewed_times_plain": {"at_least": 3.0, "is": 2.99, "holds": False},
    }
    assert gates(short) == gates(rows[:1]) == {}


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


def random_events(chance: Random, count: int = 600) -> list[Event]:
    """Return a log of few people over weeks, with pauses in which time alone changes answers."""
    stamp, log = 400 * DAY, []
    for seq in range(count):
        stamp += chance.choice((0, 0, SECOND, 10 * MINUTE, HOUR, 3 * HOUR))
        at = stamp - chance.choice((0, 0, SECOND, HOUR))
        person, product = f"p{chance.randrange(12)}", f"product-{chance.randrange(9)}"
        log.append(Event(seq, stamp, at, person, f"{seq:04d}", chance.choice(list(FED)), product, "c", 9_000))
    return log


def lines_of(log: list[Event]) -> list[bytes]:
    return [msgspec.json.encode(event) + b"\n" for event in log]


def in_one_shop(log: list[Event]) -> dict[str, list[tuple[str, bool, int]]]:
    shop_of_all = Shop()
    for event in log:
        shop_of_all.take(event)
    return _by_person(shop_of_all.fresh)


class Operator:
    """Shards in memory, and their bytes elsewhere, as a stream processor has them. `keeps=False` is a fault."""

    def __init__(self, keeps: bool) -> None:
        self._keeps = keeps
        self._shards: dict[str, Shard] = {}
        self._bytes: dict[str, dict[str, bytes]] = defaultdict(dict)
        self.told: list[Transition] = []

    def fold(self, envelope: Envelope) -> None:
        self.told += self._shard(envelope.shard).fold(envelope)[1]
        self._keep(envelope.shard)

    def wait(self, stamp: int) -> None:
        for name in list(self._bytes):
            if self._shard(name).due <= stamp:
                self.told += self._shard(name).wait(stamp)
                self._keep(name)

    def restart(self) -> None:
        self._shards.clear()

    def _shard(self, name: str) -> Shard:
        if name not in self._shards:
            self._shards[name] = Shard(self._bytes[name].items())
        return self._shards[name]

    def _keep(self, name: str) -> None:
        changed = self._shards[name].changed()
        self._bytes[name].update(changed if self._keeps else {})


def by_shard(
    log: list[Event], chance: Random, *, late: bool = False, restarts: bool = False, keeps: bool = True
) -> dict[str, list[tuple[str, bool, int]]]:
    """Fold a log by shard; now and then an envelope's time becomes the watermark, by its last stamp if `late`."""
    operator = Operator(keeps)
    for envelope in envelopes(lines_of(log), 40):
        operator.fold(envelope)
        if chance.random() < 0.3:
            operator.wait(envelope.until if late else envelope.since)
        if restarts and chance.random() < 0.1:
            operator.restart()
    operator.wait(log[-1].stamp)
    return _by_person(operator.told)


def _by_person(told: list[Transition]) -> dict[str, list[tuple[str, bool, int]]]:
    found = defaultdict(list)
    for person, segment, entered, at, _ in told:
        found[person].append((segment, entered, at))
    return found


def _declared(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != ADDRESS_FEATURE}


def _inside(told: list[Transition]) -> set[tuple[str, str]]:
    """Return who is in what after the last transition."""
    last = {(person, segment): entered for person, segment, entered, _, _ in told}
    return {key for key, entered in last.items() if entered}
