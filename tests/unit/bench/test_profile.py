from pathlib import Path

from livepost.bench import profile


def test_people_are_read_over_http_at_a_rate_and_nothing_is_left_on_disk(tmp_path: Path) -> None:
    told = profile.run(**profile.QUICK, place=tmp_path)
    assert 0 < told["requests_per_s"] <= 1.1 * profile.QUICK["per_s"]
    assert 0 < told["p50_ms"] <= told["p99_ms"]
    assert list(tmp_path.iterdir()) == []
