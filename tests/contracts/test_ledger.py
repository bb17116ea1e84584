"""Every body of the ledger passes the contract of ledgers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from livepost.clock import SimulatedClock
from livepost.ledger.base import Ledger
from livepost.ledger.sqlite import SqliteLedger
from livepost.testing.contracts.broadcasts import BroadcastsContract
from livepost.testing.contracts.choices import ChoicesContract
from livepost.testing.contracts.consents import ConsentsContract
from livepost.testing.contracts.earnings import EarningsContract
from livepost.testing.contracts.erasures import ErasuresContract
from livepost.testing.contracts.feedback import FeedbackContract
from livepost.testing.contracts.ledger import DurableLedgerContract, LedgerContract
from livepost.testing.contracts.limits import LimitsContract
from livepost.testing.contracts.routing import RoutingContract
from livepost.testing.contracts.verdicts import VerdictsContract


class MemoryBench:
    def new(self, host: SimulatedClock) -> Ledger:
        return SqliteLedger(":memory:", host)


class DiskBench:
    def __init__(self, root: Path, opened: contextlib.ExitStack) -> None:
        self._root = root
        self._opened = opened
        self._numbers = count()
        self._paths: dict[int, Path] = {}

    def new(self, host: SimulatedClock) -> Ledger:
        return self._open(self._root / f"ledger-{next(self._numbers)}.db", host)

    def again(self, ledger: Ledger, host: SimulatedClock) -> Ledger:
        return self._open(self._paths[id(ledger)], host)

    def _open(self, path: Path, host: SimulatedClock) -> Ledger:
        ledger = SqliteLedger(path, host)
        self._opened.callback(ledger.close)
        self._paths[id(ledger)] = path
        return ledger


class TestSqliteLedgerInMemory(
    BroadcastsContract,
    EarningsContract,
    ErasuresContract,
    FeedbackContract,
    LimitsContract,
    VerdictsContract,
    LedgerContract,
):
    @pytest.fixture
    def bench(self) -> MemoryBench:
        return MemoryBench()


class TestSqliteLedgerOnDisk(DurableLedgerContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[DiskBench]:
        with contextlib.ExitStack() as opened:
            yield DiskBench(tmp_path, opened)


class TestConsentsOfSqliteLedger(ConsentsContract):
    @pytest.fixture
    def bench(self) -> MemoryBench:
        return MemoryBench()


class TestChoicesOfSqliteLedger(ChoicesContract):
    @pytest.fixture
    def bench(self) -> MemoryBench:
        return MemoryBench()


class TestRoutingOfSqliteLedger(RoutingContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[DiskBench]:
        with contextlib.ExitStack() as opened:
            yield DiskBench(tmp_path, opened)
