"""Which records count, told by several sieves together."""

from __future__ import annotations

import msgspec

from livepost.ids import SHARDS
from livepost.model.record import Kind, Record, Verdict
from livepost.process.sharded.sieve import Sieve, Sieved, event_shards
from tests.unit.process.records import DAY, NOW, block, event


def sieves(count: int) -> list[Sieve]:
    return [Sieve(frozenset(range(number, SHARDS, count))) for number in range(count)]


def through(
    parts: list[Sieve], first: int, stamp: int, *records: Record, failing: dict[int, str] | None = None
) -> Sieved:
    """Return what the sieves together make of a block, and let them remember it."""
    made = []
    for part in parts:
        made.append(part.sieve([block(first, stamp, *records)], failing or {}))
        part.take(made[-1])
    whole = made[0]
    for other in made[1:]:
        whole.records.extend(other.records)
        whole.dead.extend(other.dead)
        whole.replayed.extend(other.replayed)
        whole.counts.update({name: whole.counts.get(name, 0) + count for name, count in other.counts.items()})
    return whole


def test_each_event_is_seen_by_one_sieve_and_ticks_by_none() -> None:
    records = [event("a", f"m{number}") for number in range(20)]
    made = through(sieves(3), 0, NOW, *records, Record(kind=Kind.TICK))
    assert sorted(record.seq for record in made.records) == [*range(20)]


def test_an_id_counts_once_whosever_it_is() -> None:
    parts = sieves(3)
    assert len(through(parts, 0, NOW, event("a", "m"), event("a", "m")).records) == 1
    again = through(parts, 2, NOW + DAY, event("a", "m"), event("b", "m", content_hash=b"other" * 3 + b"!"))
    assert again.records == []
    assert again.counts["duplicate"] == 1
    assert [(letter.position, letter.reason[:11]) for letter in again.dead] == [(3, "id conflict")]


def test_what_the_verdict_or_a_failing_step_takes_out_goes_no_further_and_is_not_remembered() -> None:
    parts = sieves(2)
    dead = event("a", "m", verdict=Verdict.DEAD, reason="no")
    made = through(parts, 0, NOW, dead, event("a", "n"), failing={1: "handler error"})
    assert (made.records, sorted(letter.reason for letter in made.dead)) == ([], ["handler error", "no"])
    assert len(through(parts, 2, NOW, event("a", "m"), event("a", "n")).records) == 2


def test_a_replayed_letter_is_told_by_one_sieve() -> None:
    replaying = msgspec.structs.replace(event("a", "m"), control={"replays": 7})
    assert through(sieves(4), 9, NOW, replaying).replayed == [(7, 9)]


def test_ids_that_share_the_half_by_which_they_are_deduped_share_a_sieve() -> None:
    shards = event_shards(b"same 8 b" + b"12345678" + b"same 8 b" + b"87654321")
    assert shards[0] == shards[1] < SHARDS
