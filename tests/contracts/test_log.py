"""Every body of the log passes the contract of logs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from livepost.clock import Clock
from livepost.log.base import Log, LogReader
from livepost.log.memory import MemoryLog
from livepost.log.sqlite import SqliteLog, SqliteLogReader
from livepost.testing.contracts.log import DurableLogContract, LogContract


class MemoryBench:
    def new(self, clock: Clock) -> Log:
        return MemoryLog(clock)

    def reader(self, log: Log) -> LogReader:
        return log


class SqliteBench:
    def __init__(self, root: Path, opened: contextlib.ExitStack) -> None:
        self._root = root
        self._opened = opened
        self._numbers = count()
        self._folders: dict[int, Path] = {}

    def new(self, clock: Clock) -> Log:
        return self._log(self._root / f"log-{next(self._numbers)}", clock)

    def reader(self, log: Log) -> LogReader:
        reader = SqliteLogReader(self._folders[id(log)])
        self._opened.callback(reader.close)
        return reader

    def reopen(self, log: Log, clock: Clock) -> Log:
        log.close()
        return self._log(self._folders[id(log)], clock)

    def _log(self, folder: Path, clock: Clock) -> Log:
        log = SqliteLog(folder, clock)
        self._opened.callback(log.close)
        self._folders[id(log)] = folder
        return log


class OneFolderBench(SqliteBench):
    """Opens every log in the same folder, as two processes would by mistake."""

    def new(self, clock: Clock) -> Log:
        return self._log(self._root / "log", clock)


class TestMemoryLog(LogContract):
    @pytest.fixture
    def bench(self) -> MemoryBench:
        return MemoryBench()


class TestSqliteLog(DurableLogContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[SqliteBench]:
        with contextlib.ExitStack() as opened:
            yield SqliteBench(tmp_path, opened)

    @pytest.fixture
    def durable(self, tmp_path: Path) -> Iterator[SqliteBench]:
        with contextlib.ExitStack() as opened:
            yield OneFolderBench(tmp_path, opened)
