"""Dedupe: an event id counts once for 30 days, in a batch and across batches; other content is a conflict."""

from __future__ import annotations

import pytest

from livepost.engine.seen import Seen
from livepost.ids import digest
from livepost.model.block import Block
from livepost.model.record import Record, Verdict
from livepost.process.batch import Batch, batch_of
from livepost.process.dedupe import CONFLICT, dedupe
from livepost.process.validate import validate
from tests.unit.process.records import DAY, HOUR, NOW, aside, block, event, fates


def deduped(seen: Seen, *blocks: Block) -> Batch:
    """Return a batch after dedupe; what is new in it is remembered."""
    batch = batch_of(blocks)
    validate(batch)
    seen.remember(*dedupe(batch, seen))
    return batch


def again(message_id: str = "m1", content: str = "m1") -> Record:
    """Return an event of that id with that content, which happens when it comes."""
    return event("a", message_id, effective_ts=NOW + 99 * DAY, content_hash=digest("content", content))


def test_the_first_of_an_id_in_a_batch_counts_and_the_others_are_duplicates() -> None:
    batch = deduped(Seen(), block(0, NOW, again("m2"), again(), again()), block(3, NOW, again(), again("m2")))
    assert (batch.alive.tolist(), fates(batch)) == (
        [True, True, False, False, False],
        {"duplicate": 3},
    )


def test_an_id_with_other_content_in_one_batch_is_a_conflict_with_the_first() -> None:
    batch = deduped(Seen(), block(5, NOW, again(), again(content="x"), again(), again(content="x")))
    assert batch.alive.tolist() == [True, False, False, False]
    assert aside(batch) == [(6, CONFLICT), (8, CONFLICT)]
    assert fates(batch) == {"duplicate": 1, "dead_lettered": 2}


def test_an_id_of_an_earlier_batch_is_a_duplicate_and_with_other_content_a_conflict() -> None:
    seen = Seen()
    deduped(seen, block(0, NOW, again()))
    batch = deduped(seen, block(1, NOW, again(content="x"), again()))
    assert batch.alive.tolist() == [False, False]
    assert (aside(batch), fates(batch)) == ([(1, CONFLICT)], {"duplicate": 1, "dead_lettered": 1})


def test_the_same_message_id_of_another_source_is_another_event() -> None:
    other = event("a", "m1", source="server")
    assert deduped(Seen(), block(0, NOW, again(), other)).alive.all()


@pytest.mark.parametrize(
    ("first", "second", "alive"),
    [
        (NOW, NOW + 30 * DAY + 23 * HOUR, False),  # by days: the 30th day after
        (NOW, NOW + 31 * DAY, True),
        (NOW + 23 * HOUR, NOW + 31 * DAY - 1, False),
        (NOW + 23 * HOUR, NOW + 31 * DAY, True),  # 30 days and one hour later, but the 31st day after
    ],
)
def test_an_id_is_remembered_through_the_thirtieth_day_after_its_first(first: int, second: int, alive: bool) -> None:
    seen = Seen()
    deduped(seen, block(0, first, again()))
    assert deduped(seen, block(1, second, again())).alive.tolist() == [alive]


def test_a_duplicate_does_not_make_its_id_remembered_longer() -> None:
    seen = Seen()
    deduped(seen, block(0, NOW, again()))
    deduped(seen, block(1, NOW + 20 * DAY, again()))
    assert deduped(seen, block(2, NOW + 31 * DAY, again())).alive.all()


def test_an_id_forgotten_is_taken_with_other_content_and_remembered_anew() -> None:
    seen = Seen()
    deduped(seen, block(0, NOW, again()))
    deduped(seen, block(1, NOW + 31 * DAY, again(content="x")))
    assert fates(deduped(seen, block(2, NOW + 32 * DAY, again(content="x")))) == {"duplicate": 1}


@pytest.mark.parametrize("verdict", [Verdict.FILTERED, Verdict.QUARANTINED, Verdict.DEAD])
def test_the_id_of_an_event_that_was_not_processed_is_not_remembered(verdict: Verdict) -> None:
    seen = Seen()
    deduped(seen, block(0, NOW, event("a", "m1", verdict=verdict)))
    assert len(seen) == 0
    assert deduped(seen, block(1, NOW, again())).alive.all()
