from contextlib import closing
from pathlib import Path

import pytest

from livepost.bench import crowd, shop
from livepost.bench.crowd import live, write_crowd
from livepost.bench.house import house
from livepost.bench.load import requests
from livepost.model.block import Block
from livepost.model.record import Record

BEGIN = 1_795_000_000_000


@pytest.mark.parametrize("block", [3, 5_000])
def test_a_crowd_is_in_the_log_at_its_own_times_and_nothing_is_late(
    block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowd, "BLOCK", block)
    happened = [BEGIN + 100 * number for number in range(4)]
    with house(tmp_path, shop) as new:
        write_crowd(new.folder, "Product Viewed", 2, happened)
        with closing(new.folder.log_reader()) as log:
            blocks = log.read(-1, 100)
    records = [record for one in blocks for record in records_of(one)]
    assert [record.effective_ts for record in records] == [at for at in happened for _ in range(2)]
    assert len({record.subject for record in records}) == 4
    assert len({record.message_id for record in records}) == 8
    assert all(record.stamp >= record.effective_ts for record in records)
    assert [one.stamp for one in blocks] == sorted(one.stamp for one in blocks)
    assert blocks[-1].stamp == happened[-1]


def test_live_views_are_of_people_outside_the_crowd(tmp_path: Path) -> None:
    with house(tmp_path, shop) as new:
        new.folder.port_file.write_text("8300")
        job = live(new, per_s=200, seconds=0.5)
    assert (job.requests, job.batch, job.rate) == (50, 2, 100)
    assert all(b'"userId":"shopper-' in request for request in requests(job))


def records_of(block: Block) -> list[Record]:
    return [block.record(place) for place in range(block.count)]
