"""Receipts of erasures: a list; one as it is printed and handed out, with its signed line as a file."""

from __future__ import annotations

from typing import Annotated

import msgspec

from livepost.audit.deed import Deed
from livepost.console.house import House
from livepost.console.page import Given, NothingAsked, Page, Paper
from livepost.errors import RejectedError
from livepost.govern.access.permission import Permission
from livepost.govern.rights.receipt import CheckedReceipt

SHOWN = 200

NEEDS = Permission("read", "requests")
"""Receipts name nobody; who may read requests may read what came of them."""


class ReceiptsView(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows, the newest first."""

    receipts: list[CheckedReceipt]


class ReceiptAsked(msgspec.Struct, frozen=True, kw_only=True):
    """The receipt's id."""

    id: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]


class ReceiptView(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of one receipt shows."""

    one: CheckedReceipt


def _receipts(house: House, asked: NothingAsked) -> ReceiptsView:
    return ReceiptsView(receipts=house.receipts(SHOWN))


def _receipt(house: House, asked: ReceiptAsked) -> ReceiptView:
    found = house.receipt(asked.id)
    if found is None:
        raise RejectedError("no receipt has this id; the list shows all", code="receipt", status=404)
    return ReceiptView(one=found)


def _file(house: House, asked: ReceiptAsked) -> Given:
    body = msgspec.json.encode(_receipt(house, asked).one.receipt)
    headers = {"Content-Disposition": f'attachment; filename="receipt-{asked.id}.json"'}
    return Given(body=body, kind="application/json", headers=headers)


RECEIPTS = Page(
    path="/receipts",
    needs=NEEDS,
    name="receipts",
    title="Receipts",
    asked=NothingAsked,
    show=_receipts,
    sees=None,
    rail="people",
    live=False,
)

RECEIPT = Page(
    path="/receipts/{id}",
    needs=NEEDS,
    name="receipt",
    title="Receipt",
    asked=ReceiptAsked,
    show=_receipt,
    sees=lambda asked, view: Deed("receipt.read", (), asked.id),
    rail="people",
    live=False,
)

RECEIPT_FILE = Paper(
    path="/receipts/{id}/receipt.json",
    needs=NEEDS,
    asked=ReceiptAsked,
    give=_file,
    sees=lambda asked: Deed("receipt.read", (), asked.id),
)
