"""A batch: blocks side by side as columns."""

from __future__ import annotations

import numpy as np

from livepost.ids import event_id
from livepost.model.block import rest_after
from livepost.model.letter import Letter
from livepost.model.record import REPLAYS, Kind, Record
from livepost.process.batch import batch_of
from tests.unit.process.records import MINUTE, NOW, aside, block, event, mention, subject

ONE = block(7, NOW, event("a", "m1", mentions="B"), event("b", "m2", "Ordered", properties={"units": 2}))
TWO = block(
    9,
    NOW + MINUTE,
    event("c", "m3", "Ordered", effective_ts=NOW - 5, context={"locale": "de"}),
    event("d", "m4", "Viewed", reason="broken", source="server"),
)


def test_blocks_become_columns_in_log_order() -> None:
    batch = batch_of([ONE, TWO])
    assert len(batch) == 4
    assert batch.seq.tolist() == [7, 8, 9, 10]
    assert batch.stamp.tolist() == [NOW, NOW, NOW + MINUTE, NOW + MINUTE]
    assert batch.effective.tolist() == [NOW, NOW, NOW - 5, NOW]
    assert batch.subject == [subject(letter) for letter in "abcd"]
    assert batch.message_id == ["m1", "m2", "m3", "m4"]
    assert batch.alive.all()


def test_names_of_different_blocks_share_one_dictionary() -> None:
    batch = batch_of([ONE, TWO])
    assert [batch.names[code] for code in batch.name] == ["Viewed", "Ordered", "Ordered", "Viewed"]
    assert batch.names == ["Viewed", "Ordered"]


def test_what_is_rare_stands_at_its_place_in_the_batch() -> None:
    batch = batch_of([ONE, TWO])
    assert batch.mentions == {0: (mention("B"),)}
    assert batch.context == {2: {"locale": "de"}}
    assert batch.reason == {3: "broken"}


def test_a_place_gives_back_its_whole_record_its_event_id_and_its_source() -> None:
    batch = batch_of([ONE, TWO])
    assert [batch.record(place).seq for place in range(4)] == [7, 8, 9, 10]
    assert batch.record(1).properties == {"units": 2}
    assert batch.event_id(3) == event_id("server", "m4")
    assert [batch.source_of(0), batch.source_of(3)] == ["web", "server"]


def test_a_batch_may_begin_in_the_middle_of_a_block() -> None:
    batch = batch_of([rest_after(ONE, 7), TWO])
    assert (batch.seq.tolist(), batch.mentions) == ([8, 9, 10], {})
    assert [batch.names[code] for code in batch.name] == ["Ordered", "Ordered", "Viewed"]
    assert batch.record(0).message_id == "m2"


def test_a_block_read_to_its_end_brings_nothing() -> None:
    batch = batch_of([rest_after(ONE, 8), TWO])
    assert batch.seq.tolist() == [9, 10]
    assert batch.record(0).message_id == "m3"


def test_no_blocks_are_an_empty_batch() -> None:
    batch = batch_of([])
    assert (len(batch), batch.names, batch.subject) == (0, [], [])


def test_what_is_dropped_is_counted_and_goes_no_further() -> None:
    batch = batch_of([ONE, TWO])
    batch.drop(np.array([1]), "filtered")
    batch.drop(np.array([2]), "filtered")
    assert (batch.alive.tolist(), batch.counts) == ([True, False, False, True], {"filtered": 2})


def test_what_is_buried_keeps_the_reason_it_brought() -> None:
    batch = batch_of([ONE, TWO])
    batch.bury(np.array([0, 3]), "late")
    assert aside(batch) == [(7, "late"), (10, "broken")]
    assert batch.counts == {"dead_lettered": 2}


def test_ticks_stand_in_a_batch_like_any_record() -> None:
    batch = batch_of([block(0, NOW, Record(kind=Kind.TICK, effective_ts=NOW), event("a", "m1"))])
    assert batch.kind.tolist() == [Kind.TICK, Kind.EVENT]


def test_a_letter_has_what_is_open_of_its_record() -> None:
    batch = batch_of([block(5, NOW, event("a", "m1", name="Bought"), event("a", "m2", source="app"))])
    batch.bury(np.array([1]), "nobody declared it", "quarantined")
    assert batch.dead == [
        Letter(position=6, fate="quarantined", reason="nobody declared it", at=NOW, source="app", name="Viewed")
    ]
    assert batch.counts == {"quarantined": 1}


def test_events_that_replay_letters_say_so_by_place_in_the_batch() -> None:
    first = block(5, NOW, event("a", "m1"), event("a", "m2", control={REPLAYS: 3}))
    project = Record(kind=Kind.PROJECT, control={"hash": "x"})
    second = block(7, NOW, project, event("a", "m3", control={REPLAYS: 4}))
    assert batch_of([first, second]).replays == {1: 3, 3: 4}
    assert batch_of([rest_after(first, 5), second]).replays == {0: 3, 2: 4}


def test_a_records_fields_are_its_properties_and_its_facets() -> None:
    facets = {"email.domain": "example.org"}
    batch = batch_of(
        [
            block(0, NOW, event("a", "1", properties={"units": 1})),
            block(1, NOW, event("a", "2", properties={"units": 2}, facets=facets)),
        ]
    )
    assert [batch.fields(0), batch.fields(1)] == [{"units": 1}, {"units": 2, "email.domain": "example.org"}]
    assert batch.properties[1] == {"units": 2}
