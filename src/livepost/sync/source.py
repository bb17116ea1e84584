"""What a destination needs of the house: who belongs where, what changed, and the vault's hashes and seals.

In: nothing. Out: protocols that `runtime` fills. Promised: nothing personal is kept by whoever fills them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from livepost.ledger.base import PermitChanges
from livepost.model.told import Member, TransitionPage
from livepost.sync.card import Card, Ident

State: TypeAlias = Literal["known", "forgotten", "away"]


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A person as they are now.

    person   their name today, which may be another one since a merge
    state    known; forgotten: their keys are destroyed; away: the engine does not know them (yet), the vault does
    ident    by what the vendor knows them; None: there is nothing to know them by
    card     what the vendor is to have: nothing without consent for the destination's purpose
    """

    person: bytes
    state: State
    ident: Ident | None = None
    card: Card = Card()


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """Persons by the id they were asked for, and how far the engine was at least."""

    seen: Mapping[bytes, Seen]
    position: int


class Shop(Protocol):
    """The house; everything raises StoreError where a store is away."""

    def transitions(self, after: int, limit: int) -> TransitionPage:
        """Return transitions in the order of their commits."""
        ...

    def permits(self, after: int, limit: int) -> PermitChanges:
        """Return changes of consents and suppressions."""
        ...

    def members(self, segment: str, after: int, limit: int) -> list[Member]:
        """Return people of a segment."""
        ...

    def look(self, persons: Sequence[bytes], at_least: int) -> Looked:
        """Return persons as they are, at a position of the engine's or later."""
        ...

    def handle(self, ident: Ident) -> bytes:
        """Return the keyed hash of an ident; that of an address is the one it would be suppressed by."""
        ...

    def seal(self, ident: Ident) -> bytes:
        """Return an ident sealed, by a key that outlives the person's."""
        ...

    def open(self, sealed: bytes) -> Ident:
        """Return a sealed ident."""
        ...

    def digest(self, value: Any) -> str:
        """Return the keyed hash of a value."""
        ...
