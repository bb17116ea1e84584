"""Receipts of erasures over HTTP: as they were signed, for those who may read requests."""

from __future__ import annotations

from typing import Any

import msgspec

from livepost.control import erasures
from livepost.control.erasures import Erasure
from livepost.govern.rights.receipt import Receipt, StoreReceipt, is_signed, signed
from tests.unit.api.house import SIGNER, Asked

MADE = Receipt(
    id="ab" * 16,
    workspace="shop",
    by="command:me",
    asked_at=0,
    live_at=83,
    done_at=1_109,
    position=7,
    subjects=4,
    stores=(StoreReceipt(store="vault.db", done="rows are deleted", at=0, rows={"keys": 4}),),
)


def kept(asked: Asked, receipt: Receipt) -> None:
    erasure = Erasure(id=bytes.fromhex(receipt.id), by="", asked_at=0, erased_at=0, subjects=(), hashes=())
    erasures.begin(asked.control, erasure)
    erasures.end(asked.control, erasure.id, msgspec.json.encode(receipt))


def reads(asked: Asked, path: str) -> Any:
    return asked.ask(path, key=None, Cookie="session=holds")


def test_a_receipt_is_told_as_it_was_signed(asked: Asked) -> None:
    ours = signed(MADE, SIGNER)
    kept(asked, ours)
    told = reads(asked, "/api/receipts").json()["receipts"]
    assert [(one["ours"], one["public_key"]) for one in told] == [(True, SIGNER.public.hex())]
    one = reads(asked, f"/api/receipts/{MADE.id}").json()
    assert is_signed(msgspec.convert(one["receipt"], Receipt), bytes.fromhex(one["public_key"]))
    assert asked.ask("/api/receipts").status_code == 403, "a developer's key reads no requests"


def test_one_that_was_changed_is_said_to_be_none_of_ours(asked: Asked) -> None:
    """The negative control."""
    kept(asked, msgspec.structs.replace(signed(MADE, SIGNER), subjects=1))
    assert not reads(asked, f"/api/receipts/{MADE.id}").json()["ours"]


def test_one_that_is_not_there_is_not_found(asked: Asked) -> None:
    assert reads(asked, f"/api/receipts/{'ff' * 16}").status_code == 404
    assert reads(asked, "/api/receipts/ada").status_code == 400
