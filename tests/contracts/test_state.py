"""Every body of the state passes the contract of state stores."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from livepost.state.base import StateStore
from livepost.state.memory import MemoryState
from livepost.state.people import USUAL, Bounds
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


class SqliteBench:
    def __init__(self, root: Path, opened: contextlib.ExitStack, packs: Bounds = USUAL) -> None:
        self._root = root
        self._opened = opened
        self._packs = packs
        self._numbers = count()
        self._paths: dict[int, Path] = {}

    def new(self) -> StateStore:
        return self._state(self._root / f"state-{next(self._numbers)}.db")

    def reopen(self, store: StateStore) -> StateStore:
        store.close()
        return self._state(self._paths[id(store)])

    def _state(self, path: Path) -> StateStore:
        state = SqliteState(path, packs=self._packs)
        self._opened.callback(state.close)
        self._paths[id(state)] = path
        return state


class TestMemoryState(StateContract):
    @pytest.fixture
    def bench(self) -> MemoryBench:
        return MemoryBench()


class TestSqliteState(DurableStateContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[SqliteBench]:
        with contextlib.ExitStack() as opened:
            yield SqliteBench(tmp_path, opened)

    @pytest.fixture
    def durable(self, bench: SqliteBench) -> SqliteBench:
        return bench


@pytest.mark.parametrize("packs", SMALL)
class TestSqliteStateOfSmallPacks(DurableStateContract):
    """Packs are taken up in every few commits, the oldest as well as the loose ones."""

    @pytest.fixture
    def bench(self, tmp_path: Path, packs: Bounds) -> Iterator[SqliteBench]:
        with contextlib.ExitStack() as opened:
            yield SqliteBench(tmp_path, opened, packs)

    @pytest.fixture
    def durable(self, bench: SqliteBench) -> SqliteBench:
        return bench
