from pathlib import Path

from livepost.bench import exits
from livepost.bench.exits import lateness_of
from livepost.model.decision import Transition


def transition(at: int, segment: str = "keen", *, entered: bool = False) -> Transition:
    return Transition(
        id=b"i" * 16,
        person=b"p" * 16,
        segment=segment,
        version="1",
        number=2,
        entered=entered,
        at=at,
        position=7,
        origin=0,
    )


def test_an_exit_is_late_by_the_time_from_when_it_was_due_to_when_it_was_told() -> None:
    told = [(1_100, transition(1_000)), (1_900, transition(1_850, "looking")), (1_950, transition(1_940, entered=True))]
    late = lateness_of(told)
    assert len(late) == 1
    assert 100 <= late.quantile(0.99) <= 105


def test_a_few_people_leave_one_behind_the_other_and_nothing_is_left_on_disk(tmp_path: Path) -> None:
    told = exits.run(**exits.QUICK, place=tmp_path)
    assert told["exits"] == exits.QUICK["people"]
    assert 0 < told["late_p50_ms"] <= told["late_p99_ms"]
    assert list(tmp_path.iterdir()) == []
