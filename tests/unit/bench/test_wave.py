"""What the looks at a wave tell, and once the whole benchmark, small."""

from pathlib import Path

from livepost.bench import wave
from livepost.bench.wave import Course, Served, figures
from livepost.observe.latencies import Latencies


def freshness(*latencies: tuple[float, int]) -> dict[int, int]:
    made = Latencies()
    for ms, times in latencies:
        made.add(ms, times)
    return made.counts


def test_a_wave_is_over_with_its_last_person_and_live_events_count_before_and_during_it() -> None:
    looks = [
        Served(0, 0, freshness((1, 500)), 1.0),
        Served(1_000, 0, freshness((1, 500), (10, 1_000)), 1.5),
        Served(1_500, 60, freshness((1, 500), (10, 1_000), (40, 200)), 1.75),
        Served(2_000, 100, freshness((1, 500), (10, 1_000), (40, 500)), 2.25),
    ]
    told = figures(looks, Course(calm=0, due=1_000, end=1_200))
    assert (told["all_within_s"], told["engine_cpu_s"]) == (0.8, 0.75)
    assert (told["live_per_s_before"], told["live_per_s_during"]) == (1_000, 500)
    assert 9.5 < told["live_ms_before"]["p99"] < 10.5
    assert 29 < told["live_p99_more_ms"] < 33


def test_a_small_wave_is_served_and_nothing_is_left_on_disk(tmp_path: Path) -> None:
    told = wave.one_wave(people=300, per_s=200, before_s=1.0, spread_s=0.0, place=tmp_path)
    assert told["all_within_s"] > 0
    assert told["live_per_s_before"] > 0
    assert list(tmp_path.iterdir()) == []
