"""A house of the tests' own: people who come, go, allow, withdraw, move, merge and are forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import msgspec

from livepost.errors import StoreError
from livepost.ledger.base import PermitChange, PermitChanges
from livepost.model.decision import Transition
from livepost.model.told import Member, TransitionPage
from livepost.settings.audience import IdentKind
from livepost.sync.card import NOTHING, Card, Ident
from livepost.sync.source import Looked, Seen

SEGMENTS = ("browsing", "vip")


class Person:
    """Somebody, as the house knows them."""

    def __init__(self, number: int) -> None:
        self.id = number.to_bytes(16, "big")
        self.email: str | None = f"person-{number}@example.com"
        self.user_id = f"u{number}"
        self.segments: set[str] = set()
        self.values: dict[str, Any] = {"spent": 0}
        self.allowed = False
        self.ever_allowed = False
        self.forgotten = False
        self.merged: Person | None = None

    def today(self) -> Person:
        """Return who they are since any merge."""
        return self.merged.today() if self.merged else self


class Town:
    """See `livepost.sync.source.Shop`."""

    def __init__(self, ident: IdentKind = "email", lists: dict[str, str] | None = None) -> None:
        self.ident_kind = ident
        self.lists = lists or {name: f"list-{name}" for name in SEGMENTS}
        self.people: list[Person] = []
        self.by_id: dict[bytes, Person] = {}
        self.epoch = "one"
        self.moves: list[Transition] = []
        self.permit_changes: list[PermitChange] = []
        self.away = False
        self.looked = 0

    def add(self) -> Person:
        """Let somebody come."""
        one = Person(len(self.people))
        self.people.append(one)
        self.by_id[one.id] = one
        return one

    def enter(self, person: Person, segment: str, inside: bool = True) -> None:
        """Let somebody enter a segment, or leave it."""
        if (segment in person.segments) != inside:
            (person.segments.add if inside else person.segments.discard)(segment)
            self._move(person, segment, inside)

    def allow(self, person: Person, allowed: bool = True) -> None:
        """Let somebody allow it, or withdraw."""
        person.allowed = allowed
        person.ever_allowed |= allowed
        self.permit_changes.append(PermitChange(len(self.permit_changes) + 1, person.id, None))

    def merge(self, old: Person, new: Person) -> None:
        """Let two be one: what the old one was in, the new one is not, unless it was."""
        old.merged = new
        old.segments = set()

    def forget(self, person: Person) -> None:
        """Destroy somebody's keys."""
        person.forgotten, person.segments, person.email = True, set(), None

    def expected(self) -> dict[str, tuple[set[str], dict[str, Any]]]:
        """Return who should be in lists at a vendor, in which, with what, by ident."""
        return {
            self._ident(one).value: ({self.lists[name] for name in one.segments if name in self.lists}, one.values)
            for one in self.people
            if not one.merged and not one.forgotten and one.allowed and self._ident(one) and one.segments
        }

    def transitions(self, after: int, limit: int) -> TransitionPage:
        items = [(number, one) for number, one in enumerate(self.moves, 1) if number > after][:limit]
        return TransitionPage(epoch=self.epoch, first=1, last=len(self.moves), items=items)

    def permits(self, after: int, limit: int) -> PermitChanges:
        items = [one for one in self.permit_changes if one.number > after][:limit]
        return PermitChanges(first=1, last=len(self.permit_changes), items=items)

    def members(self, segment: str, after: int, limit: int) -> list[Member]:
        inside = [(n, one) for n, one in enumerate(self.people) if segment in one.segments and n > after]
        return [Member(number, one.id, 0) for number, one in inside[:limit]]

    def look(self, persons: Sequence[bytes], at_least: int) -> Looked:
        if self.away:
            raise StoreError("the engine is away")
        self.looked += len(persons)
        return Looked(seen={id: self._seen(id) for id in persons}, position=len(self.moves))

    def handle(self, ident: Ident) -> bytes:
        return blake2b(ident.value.casefold().encode(), digest_size=16).digest()

    def seal(self, ident: Ident) -> bytes:
        return bytes(255 - byte for byte in msgspec.msgpack.encode(ident))

    def open(self, sealed: bytes) -> Ident:
        return msgspec.msgpack.decode(bytes(255 - byte for byte in sealed), type=Ident)

    def digest(self, value: Any) -> str:
        return blake2b(msgspec.json.encode(value), digest_size=8).hexdigest()

    def _seen(self, id: bytes) -> Seen:
        one = self.by_id[id].today()
        if one.forgotten:
            return Seen(person=id, state="forgotten")
        lists = frozenset(self.lists[name] for name in one.segments if name in self.lists)
        ident = self._ident(one)
        card = Card(lists=lists, values=dict(one.values)) if lists and one.allowed and ident else NOTHING
        return Seen(person=one.id, state="known", ident=ident, card=card)

    def _ident(self, one: Person) -> Ident:
        value = one.email if self.ident_kind == "email" else one.user_id
        return Ident(self.ident_kind, value) if value else None  # type: ignore[return-value]

    def _move(self, person: Person, segment: str, entered: bool) -> None:
        self.moves.append(
            Transition(
                id=len(self.moves).to_bytes(16, "big"),
                person=person.id,
                segment=segment,
                version="1",
                entered=entered,
                at=1,
                position=len(self.moves),
                number=1,
                origin=0,
            )
        )
