"""Every body of the state passes the contract of state stores."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from livepost.state.base import DurableStateStore, StateStore
from livepost.state.memory import MemoryState
from livepost.state.people import Bounds
from livepost.state.rocksdb import RocksState
from livepost.state.sqlite import SqliteState
from livepost.testing.contracts.state import DurableStateContract, StateContract


class MemoryBench:
    def new(self) -> StateStore:
        return MemoryState()


SMALL = (
    Bounds(floor_bytes=0, full_bytes=64, loose_bytes=0),
    Bounds(floor_bytes=0, full_bytes=200, loose_bytes=40, loose_max=3),
    Bounds(floor_bytes=300, full_bytes=100, loose_bytes=80, loose_max=2, held_share=1.1, pace=12.0),
)


class DiskBench:
    """Opens states of one body in a folder; whatever is open in the end is closed."""

    def __init__(self, root: Path, opened: contextlib.ExitStack, open_at: Callable[[Path], DurableStateStore]) -> None:
        self._root = root
        self._opened = opened
        self._open_at = open_at
        self._numbers = count()
        self._paths: dict[int, Path] = {}

    def new(self) -> DurableStateStore:
        return self.at(self._root / f"state-{next(self._numbers)}.db")

    def reopen(self, store: StateStore) -> DurableStateStore:
        store.close()
        return self.at(self._paths[id(store)])

    def at(self, place: Path) -> DurableStateStore:
        state = self._open_at(place)
        self._opened.callback(state.close)
        self._paths[id(state)] = place
        return state


class TestMemoryState(StateContract):
    @pytest.fixture
    def bench(self) -> MemoryBench:
        return MemoryBench()


class TestSqliteState(DurableStateContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[DiskBench]:
        with contextlib.ExitStack() as opened:
            yield DiskBench(tmp_path, opened, SqliteState)

    @pytest.fixture
    def durable(self, bench: DiskBench) -> DiskBench:
        return bench


@pytest.mark.parametrize("packs", SMALL)
class TestSqliteStateOfSmallPacks(DurableStateContract):
    """Packs are taken up in every few commits, the oldest as well as the loose ones."""

    @pytest.fixture
    def bench(self, tmp_path: Path, packs: Bounds) -> Iterator[DiskBench]:
        with contextlib.ExitStack() as opened:
            yield DiskBench(tmp_path, opened, partial(SqliteState, packs=packs))

    @pytest.fixture
    def durable(self, bench: DiskBench) -> DiskBench:
        return bench


class TestRocksState(DurableStateContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[DiskBench]:
        with contextlib.ExitStack() as opened:
            yield DiskBench(tmp_path, opened, RocksState)

    @pytest.fixture
    def durable(self, bench: DiskBench) -> DiskBench:
        return bench
