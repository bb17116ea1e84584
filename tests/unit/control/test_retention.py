"""Runs of retention in the control store."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from livepost.control import retention
from livepost.control.retention import Run, Went
from livepost.control.sqlite import ControlStore


def run(number: int, **also: int) -> Run:
    return Run(id=str(number), by="house", begun_at=number, as_of=number, **also)


def test_a_run_is_under_way_until_its_end_and_stays_as_a_report(tmp_path: Path) -> None:
    with closing(ControlStore(tmp_path / "control.db")) as store:
        assert retention.under_way(store) is None
        retention.begin(store, run(1))
        further = msgspec.structs.replace(run(1), done=("log",), went=(Went(store="log", field="ip", count=3),))
        retention.go_on(store, further, ("30d", 7))
        assert (retention.under_way(store), retention.place(store, "30d"), retention.place(store, "9d")) == (
            further,
            7,
            0,
        )
        retention.go_on(store, msgspec.structs.replace(further, ended_at=9))
        assert retention.under_way(store) is None
        assert [one.ended_at for one in retention.runs(store)] == [9]


def test_the_newest_runs_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "RUNS_MAX", 2)
    with closing(ControlStore(tmp_path / "control.db")) as store:
        for number in range(1, 6):
            retention.begin(store, run(number))
            retention.go_on(store, run(number, ended_at=number))
        retention.begin(store, run(9))
        assert [one.id for one in retention.runs(store)] == ["9", "5"]
