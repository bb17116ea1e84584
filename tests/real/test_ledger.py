"""The ledger on a real PostgreSQL: the contract of ledgers, and what a server can do to it besides."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import count

import msgspec
import pytest

from livepost.clock import SimulatedClock
from livepost.ledger.base import Ledger
from livepost.ledger.postgres import PostgresLedger
from livepost.settings.postgres import PostgresAddress
from livepost.testing.contracts.ledger import DurableLedgerContract
from tests.real.postgres import Server

_numbers = count()


class SchemaBench:
    """A schema for each ledger."""

    def __init__(self, database: PostgresAddress, opened: contextlib.ExitStack) -> None:
        self._database = database
        self._opened = opened
        self._addresses: dict[int, PostgresAddress] = {}

    def new(self, host: SimulatedClock) -> Ledger:
        schema = f"ledger_{next(_numbers)}"
        return self._open(msgspec.structs.replace(self._database, schema=schema), host)

    def again(self, ledger: Ledger, host: SimulatedClock) -> Ledger:
        return self._open(self._addresses[id(ledger)], host)

    def _open(self, address: PostgresAddress, host: SimulatedClock) -> Ledger:
        ledger = PostgresLedger(address, "", host)
        self._opened.callback(ledger.close)
        self._addresses[id(ledger)] = address
        return ledger


@pytest.fixture(scope="module")
def database(postgres: Server) -> PostgresAddress:
    return postgres.database()


class TestPostgresLedger(DurableLedgerContract):
    @pytest.fixture
    def bench(self, database: PostgresAddress) -> Iterator[SchemaBench]:
        with contextlib.ExitStack() as opened:
            yield SchemaBench(database, opened)
