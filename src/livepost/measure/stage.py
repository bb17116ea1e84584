"""What the log says of mails and of orders, block by block.

In: a block of the log. Out: `Measured`. Promised: a function of the block alone, so that a log read again says the
same; what is not accepted, a control record, and what a provider told count for nothing, but that a machine's hits are
counted as such.
"""

from __future__ import annotations

from typing import Any

from livepost.ids import digest
from livepost.measure.click import CLICKED
from livepost.measure.machine import MACHINE
from livepost.measure.open import OPENED
from livepost.model.block import Block
from livepost.model.earning import Hit, HitKind, Measured, Order
from livepost.model.record import HOUSE, Kind, Record, Verdict

ORDERED = "Order Completed"
"""Segment's name of an order."""

AMOUNTS = ("revenue", "total")
"""Fields that say what an order came to, first hit wins: `revenue` is without shipping and tax in Segment's spec."""

_BY_PERSON: dict[str, HitKind] = {OPENED: "opened", CLICKED: "clicked"}
_BY_MACHINE: dict[str, HitKind] = {OPENED: "machine_opened", CLICKED: "machine_clicked"}


def measured(block: Block) -> Measured:
    """Return the hits and orders of a block; `upto` is its last seq."""
    places = _places(block, {ORDERED, *_BY_PERSON})
    hits, orders = [], []
    for place in places:
        record, event = block.record(place), block.event[16 * place : 16 * place + 16]
        if record.kind is not Kind.EVENT:
            continue
        if record.name == ORDERED:
            orders += [_order(record, event)] if record.verdict is Verdict.ACCEPTED else []
        elif (hit := _hit(record, event)) is not None:
            hits.append(hit)
    return Measured(upto=block.first + block.count - 1, hits=hits, orders=orders)


def _places(block: Block, names: set[str]) -> list[int]:
    """Return the places of the records that are called so: most blocks have none, and cost next to nothing."""
    wanted = {number.to_bytes(2, "little") for number, name in enumerate(block.names) if name in names}
    if not wanted:
        return []
    return [place for place in range(block.count) if block.name[2 * place : 2 * place + 2] in wanted]


def _hit(record: Record, event: bytes) -> Hit | None:
    """Return a hit on one of our own links or pictures; None for what others tell, which the ledger has heard."""
    decision = _bytes(record.properties.get("decision"))
    if record.source != HOUSE or decision is None or "provider" in record.properties:
        return None
    is_machine = record.verdict is Verdict.FILTERED and record.properties.get("class") == MACHINE
    if not is_machine and record.verdict is not Verdict.ACCEPTED:
        return None
    kinds = _BY_MACHINE if is_machine else _BY_PERSON
    return Hit(id=event, decision=decision, kind=kinds[record.name], at=record.effective_ts)


def _order(record: Record, event: bytes) -> Order:
    amount, currency = next(filter(None, map(_money, _values(record, AMOUNTS))), (0, ""))
    told = record.properties.get("order_id")
    id = digest("order", str(told)) if _is_id(told) else digest("order event", event)
    return Order(id=id, event=event, subject=record.subject, at=record.effective_ts, amount=amount, currency=currency)


def _values(record: Record, names: tuple[str, ...]) -> list[Any]:
    return [record.properties.get(name) for name in names]


def _money(value: Any) -> tuple[int, str] | None:
    """Return money as (minor units, currency); None for anything else."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        return None
    amount, currency = value
    return (amount, currency) if type(amount) is int and isinstance(currency, str) else None


def _is_id(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and value != ""


def _bytes(value: Any) -> bytes | None:
    try:
        return bytes.fromhex(value) if isinstance(value, str) else None
    except ValueError:
        return None
