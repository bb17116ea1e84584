from __future__ import annotations

from contextlib import closing
from pathlib import Path

import apsw
import pytest

from livepost.errors import StoreError
from livepost.ids import digest
from livepost.ledger.moves import STATES, State
from livepost.ledger.sqlite import WAL_PAGES, SqliteLedger, SqliteStore
from livepost.testing.contracts.broadcasts import letter_to_three
from livepost.testing.contracts.ledger import (
    ADA,
    BOB,
    START_MS,
    asked,
    clicked,
    consent,
    decision,
    flown,
    page,
    settled,
)

from ..log.faults import FaultyVFS


def test_the_ledger_is_written_with_wal_and_full(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "ledger.db")
    assert store.read("PRAGMA journal_mode") == [("wal",)]
    assert store.read("PRAGMA synchronous") == [(2,)]
    store.close()


def test_a_writer_that_cannot_get_its_turn_says_that_nothing_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livepost.ledger.sqlite.BUSY_MS", 1)
    first, second = SqliteStore(tmp_path / "ledger.db"), SqliteStore(tmp_path / "ledger.db")
    with first.transaction(), pytest.raises(StoreError, match="nothing changed"), second.transaction():
        pass
    first.close()
    second.close()


def test_a_ledger_of_a_later_version_is_refused(tmp_path: Path) -> None:
    SqliteLedger(tmp_path / "ledger.db").close()
    connection = apsw.Connection(str(tmp_path / "ledger.db"))
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="update livepost"):
        SqliteLedger(tmp_path / "ledger.db")


COLUMNS_3 = (
    "body BLOB NOT NULL",
    "campaign TEXT NOT NULL",
    "person BLOB NOT NULL",
    "class TEXT NOT NULL",
    "purpose TEXT NOT NULL",
    "lane INTEGER NOT NULL",
    "at INTEGER NOT NULL",
    "position INTEGER NOT NULL",
    "cap_times INTEGER NOT NULL",
    "cap_per_ms INTEGER NOT NULL",
    "state TEXT NOT NULL",
    "reason TEXT NOT NULL DEFAULT ''",
    "detail TEXT NOT NULL DEFAULT ''",
    "fence INTEGER NOT NULL DEFAULT 0",
    "worker TEXT NOT NULL DEFAULT ''",
    "lease_until INTEGER NOT NULL DEFAULT 0",
    "not_before INTEGER NOT NULL DEFAULT 0",
    "waits_until INTEGER NOT NULL DEFAULT 0",
    "attempts INTEGER NOT NULL DEFAULT 0",
    "first_tried INTEGER NOT NULL DEFAULT 0",
    "address BLOB",
    "provider TEXT NOT NULL DEFAULT ''",
    "provider_id TEXT NOT NULL DEFAULT ''",
    "changed_at INTEGER NOT NULL",
)
"""The columns of a delivery in version 3, behind its id."""

CARA, DORA = digest("cara"), digest("dora")

AS_BEFORE = {
    7: ("DROP TABLE sender_tallies",),
    6: tuple(f"DROP TABLE {name}" for name in ("consent_events", "consent_tallies", "consent_terms")),
    5: (
        *(f"DROP TABLE {name}" for name in ("broadcast_tallies", "broadcast_outcomes")),
        *(f"DROP INDEX {name}" for name in ("deliveries_campaign", "deliveries_out")),
        "DROP INDEX moves_delivery",
        "ALTER TABLE moves DROP COLUMN delivery",
        "CREATE INDEX moves_decision ON moves (decision)",
    ),
    4: (
        *(f"DROP TABLE {name}" for name in ("clicks", "orders", "breakers", "paces", "warm_days")),
        *(f"ALTER TABLE deliveries DROP COLUMN {name}" for name in ("sender", "queued", "pinned")),
    ),
    3: (
        "ALTER TABLE deliveries RENAME TO deliveries_4",
        f"CREATE TABLE deliveries (id BLOB PRIMARY KEY, {', '.join(COLUMNS_3)})",
        f"INSERT INTO deliveries SELECT id, {', '.join(name for name, *_ in map(str.split, COLUMNS_3))}"
        " FROM deliveries_4 ORDER BY number",
        "DROP TABLE deliveries_4",
        *(f"DROP TABLE {name}" for name in ("mail_hours", "heard", "feedback_tallies", "soft_bounces")),
        "CREATE INDEX deliveries_ready ON deliveries (lane, at, position) WHERE state = 'pending' AND waits_until = 0",
        "CREATE INDEX deliveries_waiting ON deliveries (waits_until) WHERE state = 'pending' AND waits_until > 0",
    ),
    2: (
        "DROP INDEX deliveries_ready",
        "DROP INDEX deliveries_waiting",
        "ALTER TABLE deliveries DROP COLUMN waits_until",
        "CREATE INDEX deliveries_pending ON deliveries (lane, at, position) WHERE state = 'pending'",
    ),
    1: ("DROP TABLE sends", "DROP TABLE outcomes", "DROP TABLE outcome_tallies"),
}
"""What makes of a ledger of the version after it one of this version."""


