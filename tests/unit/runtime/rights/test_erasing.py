"""Erasures: nothing of the person is left in any store, whatever dies on the way; with a step left out it is found."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from livepost.announce.book import Book as Webhooks
from livepost.audit.head import Signer
from livepost.clock import HOUR_MS, WallClock
from livepost.control import approvals, erasures, requests
from livepost.control.approvals import Approvals
from livepost.control.requests import Requests
from livepost.errors import StoreError
from livepost.govern.rights.receipt import Receipt, is_signed
from livepost.intake.writer import Lane
from livepost.model.record import Origin
from livepost.runtime.data.audits import PURPOSE
from livepost.runtime.engine.worker import Worker
from livepost.runtime.rights import erasing
from livepost.runtime.rights.erasing import STEPS, House
from livepost.state.opening import open_state
from livepost.sync.book import Book as Audiences
from tests.crash.scanning import found_in
from tests.unit.runtime.rights.dying import DiedError, dies_behind
from tests.unit.runtime.rights.erasable import (
    ADDRESS,
    DESTINATION,
    OPEN,
    PERSONAL,
    REQUEST,
    Erasable,
    erasable,
    lived,
    request_of,
)
from tests.unit.runtime.still import ada, look

NAMES = [name for name, _ in STEPS]


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project with its data folder, to be copied."""
    folder = tmp_path_factory.mktemp("before") / "shop"
    lived(folder)
    return folder


@pytest.fixture
def house(tmp_path: Path, before: Path) -> Iterator[Erasable]:
    shutil.copytree(before, tmp_path / "shop")
    with erasable(tmp_path / "shop") as one:
        yield one


def erase(house: Erasable, person: str = "ada") -> Receipt:
    return asyncio.run(house.erasing().erase(person, "command:test"))


def left_of(house: Erasable) -> set[str]:
    """Return what is left of Ada, a word a store."""
    left = {store for store in house.telling() if store != "audiences.db"}
    left |= {"state"} if any(house.engine.people(list(house.subjects), -1)) else set()
    blind = house.vault.blind("suppression", ADDRESS)
    values = [*house.ledger.values()]
    left |= {"ledger"} if blind in values else set()
    left |= {"list"} if not house.ledger.erased_ids() else set()
    with closing(Webhooks(house.still.folder.webhooks_file)) as webhooks:
        left |= {"webhooks"} if webhooks.letters() else set()
    with closing(Audiences(house.still.folder.audiences_file)) as audiences:
        left |= {"audiences"} if audiences.rows_of(DESTINATION, house.subjects) else set()
    numbers = [subject.hex() for subject in house.subjects]
    left |= {f"control: {table}" for table in _tables_with(house, numbers)}
    left |= {"limits"} if any(house.ledger.limits(subject) for subject in house.subjects) else set()
    left |= {"receipt"} if found_in([*PERSONAL, *numbers], _receipts(house)) else set()
    return left


