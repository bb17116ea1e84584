"""What mails earn: what the log has of hits and orders, and what that comes to, campaign by campaign.

In: nothing. Out: structs that cross rooms; times are UTC ms, amounts minor units. Promised: no personal value in any.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal, TypeAlias

import msgspec

HitKind: TypeAlias = Literal["opened", "clicked", "machine_opened", "machine_clicked"]
"""What somebody, or a machine, did with a mail."""


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A picture loaded, or a link followed: of the mail `decision`, at `at`; `id` (16 bytes) is the record's."""

    id: bytes
    decision: bytes
    kind: HitKind
    at: int


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order.

    id        16 bytes; the same for the same order, by whomever it is told
    event     16 bytes; that of the record which told it
    subject   whose it was when it was told
    amount    what it came to, 0 where the record has no open amount; `currency` is "" then
    """

    id: bytes
    event: bytes
    subject: bytes
    at: int
    amount: int = 0
    currency: str = ""


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What a stretch of the log says of mails; `upto` is the seq of its last record."""

    upto: int
    hits: list[Hit] = []
    orders: list[Order] = []


class Earned(msgspec.Struct, frozen=True, kw_only=True):
    """What the last clicks on a campaign's mails earned, in one currency ("": orders without an amount).

    broadcast   id of the broadcast that the mails were of, b"" for other mails
    orders, mails, amount   orders, the mails that led to them, what they come to
    """

    campaign: str
    broadcast: bytes
    currency: str
    orders: int
    mails: int
    amount: int


class Bought(msgspec.Struct, frozen=True, kw_only=True):
    """What a person bought in one currency after a campaign first decided on them; `held_out`: they got none of it."""

    person: bytes
    held_out: bool
    currency: str
    orders: int
    amount: int


class Exposed(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a campaign treated and whom it held out, as it was drawn: how many people, and what some of them bought."""

    treated: int
    held_out: int
    bought: list[Bought]


def amounts_of(earned: Iterable[Earned]) -> dict[str, int]:
    """Return what was earned in minor units by currency; orders without an amount are left out."""
    sums: Counter[str] = Counter()
    for one in earned:
        if one.currency:
            sums[one.currency] += one.amount
    return dict(sorted(sums.items()))
