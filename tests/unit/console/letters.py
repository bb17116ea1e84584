"""A house with dead letters, for the tests of their pages."""

from __future__ import annotations

from typing import Any

import msgspec

from livepost.model.letter import Letter, LetterDetail, Replay, Replayed
from tests.unit.console.told import START, ToldHouse

WRONG = "properties.total: expected a number, got a string"
UNDECLARED = "expected a declared event, got Gift Wrapped"
CALL = {"type": "track", "userId": "ada", "event": "Order Completed", "properties": {"total": "12,50 EUR"}}
MASKED = {"type": "a string", "userId": "a string", "event": "a string", "properties": {"total": "a string"}}


def letter(position: int, reason: str = WRONG, **changes: Any) -> Letter:
    told = {"fate": "dead_lettered", "at": START, "source": "web", "name": "Order Completed", **changes}
    return Letter(position=position, reason=reason, **told)


class Letters(ToldHouse):
    """A house with these letters; replaying takes those in whose call is corrected, and any in `good`."""

    def __init__(self, *letters: Letter, good: tuple[int, ...] = (), **about: Any) -> None:
        super().__init__()
        self.kept = {letter.position: letter for letter in letters}
        self.good = set(good)
        self.about = about
        self.wishes: list[Replay] = []
        self.opened: list[int] = []
        self.answers = {"letters": self._letters, "letter": self._letter, "replay": self._replay}

    def _letters(self, after: int, limit: int) -> list[Letter]:
        return [one for position, one in sorted(self.kept.items()) if position > after][:limit]

    def _letter(self, position: int, *, open: bool) -> LetterDetail:
        if open:
            self.opened.append(position)
        told = {
            "replays": None,
            "key": "write",
            "origin": "live",
            "subject": "ab" * 16,
            "known": True,
            "message_id": "m-17",
            "timestamp": START,
            "sent_at": None,
            "received_at": START,
            "effective_ts": START - 5_000,
            "forgotten": False,
            "opened": open,
            "call": CALL if open else MASKED,
            **msgspec.structs.asdict(self.kept[position]),
            **self.about,
        }
        return LetterDetail(**told)

    def _replay(self, wish: Replay) -> Replayed:
        self.wishes.append(wish)
        letter = self.kept[wish.position]
        if letter.replayed_at is not None:
            return Replayed(position=wish.position, at=letter.replayed_at, before=True)
        if wish.call is None and wish.position not in self.good:
            return Replayed(position=wish.position, reason=letter.reason)
        if wish.dry_run:
            return Replayed(position=wish.position)
        at = 9_000 + wish.position
        self.kept[wish.position] = msgspec.structs.replace(letter, replayed_at=at)
        return Replayed(position=wish.position, at=at)
