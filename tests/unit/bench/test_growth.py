from pathlib import Path

from livepost.bench import growth


def test_what_a_person_and_ten_times_the_people_cost_is_measured_and_nothing_is_left_on_disk(tmp_path: Path) -> None:
    told = growth.run(**growth.QUICK, place=tmp_path)
    assert told["share_with_ten_times_the_people"] > 0
    assert told["memory_bytes_a_person"] > told["row_bytes_a_person"] > 100
    assert told["disk_bytes_a_person"] > told["row_bytes_a_person"]
    assert told["dedupe_bytes_an_id"] >= 14
    assert list(tmp_path.iterdir()) == []
