import os
from pathlib import Path

from livepost.bench.machine import cpu_s, machine, syncs_per_s


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
