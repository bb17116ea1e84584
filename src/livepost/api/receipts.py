"""Receipts of erasures over HTTP: what was taken out of which store, signed.

In: an id, or how many. Out: receipts as they were signed, with the public key. Promised: a receipt names nobody.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from livepost.api.house import House
from livepost.api.operation import Operation
from livepost.audit.deed import Deed
from livepost.errors import RejectedError
from livepost.govern.access.permission import Permission
from livepost.govern.rights.receipt import CheckedReceipt

NEEDS = Permission("read", "requests")


class ReceiptsAsked(msgspec.Struct, frozen=True, kw_only=True):
    """At most so many, the newest."""

    limit: Annotated[int, Meta(ge=1, le=1_000)] = 100


class ReceiptAsked(msgspec.Struct, frozen=True, kw_only=True):
    """The receipt's id, in hex."""

    id: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]


class ReceiptsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Receipts, the newest first; each is checked by its `public_key` as `livepost requests receipt --check` does."""

    receipts: list[CheckedReceipt]


def _receipts(house: House, asked: ReceiptsAsked) -> ReceiptsAnswer:
    return ReceiptsAnswer(receipts=house.receipts(asked.limit))


def _receipt(house: House, asked: ReceiptAsked) -> CheckedReceipt:
    found = house.receipt(asked.id)
    if found is None:
        raise RejectedError("no receipt has this id; GET /api/receipts lists them", code="receipt", status=404)
    return found


RECEIPTS = Operation(
    path="/api/receipts",
    needs=NEEDS,
    name="receipts",
    summary="Receipts of erasures, signed: what went of which store, what is left",
    asked=ReceiptsAsked,
    answers=ReceiptsAnswer,
    run=_receipts,
    shows=None,
)

RECEIPT = Operation(
    path="/api/receipts/{id}",
    needs=NEEDS,
    name="receipt",
    summary="One receipt of an erasure",
    asked=ReceiptAsked,
    answers=CheckedReceipt,
    run=_receipt,
    shows=lambda asked, answer: Deed("receipt.read", (), asked.id),
    refusals={404: "no receipt has this id"},
)