def _tables_with(house: Erasable, numbers: Sequence[str]) -> set[str]:
    """Return the tables of `control.db` in which a number of Ada's stands, as bytes or in hex."""
    tables = [name for (name,) in house.control.read("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = set()
    for table in tables:
        for row in house.control.read(f"SELECT * FROM {table}"):
            told = b" ".join(one if isinstance(one, bytes) else str(one).encode() for one in row)
            if any(number.encode() in told or bytes.fromhex(number) in told for number in numbers):
                found.add(table)
    return found


def _receipts(house: Erasable) -> list[tuple[str, bytes]]:
    return [("receipt", receipt) for receipt in erasures.receipts(house.control)]


BEFORE = {
    *("vault.db", "log", "mailbox", "state", "ledger", "list", "webhooks", "audiences", "limits"),
    *("control: requests", "control: approvals"),
}


def test_everything_is_there_to_be_found_and_nothing_is_left(house: Erasable) -> None:
    assert left_of(house) == BEFORE
    receipt = erase(house)
    assert left_of(house) == set()
    assert house.telling([OPEN]) == {"log"}
    assert receipt.subjects == len(house.subjects) == 3
    assert house.knows("bob")


def test_the_receipt_names_each_store_and_nobody_and_is_signed(house: Erasable) -> None:
    receipt = erase(house)
    stores = {one.store for one in receipt.stores}
    assert {"log", "state.db", "ledger.db", "vault.db", "mailbox", "webhooks.db", "audiences.db"} <= stores
    [vault] = [one for one in receipt.stores if one.store == "vault.db"]
    assert (vault.rows, vault.until) == ({"keys": 3}, vault.at + 7 * 24 * HOUR_MS)
    public = Signer(house.vault.secret(PURPOSE)).public
    assert is_signed(receipt, public)
    assert not is_signed(msgspec.structs.replace(receipt, subjects=2), public)
    assert erasures.receipts(house.control) == [msgspec.json.encode(receipt)]
    assert found_in(PERSONAL, [("receipt", msgspec.json.encode(receipt))]) == []


@pytest.mark.parametrize("step", [*NAMES, "control"])
def test_a_crash_behind_a_step_is_gone_on_with(house: Erasable, step: str) -> None:
    with pytest.raises(DiedError):
        asyncio.run(house.erasing(dies_behind(step)).erase("ada", "command:test"))
    asyncio.run(_until(house, lambda: not erasures.under_way(house.control)))
    assert left_of(house) == set()
    assert len(erasures.receipts(house.control)) == 1


async def _until(house: Erasable, done: Callable[[], bool]) -> None:
    """Let a front that was just started go on."""
    running = asyncio.create_task(house.erasing().run())
    while not done():
        await asyncio.sleep(0)
    running.cancel()


FOUND_WITHOUT = {
    "log": {"state"},
    "vault": {"vault.db", "log", "mailbox"},
    "webhooks": {"webhooks"},
    "audiences": {"audiences"},
}


@pytest.mark.parametrize("step", ["log", "vault", "webhooks", "audiences"])
def test_an_eraser_that_skips_a_store_is_found(house: Erasable, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control, per store."""
    _skip(monkeypatch, step)
    if step == "log":
        _skip(monkeypatch, "state")
    erase(house)
    assert left_of(house) == FOUND_WITHOUT[step]


def test_an_eraser_that_skips_the_ledger_is_found(house: Erasable, monkeypatch: pytest.MonkeyPatch) -> None:
    _skip(monkeypatch, "ledger")
    _skip(monkeypatch, "ledger again")
    erase(house)
    assert left_of(house) == {"ledger", "list", "limits"}


def _skip(patch: pytest.MonkeyPatch, step: str) -> None:
    async def nothing(house: House, erasure: erasures.Erasure) -> tuple[erasures.Erasure, erasures.Done]:
        return erasure, erasures.Done(at=0)

    steps = [(name, nothing if name == step else done) for name, done in erasing.STEPS]
    patch.setattr(erasing, "STEPS", tuple(steps))


def test_that_somebody_asked_stays_as_proof_with_the_receipt_and_without_a_number(house: Erasable) -> None:
    before = Requests(house.control).get(REQUEST)
    receipt = erase(house)
    story = Requests(house.control).story(REQUEST)
    assert before is not None and story is not None
    assert (story.request.subjects, story.request.body, story.receipts) == ((), b"", [receipt.id])
    assert story.request == msgspec.structs.replace(before, subjects=(), body=b"")
    other = Requests(house.control).story("ef" * 16)
    assert other is not None
    assert (other.request.subjects, other.request.body, other.receipts) == ((b"b" * 16,), b"sealed", [])
    [approval] = Approvals(house.control).listed()
    assert (approval.people, approval.reason) == ((b"b" * 16,), "they asked")


@pytest.mark.parametrize("table", [requests, approvals])
def test_an_eraser_that_forgets_a_table_of_requests_is_found(
    house: Erasable, table: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control."""
    monkeypatch.setattr(table, "forget", lambda *asked: 0)
    erase(house)
    assert left_of(house) == {f"control: {table.__name__.rpartition('.')[2]}"}


def test_of_a_request_of_two_the_other_stays(house: Erasable) -> None:
    both = request_of(house.subjects[0], b"b" * 16, id="12" * 16)
    Requests(house.control).enter(both)
    receipt = erase(house)
    story = Requests(house.control).story(both.id)
    assert story is not None
    assert (story.request.subjects, story.receipts) == ((b"b" * 16,), [receipt.id])


def test_who_is_not_known_is_not_erased(house: Erasable) -> None:
    with pytest.raises(StoreError, match="somebody who is known"):
        erase(house, "carol")
    assert erasures.under_way(house.control) == []


def test_any_id_of_theirs_names_them(house: Erasable) -> None:
    erase(house, PERSONAL[2])
    assert left_of(house) == set()


def test_what_is_imported_again_of_before_brings_nobody_back(house: Erasable) -> None:
    erase(house)
    before = {"timestamp": "2026-01-01T00:00:00Z"}
    house.take({**ada("again-1"), **before}, {**look("old"), **before}, origin=Origin.IMPORT)
    assert house.subject_of("ada") is None
    assert house.telling() == set()
    assert not house.knows("ada")
    assert house.engine.status().counts["filtered"] == 2


def test_what_comes_late_of_before_brings_nobody_back_under_any_id(house: Erasable) -> None:
    erase(house)
    yesterday = WallClock().now_ms() - 24 * HOUR_MS
    house.take(ada("late-1"), {**look("late"), "anonymousId": PERSONAL[2]}, at=yesterday)
    told = ada("late-2") | {"userId": "somebody-else"}
    house.take(told, at=yesterday)
    assert (house.subject_of("ada"), house.subject_of("somebody-else")) == (None, None)
    assert house.telling() == set()


def test_the_import_of_somebody_else_comes_in(house: Erasable) -> None:
    """The control: it is not the import that is refused."""
    erase(house)
    house.take({**look("old", person="bob"), "timestamp": "2026-01-01T00:00:00Z"}, origin=Origin.IMPORT)
    assert house.engine.status().counts["filtered"] == 0


def test_without_the_list_they_would_be_back(house: Erasable, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control."""
    monkeypatch.setattr(Erasable, "listed", lambda self: None)
    erase(house)
    house.take({**ada("again-1"), "timestamp": "2026-01-01T00:00:00Z"}, origin=Origin.IMPORT)
    assert house.knows("ada")


def test_a_later_event_begins_somebody_new(house: Erasable) -> None:
    erase(house)
    house.take(look("later"))
    assert house.knows("ada")
    assert house.subject_of("ada") not in house.subjects


def test_what_is_under_way_of_the_old_numbers_is_emptied(house: Erasable) -> None:
    waiting = house.records_of(look("on its way"))
    erase(house)
    house.intake.append(waiting)
    assert house.telling(["on its way"]) == set()
    assert not house.engine.people(list(house.subjects), -1)


def test_what_waits_while_it_happens_is_emptied(house: Erasable) -> None:
    async def meanwhile() -> None:
        waiting = house.records_of(look("on its way"))
        heard = house.intake.admit_records(waiting, Lane.LOAD)
        house.intake.forget(house.subjects)
        await heard

    asyncio.run(meanwhile())
    assert house.telling(["on its way"]) == set()
    assert not house.engine.people(list(house.subjects), -1)


def test_a_state_of_before_forgets_them_as_it_reads_on(house: Erasable, tmp_path: Path) -> None:
    house.state.snapshot(tmp_path / "before.db")
    erase(house)
    with closing(open_state("sqlite:", tmp_path / "before.db")) as state:
        worker = house.worker(state)
        assert worker.people(house.subjects)
        _work_off(worker)
        assert not worker.people(house.subjects)


def test_a_replay_of_the_whole_log_has_nobody_and_mails_nobody(house: Erasable, tmp_path: Path) -> None:
    erase(house)
    with closing(open_state("sqlite:", tmp_path / "anew.db")) as state:
        worker = house.worker(state)
        _work_off(worker)
        taken = house.ledger.take_over(worker.decisions(0, 1_000), WallClock().now_ms())
        assert (taken.inserted, taken.compared) == (0, 1)
        assert not worker.people(house.subjects)
    assert house.ledger.claim(WallClock().now_ms(), 10, "w") == []


def test_a_vault_and_a_state_of_before_are_put_right_at_the_start(house: Erasable) -> None:
    now_ms = WallClock().now_ms()
    house.ledger.erase(house.subjects, [b"i" * 16], now_ms, now_ms)
    assert house.knows("ada")
    asyncio.run(_until(house, lambda: house.subject_of("ada") is None and not _there(house)))


def _there(house: Erasable) -> bool:
    return bool(house.engine.people(list(house.subjects), -1))


def _work_off(worker: Worker) -> None:
    while worker.turn():
        pass
