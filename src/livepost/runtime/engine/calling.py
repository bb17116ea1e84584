"""Questions of the engine's neighbours that are answered when there is something to say, not before.

In: questions, and a word after each step. Out: answers, as soon as they can be given. Promised: an answer leaves before
the next step begins; a question without one is answered with None after CALL_S seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

CALL_S = 10.0
"""How long a question may stand: who asked may be gone, or know better by now what to ask."""

Asked = TypeVar("Asked")
Told = TypeVar("Told")


class Standing(Generic[Asked, Told]):
    """Questions of one kind; lives on the engine's loop."""

    def __init__(self, answer: Callable[[Asked], Told | None], asked: Callable[[], object] = lambda: None) -> None:
        """Take what answers, which returns None while there is nothing to say, and who is told of each question."""
        self._answer = answer
        self._open: dict[asyncio.Future[Told | None], Asked] = {}
        self._asked = asked
        self._told = False

    async def ask(self, asked: Asked) -> Told | None:
        """Return the answer once there is one; None if there is none for long."""
        self._told = False
        self._asked()
        if (told := self._answer(asked)) is not None:
            self._told = True
            return told
        future: asyncio.Future[Told | None] = asyncio.get_running_loop().create_future()
        self._open[future] = asked
        over = asyncio.get_running_loop().call_later(CALL_S, _give_up, future)
        try:
            return await future
        finally:
            over.cancel()
            del self._open[future]

    def look(self) -> None:
        """Answer what can be answered by now."""
        for future, asked in list(self._open.items()):
            if not future.done() and (told := self._answer(asked)) is not None:
                future.set_result(told)
                self._told = True

    def attended(self) -> bool:
        """Say, once an answer, whether it was told and nobody asked again: who does has done what it asks for."""
        told, self._told = self._told, False
        return told


def _give_up(future: asyncio.Future[Told | None]) -> None:
    if not future.done():
        future.set_result(None)
