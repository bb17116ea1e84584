from __future__ import annotations

import msgspec

from livepost.govern.rights.receipt import Receipt
from tests.unit.console.test_pages import ANSWERS, RECEIPT, REQUEST
from tests.unit.console.told import Browser, ToldHouse

ID = RECEIPT.receipt.id


def test_receipts_are_listed_with_their_signature() -> None:
    text = Browser(ToldHouse(**ANSWERS)).get("/receipts").text
    assert "1 person was erased" in text
    assert f'href="/receipts/{ID}"' in text
    assert "this workspace&#39;s" in text or "this workspace's" in text


def test_a_receipt_says_what_was_done_what_is_left_and_how_it_is_checked() -> None:
    text = Browser(ToldHouse(**ANSWERS)).get(f"/receipts/{ID}").text
    assert "rows are deleted" in text and "4 keys" in text
    assert "in backups of the vault, until " in text
    assert "nothing that opens" in text
    assert RECEIPT.receipt.signature in text and RECEIPT.public_key in text
    assert f"/receipts/{ID}/receipt.json" in text


def test_one_that_was_changed_is_said_to_be() -> None:
    """The negative control."""
    forged = msgspec.structs.replace(RECEIPT, ours=False)
    browser = Browser(ToldHouse(**{**ANSWERS, "receipt": forged, "receipts": [forged]}))
    assert "Not signed by this workspace" in browser.get(f"/receipts/{ID}").text
    assert "not this workspace's" in browser.get("/receipts").text


def test_the_file_is_the_line_that_was_signed() -> None:
    reply = Browser(ToldHouse(**ANSWERS)).get(f"/receipts/{ID}/receipt.json")
    assert msgspec.json.decode(reply.content, type=Receipt) == RECEIPT.receipt
    assert reply.headers["content-disposition"] == f'attachment; filename="receipt-{ID}.json"'


def test_one_that_is_not_there_is_said() -> None:
    browser = Browser(ToldHouse(**{**ANSWERS, "receipt": None}))
    assert browser.get(f"/receipts/{ID}").status_code == 404
    assert browser.get("/receipts/somebody@example.com").status_code == 400


def test_a_request_leads_to_the_receipt_in_the_place_of_whose_it_was() -> None:
    gone = msgspec.structs.replace(ANSWERS["rights_request"], receipts=[ID])
    gone = msgspec.structs.replace(gone, request=msgspec.structs.replace(REQUEST, subjects=()))
    text = Browser(ToldHouse(**{**ANSWERS, "rights_request": gone})).get(f"/requests/{REQUEST.id}").text
    assert f'somebody who was erased: <a href="/receipts/{ID}">' in text
    assert "/held" not in text
