import os
from pathlib import Path

from livepost.bench.machine import Pace, at_gate_pace, cpu_s, machine, syncs_per_s


def test_the_disk_is_measured_and_nothing_is_left_on_it(tmp_path: Path) -> None:
    assert syncs_per_s(tmp_path, count=3) > 0
    assert list(tmp_path.iterdir()) == []


def test_a_machine_has_a_name_and_cores(tmp_path: Path) -> None:
    told = machine(tmp_path)
    assert told.cpu and told.cores >= 1 and told.python.startswith("3.")


def test_working_takes_cpu() -> None:
    before = cpu_s(os.getpid())
    while cpu_s(os.getpid()) == before:
        sum(range(10_000))
    assert cpu_s(os.getpid()) > before


def test_the_processors_pace_is_told_as_how_much_slower_than_the_gates_machine_it_is() -> None:
    pace = Pace()
    slowness = [pace.take() for _ in range(20)]
    assert all(0.05 < one < 500 for one in slowness)
    assert pace.hash_us["p10"] <= pace.hash_us["p50"] <= pace.hash_us["p90"]
    assert min(slowness) * 0.4 <= pace.hash_us["p50"] <= max(slowness) * 0.5


def test_only_what_was_measured_at_the_fastest_pace_is_taken_to_that_of_the_gates() -> None:
    slow = [(9.0, 1_000_000.0)] * 6
    assert at_gate_pace([(1.5, 20.0), (1.0, 34.0), *slow]) == 32.0
    assert at_gate_pace([(2.0, 10.0)]) == 20.0
