"""From people to changes: who has which row of the book, and what is to become of it.

In: people as they are, rows. Out: a plan. Promised: a row is changed for the one person it belongs to; of people who
share an ident the one whose row it is keeps it while a segment has them; nothing is sent or written here.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

import msgspec

from livepost.sync.book import Book
from livepost.sync.card import NOTHING, Card, Change, Row, differ
from livepost.sync.source import Seen, Shop


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done for a batch of people.

    changes   what differs
    rows      the rows of the changes by handle, made where there were none
    adopted   rows that only have another person's name now
    away      people of whom nothing can be said yet
    seen      everybody, by the id they were asked for
    """

    changes: Sequence[Change]
    rows: Mapping[bytes, Row]
    adopted: Sequence[Row]
    away: Sequence[bytes]
    seen: Mapping[bytes, Seen]
    position: int


def plan(book: Book, shop: Shop, name: str, persons: Sequence[bytes], at_least: int) -> Plan:
    """Look at people and at whatever is theirs in the book; return what is to be done."""
    looked = shop.look(persons, at_least)
    seen = dict(looked.seen)
    handles = {shop.handle(one.ident): None for one in seen.values() if one.ident is not None}
    names = {*persons, *(one.person for one in seen.values())}
    rows = book.rows_of(name, [*names], [*handles])
    owners = [*{row.person: None for row in rows.values() if row.person not in seen}]
    if owners:
        seen |= shop.look(owners, at_least).seen
    winners = _winners(shop, seen, rows, {*rows, *handles})
    changes, made, adopted = [], {}, []
    for handle in {**rows, **winners}:
        row, wanted = rows.get(handle), winners.get(handle)
        owner = wanted or seen[row.person if row else b""]
        if owner.state == "away":
            continue
        change = _change(shop, handle, row, owner, _card(owner, wanted))
        if change is not None:
            changes.append(change)
            made[handle] = row or Row(handle=handle, person=owner.person, ident=shop.seal(change.ident))
        elif row is not None and row.person != owner.person:
            adopted.append(msgspec.structs.replace(row, person=owner.person))
    away = [id for id in persons if seen[id].state == "away"]
    return Plan(
        changes=changes, rows=made, adopted=adopted, away=away, seen=seen, position=max(at_least, looked.position)
    )


def _winners(
    shop: Shop, seen: Mapping[bytes, Seen], rows: Mapping[bytes, Row], looked_up: Container[bytes]
) -> dict[bytes, Seen]:
    """Return by handle whose card counts: of several the one whose row it is, else the one with the least name.

    Only handles whose rows were looked up: what else an owner has is seen to when the owner's turn comes.
    """
    wanting: dict[bytes, dict[bytes, Seen]] = {}
    for one in seen.values():
        if one.state == "known" and one.ident is not None and one.card.lists:
            wanting.setdefault(shop.handle(one.ident), {})[one.person] = one
    winners = {}
    for handle, people in wanting.items():
        if handle not in looked_up:
            continue
        row = rows.get(handle)
        today = seen[row.person].person if row else b""
        winners[handle] = people.get(today) or people[min(people)]
    return winners


def _card(owner: Seen, wanted: Seen | None) -> Card | None:
    if wanted is not None:
        return wanted.card
    return None if owner.state == "forgotten" else NOTHING


def _change(shop: Shop, handle: bytes, row: Row | None, owner: Seen, card: Card | None) -> Change | None:
    ident = owner.ident if row is None else shop.open(row.ident)
    if ident is None:
        return None
    wanted = Change(handle=handle, person=owner.person, ident=ident, card=_digest(shop, card))
    return differ(row, wanted, card, shop.digest)


def _digest(shop: Shop, card: Card | None) -> str:
    return "" if card is None else shop.digest([sorted(card.lists), sorted(card.values.items())])
