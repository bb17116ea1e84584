"""What happened, read for the stream: transitions from the engine, decisions and receipts from the ledger.

In: a place in both. Out: a page of what came after it. Promised: a decision is never told before the transition that
brought it: the ledger is read first, and told last; a place that no store knows any more is said to be a gap.
"""

from __future__ import annotations

import threading
from typing import Protocol

from livepost.api.happening import DecisionTold, Happening, Page, Place, ReceiptTold, TransitionTold
from livepost.ledger.base import Ledger, Move
from livepost.model.decision import Transition
from livepost.model.told import TransitionPage

PAGE = 1_000
"""Transitions and moves read at a time, each."""

ANOTHER_EPOCH = (
    "the engine has computed its transitions anew, or the cursor is not ours; what is told again has its old id"
)
FORGOTTEN = "transitions after this cursor are forgotten already"
AHEAD = "the stores do not reach as far as this cursor; they were restored"


class Engine(Protocol):
    """The engine, as far as it tells of transitions in the order of their commits."""

    def transitions_after(self, number: int, limit: int) -> TransitionPage:
        """Return transitions with a number > `number`; raise StoreError if the engine is away."""
        ...


class Happened:
    """See `livepost.api.happening.Happenings`; from any thread, one at a time.

    A listener that leaves while it is read for is not waited for: its thread is, or two would use one connection.
    """

    def __init__(self, engine: Engine, ledger: Ledger) -> None:
        """Take the ledger that the process has open, and a connection to the engine."""
        self._engine = engine
        self._ledger = ledger
        self._alone = threading.Lock()

    def end(self) -> Place:
        """Return the place where nothing more has happened yet."""
        with self._alone:
            move = self._ledger.last_move()
            kept = self._engine.transitions_after(0, 1)
            return Place(kept.epoch, kept.last, move)

    def after(self, place: Place) -> Page:
        """Return what happened after a place."""
        with self._alone:
            return self._after(place)

    def _after(self, place: Place) -> Page:
        last_move = self._ledger.last_move()
        moves = self._ledger.moves(place.move, PAGE)
        page = self._engine.transitions_after(place.transition, PAGE)
        if gap := _gap(place, page, last_move):
            move = 0 if place.move > last_move or not place.epoch else place.move
            return Page(start=Place(page.epoch, page.first - 1, move), items=(), more=True, gap=gap)
        items = [_transition(number, one, page.epoch) for number, one in page.items]
        if len(items) == PAGE:
            return Page(start=place, items=items, more=True)
        return Page(start=place, items=[*items, *map(_move, moves)], more=len(moves) == PAGE)


def _gap(place: Place, page: TransitionPage, last_move: int) -> str:
    """Return why what follows a place is not all that came after it; "" if it is."""
    if place.epoch != page.epoch:
        return ANOTHER_EPOCH
    if place.transition > page.last or place.move > last_move:
        return AHEAD
    return FORGOTTEN if place.transition < page.first - 1 else ""


def _transition(number: int, one: Transition, epoch: str) -> Happening:
    message = TransitionTold(
        id=one.id.hex(),
        person=one.person.hex(),
        segment=one.segment,
        state="entered" if one.entered else "left",
        at=one.at,
        position=one.position,
    )
    return Happening(number, message, epoch)


def _move(one: Move) -> Happening:
    told = ReceiptTold if one.before else DecisionTold
    message = told(
        id=one.decision.hex(),
        person=one.person.hex(),
        campaign=one.campaign,
        state=one.after,
        reason=one.reason,
        detail=one.detail,
        at=one.at,
        position=one.position,
    )
    return Happening(one.number, message)
