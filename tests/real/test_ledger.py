"""The ledger on a real PostgreSQL: the contract of ledgers, and what a server can do to it besides."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import count

import msgspec
import pytest

from livepost.clock import SimulatedClock
from livepost.errors import OutcomeUnknownError, StoreError
from livepost.ledger import postgres as body
from livepost.ledger.base import WORKER_LEASE_MS, Ledger
from livepost.ledger.postgres import PostgresLedger
from livepost.settings.postgres import PostgresAddress
from livepost.testing.contracts.broadcasts import BroadcastsContract
from livepost.testing.contracts.choices import ChoicesContract
from livepost.testing.contracts.consents import ConsentsContract
from livepost.testing.contracts.earnings import EarningsContract
from livepost.testing.contracts.erasures import ErasuresContract
from livepost.testing.contracts.feedback import FeedbackContract
from livepost.testing.contracts.ledger import START_MS, DurableLedgerContract, consent, decision, page
from livepost.testing.contracts.limits import LimitsContract
from livepost.testing.contracts.routing import RoutingContract
from livepost.testing.contracts.verdicts import VerdictsContract
from tests.real.cutting import Cut, Line
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


class TestPostgresLedger(
    BroadcastsContract,
    EarningsContract,
    ErasuresContract,
    FeedbackContract,
    LimitsContract,
    VerdictsContract,
    DurableLedgerContract,
):
    @pytest.fixture
    def bench(self, database: PostgresAddress) -> Iterator[SchemaBench]:
        with contextlib.ExitStack() as opened:
            yield SchemaBench(database, opened)


class TestChoicesOfPostgresLedger(ChoicesContract):
    @pytest.fixture
    def bench(self, database: PostgresAddress) -> Iterator[SchemaBench]:
        with contextlib.ExitStack() as opened:
            yield SchemaBench(database, opened)


class TestConsentsOfPostgresLedger(ConsentsContract):
    @pytest.fixture
    def bench(self, database: PostgresAddress) -> Iterator[SchemaBench]:
        with contextlib.ExitStack() as opened:
            yield SchemaBench(database, opened)


class TestRoutingOfPostgresLedger(RoutingContract):
    @pytest.fixture
    def bench(self, database: PostgresAddress) -> Iterator[SchemaBench]:
        with contextlib.ExitStack() as opened:
            yield SchemaBench(database, opened)


@pytest.fixture
def line(postgres: Server) -> Iterator[Line]:
    with contextlib.closing(Line(postgres.port)) as one:
        yield one


def ledger_by(line: Line, database: PostgresAddress) -> PostgresLedger:
    """Return a new ledger over a line that may break; its leases run on the server's clock."""
    return PostgresLedger(
        msgspec.structs.replace(database, schema=f"ledger_{next(_numbers)}", port=line.port),
    )


@pytest.mark.parametrize(("cut", "there"), [(Cut.BEFORE, 0), (Cut.AFTER, 1)])
def test_a_line_that_breaks_at_a_commit_leaves_the_outcome_unknown_and_the_next_call_finds_it(
    database: PostgresAddress, line: Line, cut: Cut, there: int
) -> None:
    with contextlib.closing(ledger_by(line, database)) as ledger:
        line.break_at(cut, b"COMMIT")
        with pytest.raises(OutcomeUnknownError, match="at a commit, which may have happened or not"):
            ledger.take_over(page(decision(1)), START_MS)
        assert line.broken == 1
        assert len(ledger.deliveries()) == there
        assert ledger.take_over(page(decision(1)), START_MS).inserted == 1 - there
        assert len(ledger.moves(0, 10)) == 1


@pytest.mark.parametrize("word", [b"INSERT INTO deliveries", b"INSERT INTO moves"])
def test_a_line_that_breaks_before_the_commit_changed_nothing(
    database: PostgresAddress, line: Line, word: bytes
) -> None:
    with contextlib.closing(ledger_by(line, database)) as ledger:
        line.break_at(Cut.BEFORE, word)
        with pytest.raises(StoreError, match="nothing changed") as refused:
            ledger.take_over(page(decision(1)), START_MS)
        assert not isinstance(refused.value, OutcomeUnknownError)
        assert (line.broken, ledger.deliveries(), ledger.moves(0, 10)) == (1, [], [])
        assert ledger.take_over(page(decision(1)), START_MS).inserted == 1


def test_a_line_that_was_lost_while_nobody_spoke_is_made_anew_unseen(
    postgres: Server, database: PostgresAddress, line: Line
) -> None:
    with contextlib.closing(ledger_by(line, database)) as ledger:
        for asks in (lambda: ledger.take_over(page(decision(1)), START_MS), ledger.deliveries):
            postgres.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'livepost'")
            asks()
        assert len(ledger.deliveries()) == 1


