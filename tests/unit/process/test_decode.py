import pytest

from livepost.model.record import Kind, Record
from livepost.process.batch import batch_of
from livepost.process.decode import decode
from tests.unit.process.records import NOW, block, event


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind != Kind.EVENT])
def test_only_events_go_on_and_others_are_not_counted(kind: Kind) -> None:
    batch = batch_of([block(0, NOW, Record(kind=kind, effective_ts=NOW), event("a", "m1"))])
    decode(batch)
    assert (batch.alive.tolist(), batch.counts) == ([False, True], {})
