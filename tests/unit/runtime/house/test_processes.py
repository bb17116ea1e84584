"""What is told of processes, against the system's own word; on a system without /proc only what can be had."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from livepost.clock import HOUR_MS, WallClock
from livepost.runtime.house import processes
from livepost.runtime.house.processes import (
    RESTARTS_MAX,
    Supervised,
    process_standings,
    started,
    this_process,
    usage,
    write_supervised,
)

PROC = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system has no /proc")


@pytest.fixture
def child() -> subprocess.Popen[bytes]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def told(path: Path, pid: int) -> Path:
    one = started("engine", pid)
    write_supervised(path / "processes.json", Supervised(supervisor=this_process("supervisor"), processes=[one]))
    return path / "processes.json"


def test_a_process_that_was_started_is_told_alive_and_since_when(
    tmp_path: Path, child: subprocess.Popen[bytes]
) -> None:
    before = WallClock().now_ms()
    path = told(tmp_path, child.pid)
    [one] = process_standings(path, WallClock().now_ms())
    assert (one.name, one.pid, one.alive, one.supervised, one.restarts) == ("engine", child.pid, True, True, 0)
    assert before <= one.since <= WallClock().now_ms()


def test_one_that_ended_is_told_gone(tmp_path: Path, child: subprocess.Popen[bytes]) -> None:
    path = told(tmp_path, child.pid)
    child.kill()
    child.wait()
    [one] = process_standings(path, WallClock().now_ms())
    assert (one.alive, one.resident_bytes, one.cpu_s) == (False, None, None)


@PROC
def test_one_that_ended_and_was_not_waited_for_is_gone_too(tmp_path: Path, child: subprocess.Popen[bytes]) -> None:
    path = told(tmp_path, child.pid)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert [one.alive for one in process_standings(path, 0)] == [False]


@PROC
def test_another_process_of_the_same_number_is_not_taken_for_it(tmp_path: Path, child: subprocess.Popen[bytes]) -> None:
    path = told(tmp_path, child.pid)
    write = msgspec.json.decode(path.read_bytes(), type=Supervised)
    older = msgspec.structs.replace(write.processes[0], began=1)
    write_supervised(path, msgspec.structs.replace(write, processes=[older]))
    assert [one.alive for one in process_standings(path, 0)] == [False]


@PROC
def test_memory_and_time_are_the_systems_own_figures() -> None:
    used = usage(os.getpid())
    assert used is not None
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    resident = int(status["VmRSS"].split()[0]) * 1024
    assert abs(used.resident_bytes - resident) < 8_000_000
    assert abs(used.cpu_s - time.process_time()) < 1.0
    assert usage(2**22 + 1) is None


@PROC
def test_this_process_began_before_now() -> None:
    assert WallClock().now_ms() - 3 * HOUR_MS < this_process("front").since < WallClock().now_ms()


@pytest.mark.parametrize("supervisor", ["none", "gone"])
def test_where_nobody_supervises_the_front_alone_is_told_and_that_it_is_not(tmp_path: Path, supervisor: str) -> None:
    path = tmp_path / "processes.json"
    if supervisor == "gone":
        gone = msgspec.structs.replace(this_process("supervisor"), pid=2**22 + 1)
        write_supervised(path, Supervised(supervisor=gone, processes=[this_process("engine")]))
    [one] = process_standings(path, WallClock().now_ms())
    assert (one.name, one.pid, one.alive, one.supervised) == ("front", os.getpid(), True, False)


def test_restarts_are_counted_for_an_hour_and_remembered_within_a_bound(tmp_path: Path) -> None:
    one = started("engine", os.getpid())
    for _ in range(3):
        one = started("engine", os.getpid(), one)
    write_supervised(tmp_path / "p.json", Supervised(supervisor=this_process("supervisor"), processes=[one]))
    assert [found.restarts for found in process_standings(tmp_path / "p.json", one.since)] == [3]
    assert [found.restarts for found in process_standings(tmp_path / "p.json", one.since + HOUR_MS)] == [0]
    many = msgspec.structs.replace(one, restarts=[0] * RESTARTS_MAX)
    assert len(started("engine", os.getpid(), many).restarts) == RESTARTS_MAX


def test_without_proc_a_process_is_alive_if_it_can_be_asked(
    tmp_path: Path, child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_PROC", tmp_path / "no such folder")
    path = told(tmp_path, child.pid)
    [one] = process_standings(path, 0)
    assert (one.alive, one.resident_bytes, one.cpu_s) == (True, None, None)
    child.kill()
    child.wait()
    assert [found.alive for found in process_standings(path, 0)] == [False]
