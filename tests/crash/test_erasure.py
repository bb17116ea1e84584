"""P1 and P2 over a house of processes: one person with 30 unique tokens through all paths, erased.

Every store is looked through as the registry says: files, WALs and snapshots as bytes, packed or not, and decoded
through each store's own reader with the vault at hand. A token that is not personal has to be found.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import pytest
import zstandard

from livepost.announce.signature import new_secret
from livepost.audit.head import Signer
from livepost.audit.sqlite import SqliteAudit
from livepost.audit.verify import verify
from livepost.govern.rights.receipt import Receipt, is_signed
from livepost.runtime.data.audits import PURPOSE
from livepost.runtime.engine.client import EngineClient
from livepost.runtime.rights.stores import STORES, unclaimed
from livepost.sync.book import Book as Audiences
from livepost.vault.base import USER, ExternalId
from tests.crash.erasing import erase, left, stores_that_tell
from tests.crash.house import House, wait_until
from tests.crash.load import send
from tests.crash.scanning import found_in, unpacked
from tests.crash.test_byte_scan import ANONYMOUS_ID, OPEN, PERSONAL, USER_ID, calls, mail_is_kept, refused, track
from tests.unit.fetch.receiver import Reply, Request, receiving
from tests.unit.sync.bench import reply_of
from tests.unit.sync.vendors import KEY, MODELS

MORE = tuple(f"qx-more-{number}-5531" for number in range(10))
"""Ten more tokens, among the traits that nobody declared."""

TOKENS = (*PERSONAL, *MORE)
HELD_BY = {"log", "vault.db", "mailbox", "snapshots", "audiences.db"}
"""Stores that tell something personal to whoever has the vault."""


@dataclass
class Erased:
    """A house in which one person did everything and was erased, and what was seen on the way."""

    house: House
    telling: set[str]
    receipt: Receipt
    while_running: list[str]
    told: list[dict[str, Any]]
    asked_to_forget: bool


@pytest.fixture(scope="module", params=["sqlite:", "rocksdb:"])
def erased(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Erased]:
    told: list[dict[str, Any]] = []
    vendor = MODELS["klaviyo"]()

    def take(request: Request) -> Reply:
        told.append(json.loads(request.body))
        return Reply(204)

    with ExitStack() as open_:
        target = open_.enter_context(receiving(take))
        at = open_.enter_context(receiving(lambda request: reply_of(vendor, request)))
        settings = {**settings_of(target.port, at.port), "LIVEPOST_STATE": request.param}
        house = House(tmp_path_factory.mktemp("erased") / "house", settings=settings)
        house.start()
        try:
            yield lived_and_erased(house, told)
        finally:
            house.stop()


def settings_of(target: int, vendor: int) -> dict[str, str]:
    """Return settings with everything on that keeps something of a person."""
    webhook = {
        "name": "shop",
        "url": f"http://127.0.0.1:{target}",
        "secret": "env:HOOK_SECRET",
        "events": ["transition"],
    }
    audience = {
        "name": "to-klaviyo",
        "vendor": "klaviyo",
        "url": f"http://127.0.0.1:{vendor}",
        "key": "env:VENDOR_KEY",
        "account": "main",
        "id": "email",
        "segments": {"browsing": "list-browsing"},
        "refresh": "1m",
    }
    return {
        "LIVEPOST_WEBHOOKS": json.dumps([webhook]),
        "LIVEPOST_AUDIENCES": json.dumps([audience]),
        "LIVEPOST_ALLOW_OUTGOING": json.dumps([f"127.0.0.1:{target}", f"127.0.0.1:{vendor}"]),
        "HOOK_SECRET": new_secret(b"a secret of the tests, 32 bytes!"),
        "VENDOR_KEY": KEY,
    }


def lived_and_erased(house: House, told: list[dict[str, Any]]) -> Erased:
    send(house, (call for call in calls() if call.get("event") != "Order Completed"))  # she stays in the segment
    who = {"userId": USER_ID, "anonymousId": ANONYMOUS_ID}
    more = {"type": "identify", "messageId": "more", **who, "traits": {f"t{n}": one for n, one in enumerate(MORE)}}
    send(house, [more, track("other", {"userId": "somebody-else"}, "Product Viewed", product_id=OPEN)])
    refused(house)
    wait_until("her mail to be kept", lambda: mail_is_kept(house))
    wait_until("the vendor to have her", lambda: rows_at_vendor(house) > 0)
    house.drain()
    with closing(EngineClient(house.folder)) as engine:
        engine.snapshot()
    telling = stores_that_tell(house, TOKENS)
    receipt = erase(house, USER_ID)
    wait_until("the vendor to have forgotten her", lambda: rows_at_vendor(house) == 0)
    wait_until("the target to be told", lambda: any(one["type"] == "person.erased" for one in told))
    return Erased(house, telling, receipt, left(house, TOKENS), told, rows_at_vendor(house) == 0)


def rows_at_vendor(house: House) -> int:
    if not house.folder.audiences_file.exists():
        return 0
    with closing(Audiences(house.folder.audiences_file)) as book:
        return book.tally("to-klaviyo").people


def test_it_was_there_to_be_found(erased: Erased) -> None:
    assert erased.telling >= {*HELD_BY, erased.house.folder.state_path.name}


def test_nothing_is_left_anywhere(erased: Erased) -> None:
    assert len({*TOKENS}) == 30
    assert erased.while_running == []
    assert left(erased.house, TOKENS) == []


def test_what_is_not_personal_is_found(erased: Erased) -> None:
    """The positive control: the scan sees what is there."""
    assert stores_that_tell(erased.house, [OPEN]) >= {"log", erased.house.folder.state_path.name}


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, zstandard.ZstdCompressor().compress])
def test_the_scan_sees_what_is_packed(pack: Any) -> None:
    packed = b"before" + pack(USER_ID.encode() * 20) + b"behind"
    assert found_in([USER_ID], unpacked([("there", packed)])) != []


def test_every_file_is_a_stores(erased: Erased) -> None:
    assert unclaimed(erased.house.folder.path) == []


def test_each_store_that_is_there_has_a_line_in_the_receipt(erased: Erased) -> None:
    folder = erased.house.folder.path
    there = {store.name for store in STORES if store.erased_by and (folder / store.name).exists()}
    assert {one.store for one in erased.receipt.stores} == there
    with closing(erased.house.folder.vault(readonly=True)) as vault:
        assert is_signed(erased.receipt, Signer(vault.secret(PURPOSE)).public)


def test_whoever_was_told_of_her_is_told_that_she_is_gone(erased: Erased) -> None:
    assert erased.asked_to_forget
    [notice] = [one for one in erased.told if one["type"] == "person.erased"]
    assert len(notice["data"]["subjects"]) == erased.receipt.subjects


def test_the_audit_is_whole(erased: Erased) -> None:
    folder = erased.house.folder
    with (
        closing(folder.vault(readonly=True)) as vault,
        closing(SqliteAudit(folder.audit_file, folder.settings.workspace)) as audit,
    ):
        public = Signer(vault.secret(PURPOSE)).public
        assert verify(folder.settings.workspace, audit.stored(), [], public).holds


def test_she_is_not_back_by_what_comes_late_and_is_new_by_what_comes_later(erased: Erased) -> None:
    house = erased.house
    late = {**track("late", {"userId": USER_ID}, "Product Viewed", product_id=OPEN)}
    send(house, [{**late, "timestamp": "2026-01-01T00:00:00Z"}])
    house.drain()
    with closing(house.folder.vault(readonly=True)) as vault:
        assert vault.find(ExternalId(USER, USER_ID)) is None
    send(house, [track("later", {"userId": USER_ID}, "Product Viewed", product_id=OPEN)])
    house.drain()
    with closing(house.folder.vault(readonly=True)) as vault:
        assert vault.find(ExternalId(USER, USER_ID)) is not None
