"""What the stream tells: transitions, decisions, receipts, each with its number in the store that committed it.

In: pages of the stores, by `runtime`. Out: messages as JSON. Promised: a cursor says how far somebody has come in both
stores, and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias

import msgspec

from livepost.ledger.moves import State

Kind: TypeAlias = Literal["transition", "decision", "receipt"]
KINDS: tuple[Kind, ...] = ("transition", "decision", "receipt")

CURSOR_PARTS = 3
MAX_CURSOR_CHARS = 100


class Place(msgspec.Struct, frozen=True):
    """How far somebody has come: the number of a transition in its epoch, and of a move of the ledger."""

    epoch: str
    transition: int
    move: int

    @property
    def cursor(self) -> str:
        """The place as text that `place_of` reads."""
        return f"{self.epoch}.{self.transition}.{self.move}"

    def after(self, happening: Happening) -> Place:
        """Return the place when this happening is told, too."""
        if isinstance(happening.message, TransitionTold):
            return Place(self.epoch, happening.number, self.move)
        return Place(self.epoch, self.transition, happening.number)

    def has(self, happening: Happening) -> bool:
        """Say whether this happening was told on the way here, or is of an epoch that is over."""
        if isinstance(happening.message, TransitionTold):
            return happening.epoch != self.epoch or happening.number <= self.transition
        return happening.number <= self.move


NOWHERE = Place("", 0, 0)
"""A place in no epoch: whoever is there is told that something may be missing, and then all there is."""


def place_of(cursor: str) -> Place:
    """Return the place that a cursor names; NOWHERE for one that we did not give."""
    parts = cursor.split(".")
    if len(cursor) > MAX_CURSOR_CHARS or len(parts) != CURSOR_PARTS or not all(map(_is_number, parts[1:])):
        return NOWHERE
    return Place(parts[0], int(parts[1]), int(parts[2]))


class TransitionTold(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="transition"):
    """A person entered or left a segment at `at` (UTC ms) because of the record at `position`; ids in hex."""

    cursor: str = ""
    id: str
    person: str
    segment: str
    state: Literal["entered", "left"]
    at: int
    position: int


class MoveTold(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """A move of a delivery in the ledger, to `state`, at `at` (UTC ms); `id` is the decision's, in hex."""

    cursor: str = ""
    id: str
    person: str
    campaign: str
    state: State
    reason: str
    detail: str
    at: int
    position: int


class DecisionTold(MoveTold, frozen=True, kw_only=True, tag="decision"):
    """The first move: the ledger has a new delivery."""


class ReceiptTold(MoveTold, frozen=True, kw_only=True, tag="receipt"):
    """Any later move: what became of it."""


class GapTold(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="gap"):
    """Between what was told before and what follows something may be missing, or come again; ids tell."""

    cursor: str = ""
    reason: str


Message: TypeAlias = TransitionTold | DecisionTold | ReceiptTold


class Happening(msgspec.Struct, frozen=True):
    """One thing that happened: its number in its store, and the epoch of a transition ("" for others)."""

    number: int
    message: Message
    epoch: str = ""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What happened after a place: `start` is that place, or where it goes on after a `gap` (its reason in words).

    `more` says that there is more already.
    """

    start: Place
    items: Sequence[Happening]
    more: bool
    gap: str = ""

    @property
    def end(self) -> Place:
        """The place when all of the page is told."""
        place = self.start
        for happening in self.items:
            place = place.after(happening)
        return place


class Happenings(Protocol):
    """Where happenings are read; blocking, from any thread. Everything raises StoreError where a store is away."""

    def end(self) -> Place:
        """Return the place where nothing more has happened yet."""
        ...

    def after(self, place: Place) -> Page:
        """Return what happened after a place, transitions before the decisions that they bring."""
        ...


def kind_of(message: Message) -> Kind:
    """Return a message's type."""
    if isinstance(message, TransitionTold):
        return "transition"
    return "decision" if isinstance(message, DecisionTold) else "receipt"


def told(message: Message | GapTold, place: Place) -> str:
    """Return a message as JSON text, with the place as its cursor."""
    return msgspec.json.encode(msgspec.structs.replace(message, cursor=place.cursor)).decode()


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18
