"""What a vendor is to have of a person, what it has, and the difference: pure.

In: a row of the book, and what is wanted. Out: a change, or None. Promised: only what differs is in a change; what the
vendor may have by a request whose answer never came counts as there where it has to go, and as missing where it is
wanted, so that every change may be sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from livepost.settings.audience import IdentKind


class Ident(msgspec.Struct, frozen=True):
    """By what a vendor knows a person: an address, or the shop's own id. Open, so it lives in memory only."""

    kind: IdentKind
    value: str


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What a vendor is to have of somebody: the vendor's lists, and values under the vendor's names for them."""

    lists: frozenset[str] = frozenset()
    values: Mapping[str, Any] = {}


NOTHING = Card()
"""What it is to have of who is in no segment, or does not want it."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What a vendor has, by the book; `handle` is the keyed hash of the ident, which is kept sealed.

    sure      lists that it has them in, by an answer
    maybe     lists that it may have them in: those and what was asked for without an answer
    digests   keyed hashes of the values it has, by an answer, by its names for them
    """

    handle: bytes
    person: bytes
    ident: bytes
    sure: frozenset[str] = frozenset()
    maybe: frozenset[str] = frozenset()
    digests: Mapping[str, str] = {}


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change at a vendor for one ident; `delete` asks it to forget them, whatever else is there.

    `card` is the keyed hash of what it is to have in the end.
    """

    handle: bytes
    person: bytes
    ident: Ident
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    values: Mapping[str, Any] = {}
    delete: bool = False
    card: str = ""

    @property
    def upserts(self) -> bool:
        """Whether something is to be there, and not only to go."""
        return bool(self.add or self.values)


def abouts(change: Change) -> list[str]:
    """Return what a vendor gets by a change: by what it knows the person, lists, values, by its own names for them."""
    if not change.upserts:
        return []
    lists = [f"list:{name}" for name in change.add]
    return [f"ident:{change.ident.kind}", *lists, *(f"value:{name}" for name in sorted(change.values))]


Digest = Callable[[Any], str]
"""Returns the keyed hash of a value."""


def differ(row: Row | None, wanted: Change, card: Card | None, digest: Digest) -> Change | None:
    """Return what brings a vendor from a row to a card, for `wanted`'s ident; None if there is nothing to do.

    A card of None: it is to forget them.
    """
    if card is None:
        return msgspec.structs.replace(wanted, delete=True) if row else None
    sure, maybe, digests = (row.sure, row.maybe, row.digests) if row else (frozenset(), frozenset(), {})
    values = card.values if card.lists else {}
    change = msgspec.structs.replace(
        wanted,
        add=tuple(sorted(card.lists - sure)),
        remove=tuple(sorted(maybe - card.lists)),
        values={name: value for name, value in values.items() if digests.get(name) != digest(value)},
    )
    return change if change.upserts or change.remove else None


def intended(row: Row, change: Change) -> Row:
    """Return a row as it is while a change is under way: nothing that it touches is sure."""
    return msgspec.structs.replace(
        row,
        person=change.person,
        sure=row.sure - {*change.remove},
        maybe=row.maybe | {*change.add},
        digests={name: told for name, told in row.digests.items() if name not in change.values},
    )


def accepted(row: Row, change: Change, digest: Digest) -> Row:
    """Return an intended row as it is once the vendor took the change."""
    lists = (row.sure | {*change.add}) - {*change.remove}
    return msgspec.structs.replace(
        row,
        sure=lists,
        maybe=lists,
        digests={**row.digests, **{name: digest(value) for name, value in change.values.items()}},
    )


def doubted(row: Row) -> Row:
    """Return a row of which nothing is sure any more."""
    return msgspec.structs.replace(row, sure=frozenset(), digests={})
