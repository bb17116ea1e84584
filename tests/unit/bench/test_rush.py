from pathlib import Path

from livepost.bench import rush


def test_a_quick_rush_is_accepted_and_served_and_nothing_is_left_on_disk(tmp_path: Path) -> None:
    told = rush.run(**rush.QUICK, place=tmp_path)
    assert told["offered_per_s"] == 2_000
    assert 0 < told["accepted_per_s"] <= 2_100
    assert told["transition_p99_ms"] == told["rush"]["transition_ms"]["p99"] > 0
    assert list(tmp_path.iterdir()) == []
