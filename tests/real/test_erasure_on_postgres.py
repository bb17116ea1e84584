"""P1 with the ledger on a real PostgreSQL: one person, erased, and looked for in all that the server keeps.

The server's heap, indexes and WAL are read as bytes, before anything is vacuumed and behind a full vacuum; the ledger
is also read through its own reader with the vault at hand. Where a server archives its WAL is not ours to look at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from livepost.govern.rights.receipt import Receipt
from livepost.runtime.rights import decoding
from livepost.runtime.rights.reach import reaching
from tests.crash.erasing import erase, left
from tests.crash.house import House, wait_until
from tests.crash.load import send
from tests.crash.scanning import files_of, found_in
from tests.crash.test_byte_scan import ADDRESS, OPEN, PERSONAL, USER_ID, calls, mail_is_kept, track
from tests.real.postgres import Server


@dataclass
class Erased:
    """A house in which one person was erased; what the server's files told `before`."""

    house: House
    server: Server
    receipt: Receipt
    before: list[str]


@pytest.fixture(scope="module")
def erased(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Erased]:
    address = postgres.database()
    ledger = f"postgresql://{address.user}@{address.host}:{address.port}/{address.database}?sslmode=disable"
    house = House(tmp_path_factory.mktemp("erased") / "house", settings={"LIVEPOST_LEDGER": ledger})
    house.start()
    try:
        send(house, (call for call in calls() if call.get("event") != "Order Completed"))
        send(house, [track("other", {"userId": "somebody-else"}, "Product Viewed", product_id=OPEN)])
        wait_until("her mail to be kept", lambda: mail_is_kept(house))
        house.drain()
        before = on_server(postgres)
        yield Erased(house, postgres, erase(house, USER_ID), before)
    finally:
        house.stop()


def on_server(server: Server) -> list[str]:
    """Return where one of the words stands in the server's files: heap, indexes, WAL, its own log."""
    server.run("CHECKPOINT")
    return found_in(PERSONAL, files_of(server.folder))


def in_ledger(house: House) -> list[str]:
    with reaching(house.folder, house.project) as reach:
        return found_in(PERSONAL, (("ledger", raw) for raw in decoding.ledger(reach)))


def test_nothing_personal_stands_in_clear_in_the_servers_files_at_any_time(erased: Erased) -> None:
    assert erased.before == []
    assert on_server(erased.server) == []
    for database in ("postgres", *_databases(erased.server)):
        erased.server.run("VACUUM FULL", database)
    assert on_server(erased.server) == []


def test_the_scan_sees_what_stands_in_the_servers_files(erased: Erased) -> None:
    """The negative control: an address that stood in a column would be found, and after it was deleted too."""
    erased.server.run("CREATE TABLE leaked (address text)")
    erased.server.run(f"INSERT INTO leaked VALUES ('{ADDRESS}')")
    assert on_server(erased.server) != []
    erased.server.run("DELETE FROM leaked")
    assert on_server(erased.server) != [], "a deleted row stays in the WAL, as this scan has to show"


def test_nothing_is_left_in_the_folder_or_through_the_ledgers_reader(erased: Erased) -> None:
    assert in_ledger(erased.house) == []
    assert left(erased.house, PERSONAL) == []


def test_the_receipt_says_what_became_of_the_ledger_and_what_the_server_keeps(erased: Erased) -> None:
    [ledger] = [one for one in erased.receipt.stores if one.store == "ledger.db"]
    assert "PostgreSQL" in ledger.remains
    assert ledger.rows


def _databases(server: Server) -> list[str]:
    return [name for (name,) in server.run("SELECT datname FROM pg_database WHERE datname LIKE 'ledger_%'")]