@pytest.mark.parametrize("version", sorted(AS_BEFORE))
def test_a_ledger_of_an_older_version_is_brought_up_to_date_and_keeps_what_it_has(tmp_path: Path, version: int) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.db")
    ledger.take_over(page(consent(0), decision(1)), START_MS)
    ledger.close()
    connection = apsw.Connection(str(tmp_path / "ledger.db"))
    for back_to in range(max(AS_BEFORE), version - 1, -1):
        connection.execute("; ".join((*AS_BEFORE[back_to], f"PRAGMA user_version = {back_to}")))
    connection.close()
    ledger = SqliteLedger(tmp_path / "ledger.db")
    assert [one.decision for one in ledger.claim(START_MS, 10, "courier")] == [decision(1)]
    assert [one.after for one in ledger.history(decision(1).id)] == ["pending", "claimed"]
    assert [one.after for one in ledger.moves(0, 10)] == ["pending", "claimed"]
    assert ledger.send(asked(2), START_MS).new
    assert clicked(ledger, decision(1).id, START_MS)
    assert [one.count for one in ledger.outcome_counts()] == [1]
    assert [one for _, one in ledger.decided(0, 10)] == [decision(1), asked(2).decision]
    ledger.close()


def test_a_ledger_of_before_complaints_were_counted_counts_the_mails_it_has(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.db")
    ledger.take_over(page(consent(0), *(decision(n) for n in (1, 2)), decision(3, class_="transactional")), START_MS)
    settled(ledger, flown(ledger, ledger.claim(START_MS, 10, "courier")), "sent")
    before = ledger.complaints(START_MS)
    ledger.close()
    connection = apsw.Connection(str(tmp_path / "ledger.db"))
    older = (*AS_BEFORE[6], *AS_BEFORE[5], *AS_BEFORE[4], *AS_BEFORE[3])
    connection.execute("; ".join((*older, "PRAGMA user_version = 3")))
    connection.close()
    ledger = SqliteLedger(tmp_path / "ledger.db")
    assert (before.sent, ledger.complaints(START_MS)) == (2, before)
    ledger.close()


def test_a_ledger_of_before_broadcasts_were_counted_counts_the_mails_it_has(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.db")
    letter_to_three(ledger)
    before = ledger.broadcast_counts()
    ledger.close()
    connection = apsw.Connection(str(tmp_path / "ledger.db"))
    connection.execute("; ".join((*AS_BEFORE[6], *AS_BEFORE[5], "PRAGMA user_version = 5")))
    connection.close()
    ledger = SqliteLedger(tmp_path / "ledger.db")
    assert len(before) == 4 and ledger.broadcast_counts() == before
    ledger.close()


def allowed_of(ledger: SqliteLedger) -> dict[bool, int]:
    counted = ledger.consent_counts()
    return {on: sum(one.people for one in counted if (one.state == "given") is on) for on in (True, False)}


def test_a_ledger_of_before_the_history_of_consents_begins_it_with_what_stands(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.db")
    ledger.take_over(page(consent(0), consent(1, person=BOB), consent(2, person=CARA, allowed=False)), START_MS)
    ledger.withdraw(BOB, "marketing", START_MS + 1, "one-click 00")
    ledger.withdraw(DORA, "ads", START_MS + 1, "page")
    before = allowed_of(ledger)
    ledger.close()
    connection = apsw.Connection(str(tmp_path / "ledger.db"))
    connection.execute("; ".join((*AS_BEFORE[6], "PRAGMA user_version = 6")))
    connection.close()
    ledger = SqliteLedger(tmp_path / "ledger.db")
    assert ledger.consent_faults() == []
    assert {event.how for event in ledger.newest_consents()} == {"before"}
    assert allowed_of(ledger) == before == {True: 1, False: 3}
    ledger.close()


@pytest.mark.parametrize("state", STATES)
def test_a_campaigns_deliveries_of_a_state_are_found_along_an_index(tmp_path: Path, state: State) -> None:
    store = SqliteStore(tmp_path / "ledger.db")
    for of, name in ((f"campaign = ? AND state = '{state}'", "deliveries_"), ("campaign = ?", "deliveries_campaign")):
        plan = store.read(f"EXPLAIN QUERY PLAN SELECT body FROM deliveries WHERE {of} ORDER BY number DESC", ("c",))
        assert plan[0][3].startswith(f"SEARCH deliveries USING INDEX {name}"), plan
    store.close()


def test_a_file_that_is_no_ledger_is_refused_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"no database" * 1_000)
    with pytest.raises(StoreError, match=r"ledger\.db cannot be opened"):
        SqliteLedger(path)


def test_a_wal_that_cannot_be_moved_to_the_file_is_as_good_there(tmp_path: Path) -> None:
    vfs = FaultyVFS("faulty-ledger-store", "xWrite", "ledger.db")
    store = SqliteStore(tmp_path / "ledger.db", vfs.name, wal_pages=3)
    vfs.fault = apsw.FullError
    for number in range(9):
        with store.transaction():
            store.insert(decision(number), ADA, 0, START_MS)
    vfs.fault = None
    store.close()
    store = SqliteStore(tmp_path / "ledger.db")
    assert store.read("SELECT count(*) FROM deliveries") == [(9,)]
    store.close()


def test_the_wal_is_moved_to_the_file_when_it_has_so_many_pages(tmp_path: Path) -> None:
    def wal_bytes(name: str, pages: int) -> int:
        with closing(SqliteLedger(tmp_path / name, wal_pages=pages)) as ledger:
            for n in range(60):
                ledger.take_over(page(decision(n)), START_MS)
            return (tmp_path / f"{name}-wal").stat().st_size

    seldom, often = wal_bytes("seldom.db", WAL_PAGES), wal_bytes("often.db", 20)
    assert often < seldom / 4 < WAL_PAGES * 4_096