def test_a_server_that_was_killed_has_all_that_was_returned_for(
    postgres: Server, database: PostgresAddress, line: Line
) -> None:
    with contextlib.closing(ledger_by(line, database)) as ledger:
        for number in range(1, 20):
            ledger.take_over(page(decision(number)), START_MS)
        postgres.kill()
        with pytest.raises(StoreError, match="schema ledger_") as refused:
            ledger.take_over(page(decision(20)), START_MS)
        assert not isinstance(refused.value, OutcomeUnknownError)
        with pytest.raises(StoreError):
            ledger.deliveries()
        postgres.start()
        assert ledger.cursor() == 19
        assert len(ledger.deliveries()) == 19


def test_a_writer_that_is_stopped_in_its_turn_loses_it_and_nothing_else(
    database: PostgresAddress, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "SILENT_MS", 300)
    with contextlib.closing(ledger_by(line, database)) as stopped:
        other = PostgresLedger(stopped._store._address)  # type: ignore[attr-defined]
        with contextlib.closing(other):
            with pytest.raises(StoreError, match="nothing changed") as refused, stopped._store.transaction():
                stopped._store.change("INSERT INTO kills VALUES (?,?)", ("welcome", START_MS))
                other.kill("browse_reminder", True, START_MS)  # waits for the turn until the server ends the other's
            assert not isinstance(refused.value, OutcomeUnknownError)
            assert [one.campaign for one in stopped.kills()] == ["browse_reminder"]


def test_a_writer_that_does_not_get_its_turn_says_that_nothing_changed(
    database: PostgresAddress, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "BUSY_MS", 50)
    with contextlib.closing(ledger_by(line, database)) as first:
        with (
            contextlib.closing(PostgresLedger(first._store._address)) as second,  # type: ignore[attr-defined]
            first._store.transaction(),
            pytest.raises(StoreError, match="is busy or away, nothing changed"),
        ):
            second.kill("welcome", True, START_MS)
        assert first.kills() == []


def test_leases_run_on_the_servers_clock(database: PostgresAddress, line: Line) -> None:
    with contextlib.closing(ledger_by(line, database)) as ledger:
        ledger.enlist("w")
        [(left_ms,)] = ledger._store.read("SELECT until - (extract(epoch FROM now()) * 1000)::bigint FROM leases")
        assert WORKER_LEASE_MS - 5_000 < left_ms <= WORKER_LEASE_MS


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_server_that_confirms_what_a_power_cut_takes_is_refused(
    postgres: Server, database: PostgresAddress, setting: str
) -> None:
    postgres.stop()
    postgres.start("-c", f"{setting}=off")
    try:
        with pytest.raises(StoreError, match=f"runs with {setting} = off"):
            PostgresLedger(database)
    finally:
        postgres.stop()
        postgres.start()


def test_a_database_that_commits_too_early_by_default_does_not_for_the_ledger(
    postgres: Server, database: PostgresAddress, line: Line
) -> None:
    postgres.run(f"ALTER DATABASE {database.database} SET synchronous_commit = off")
    try:
        with contextlib.closing(ledger_by(line, database)) as ledger:
            assert ledger._store.read("SELECT current_setting('synchronous_commit')") == [("on",)]
    finally:
        postgres.run(f"ALTER DATABASE {database.database} RESET synchronous_commit")


def test_a_password_is_asked_for_and_never_told(postgres: Server, database: PostgresAddress) -> None:
    postgres.run("CREATE ROLE shop LOGIN PASSWORD 'hunter2'")
    postgres.run(f"GRANT CREATE ON DATABASE {database.database} TO shop", database.database)
    with postgres.asking_for_passwords("shop"):
        address = msgspec.structs.replace(database, user="shop", schema="of_shop")
        PostgresLedger(address, "hunter2").close()
        with pytest.raises(StoreError, match=r"postgresql://shop@127\.0\.0\.1") as refused:
            PostgresLedger(address, "hunter3")
    assert "hunter" not in str(refused.value)


def test_with_verify_full_a_server_without_tls_is_refused(database: PostgresAddress) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        PostgresLedger(msgspec.structs.replace(database, sslmode="verify-full"))


def test_a_ledger_of_a_later_version_is_refused(database: PostgresAddress, line: Line) -> None:
    with contextlib.closing(ledger_by(line, database)) as ledger:
        with ledger._store.transaction():
            ledger._store.change("UPDATE bookmarks SET number = 99 WHERE name = '$schema'")
        with pytest.raises(StoreError, match="update livepost"):
            PostgresLedger(ledger._store._address)  # type: ignore[attr-defined]


def test_text_with_a_nul_in_it_is_taken(database: PostgresAddress, line: Line) -> None:
    with contextlib.closing(ledger_by(line, database)) as ledger:
        ledger.take_over(page(consent(0), decision(1)), START_MS)
        ledger.skip(ledger.claim(START_MS, 1, "w"), "render", "a\0b", START_MS)
        assert [one.detail for one in ledger.deliveries()] == ["a\N{REPLACEMENT CHARACTER}b"]
