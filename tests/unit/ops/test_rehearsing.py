"""A rehearsal over a log says what the engine says of it, however it is cut."""

import pytest

from livepost.model.block import Block, block_of
from livepost.model.decision import Decision
from livepost.ops import rehearsing
from livepost.ops.rehearsing import DAY_MS, batches, rehearse
from tests.properties.driver import WORKSPACE, Run, fold
from tests.properties.test_replays import SHOP, long_log

LOG = long_log(seed=3)
BLOCKS = [block_of([record], record.seq, record.stamp) for record in LOG]


def decided(run: Run, campaign: str) -> list[tuple[str, int, str]]:
    found = [item for item in run.outbox if isinstance(item, Decision) and item.campaign == campaign]
    return sorted((one.person.hex(), one.at, one.skip) for one in found)


def rehearsed(campaign: str, since: int = 0, until: int = 1 << 62) -> list[tuple[str, int, str]]:
    return sorted((one.person, one.at, one.skip) for one in rehearse(SHOP, BLOCKS, WORKSPACE, campaign, since, until))


def test_it_is_what_the_engine_decides_over_the_log() -> None:
    run = fold(SHOP, LOG, [100])
    for campaign in ("remind", "return", "thank"):
        expected = decided(run, campaign)
        assert rehearsed(campaign) == expected
        assert len(expected) > 10
    middle = LOG[len(LOG) // 2].stamp
    assert rehearsed("thank", until=middle) + rehearsed("thank", since=middle) != []
    assert sorted(rehearsed("thank", until=middle) + rehearsed("thank", since=middle)) == decided(run, "thank")


def test_a_batch_is_of_a_day_at_most_and_of_so_many_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsing, "STEP_RECORDS", 7)
    cut: list[list[Block]] = list(batches(BLOCKS))
    assert [block for batch in cut for block in batch] == BLOCKS
    assert max(map(len, cut)) == 7
    assert all(batch[-1].stamp - batch[0].stamp <= DAY_MS for batch in cut)
