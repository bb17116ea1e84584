"""Stores to listen to, in memory: what happens is put in, and read as the stream reads it."""

from __future__ import annotations

from livepost.api.happening import DecisionTold, Happening, Message, Page, Place, ReceiptTold, TransitionTold
from livepost.errors import StoreError


class Stores:
    """Transitions and moves by number, in pages of at most `page`."""

    def __init__(self, page: int = 3) -> None:
        self.epoch = "one"
        self.transitions: list[TransitionTold] = []
        self.moves: list[DecisionTold | ReceiptTold] = []
        self.away = False
        self.lost: Place | None = None
        self.asked = 0
        self.page = page

    def enter(self, *names: str) -> None:
        """Let people enter a segment."""
        for name in names:
            one = TransitionTold(id=name, person=name, segment="keen", state="entered", at=1, position=1)
            self.transitions.append(one)

    def decide(self, *names: str) -> None:
        """Let mails be decided."""
        for name in names:
            told = {"id": name, "person": name, "campaign": "nudge", "reason": "", "detail": "", "at": 1, "position": 1}
            self.moves.append(DecisionTold(state="pending", **told))

    def replay(self) -> None:
        """Compute all transitions anew."""
        self.epoch += "+"
        self.transitions = self.transitions[:]

    def end(self) -> Place:
        self._ask()
        return Place(self.epoch, len(self.transitions), len(self.moves))

    def after(self, place: Place) -> Page:
        self._ask()
        if place == self.lost:
            raise StoreError("what is past cannot be read")
        if place.epoch != self.epoch:
            return Page(start=Place(self.epoch, 0, place.move), items=(), more=True, gap="another epoch")
        told: list[Happening] = _numbered(self.transitions, place.transition, self.page, self.epoch)
        more = len(told) == self.page
        if not more:
            moves = _numbered(self.moves, place.move, self.page, "")
            told, more = [*told, *moves], len(moves) == self.page
        return Page(start=place, items=told, more=more)

    def _ask(self) -> None:
        self.asked += 1
        if self.away:
            raise StoreError("the engine is away")


def _numbered(messages: list[Message], after: int, limit: int, epoch: str) -> list[Happening]:
    return [Happening(n, one, epoch) for n, one in enumerate(messages[after : after + limit], after + 1)]
