"""The front's part in replaying dead letters: one at a time, judged by today's plan, appended once.

In: wishes to replay, from the socket and the console. Out: what came of each. Promised: nothing is appended for a
letter that is still wrong, that was replayed before, or that was only asked about; a crash at any moment leaves a
letter that is replayed, or one that can be.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol

from livepost.errors import OverloadedError, RejectedError, SealError, StoreError
from livepost.intake.call import Call, read_call
from livepost.intake.letter import FORGOTTEN, Letters, replayed, still_wrong
from livepost.intake.writer import Intake, Lane
from livepost.log.base import LogReader
from livepost.model.letter import EDITED_BYTES_MAX, Letter, Replay, Replayed
from livepost.model.record import Record
from livepost.process.dedupe import CONFLICT

REPLAY = "replay"
"""What others ask the front for it; the argument is a `Replay`."""

WISHES_MAX = 64
"""Wishes that are being answered, or wait for it."""


class LetterKeeper(Protocol):
    """Who knows the letters of a running house; blocking, from any thread."""

    def kept(self, position: int, at_least: int) -> tuple[Letter, Record]:
        """Return a letter as of position `at_least` or later, and its record; raise StoreError if it is not there."""
        ...

    def put_aside(self, position: int) -> Letter | None:
        """Return the letter that a record has become, None if it has become none."""
        ...


class Replaying:
    """Replays letters into one log; for the event loop of its writer."""

    def __init__(
        self, keeper: LetterKeeper, intake: Intake, log: Callable[[], LogReader], letters: Callable[[], Letters]
    ) -> None:
        """`log` and `letters` are asked each time: the stores may have been opened anew."""
        self._keeper = keeper
        self._intake = intake
        self._log = log
        self._letters = letters
        self._turn = asyncio.Lock()
        self._wishes = 0
        self._upto: int | None = None

    async def replay(self, wish: Replay) -> Replayed:
        """Replay a letter, or say why not.

        Raises StoreError if there is no such letter, or engine or log do not answer; RejectedError for a call that is
        no JSON or too long; OverloadedError if too many wish.
        """
        edited = _edited(wish)
        if self._wishes >= WISHES_MAX:
            raise OverloadedError(f"expected at most {WISHES_MAX} letters to be replayed at a time; ask again")
        self._wishes += 1
        try:
            async with self._turn:
                return await self._replay(wish, edited)
        finally:
            self._wishes -= 1

    async def _replay(self, wish: Replay, edited: Call | None) -> Replayed:
        """Replay, knowing of every replay before: the engine has folded the last one that this front, or one before it
        that died, has appended.
        """
        upto = self._log().last().seq if self._upto is None else self._upto
        row, letter = await asyncio.to_thread(self._keeper.kept, wish.position, upto)
        self._upto = upto
        if row.replayed_at is not None:
            return Replayed(position=wish.position, at=row.replayed_at, before=True)
        try:
            told = self._letters().told(letter)
        except SealError:
            return Replayed(position=wish.position, reason=FORGOTTEN)
        recorder = self._intake.recorder
        reason = still_wrong(recorder.plan, letter, told, edited, another_person=wish.another_person)
        if reason or wish.dry_run:
            return Replayed(position=wish.position, reason=reason)
        record = replayed(recorder, letter, told, edited, conflict=row.reason == CONFLICT)
        return await self._append(wish, record)

    async def _append(self, wish: Replay, record: Record) -> Replayed:
        self._upto = None  # until it is told where the record is, nobody knows whether it is there
        at = self._upto = await self._intake.admit_records([record], Lane.LOAD)
        again: Letter | None = None
        with contextlib.suppress(StoreError):  # an engine that is behind says so at the next look
            again = await asyncio.to_thread(self._keeper.put_aside, at)
        return Replayed(position=wish.position, at=at, reason=again.reason if again else "")


def _edited(wish: Replay) -> Call | None:
    if wish.call is None:
        return None
    if len(wish.call) > EDITED_BYTES_MAX:
        raise RejectedError(
            f"expected a corrected call of at most {EDITED_BYTES_MAX} bytes, got {len(wish.call)}; shorten it",
            code="event_too_large",
        )
    return read_call(wish.call)
