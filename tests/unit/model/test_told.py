import msgspec

from livepost.model.lateness import Lateness
from livepost.model.told import Due, Status


def test_a_status_with_its_histogram_comes_back_from_the_wire_as_it_went() -> None:
    status = Status(
        position=7,
        as_of=1_795_296_700_000,
        complete_to=6,
        next_due=None,
        people=2,
        transitions=3,
        program="ab" * 16,
        counts={"processed": 7},
        lateness=Lateness(too_late=2),
        freshness={-94: 1, 12: 5},
    )
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(status), type=Status) == status


def test_a_due_is_another_when_either_part_is() -> None:
    assert Due(None, 3) == Due(None, 3)
    assert len({Due(None, 3), Due(None, 4), Due(5, 3)}) == 3
