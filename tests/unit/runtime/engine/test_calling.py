"""Questions that stand until there is an answer."""

from __future__ import annotations

import asyncio

import pytest

from livepost.runtime.engine import calling
from livepost.runtime.engine.calling import Standing


class Shelf:
    def __init__(self) -> None:
        self.things: dict[str, int] = {}

    def find(self, name: str) -> int | None:
        return self.things.get(name)


def test_what_is_there_is_told_at_once_and_what_comes_when_it_comes() -> None:
    async def story() -> list[int | None]:
        shelf = Shelf()
        standing: Standing[str, int] = Standing(shelf.find)
        shelf.things["tea"] = 1
        first = await standing.ask("tea")
        waiting = asyncio.create_task(standing.ask("salt"))
        await asyncio.sleep(0)
        standing.look()
        assert not waiting.done()
        shelf.things["salt"] = 2
        standing.look()
        standing.look()
        return [first, await waiting]

    assert asyncio.run(story()) == [1, 2]


def test_a_question_without_an_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "CALL_S", 0.0)

    async def story() -> int | None:
        standing: Standing[str, int] = Standing(Shelf().find)
        return await standing.ask("salt")

    assert asyncio.run(story()) is None


def test_who_goes_away_is_not_answered() -> None:
    async def story() -> None:
        shelf = Shelf()
        standing: Standing[str, int] = Standing(shelf.find)
        waiting = asyncio.create_task(standing.ask("salt"))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        shelf.things["salt"] = 2
        standing.look()

    asyncio.run(story())


def test_who_was_told_something_is_waited_for_once_until_asking_again() -> None:
    async def story() -> list[bool]:
        shelf, asked = Shelf(), list[bool]()
        standing: Standing[str, int] = Standing(shelf.find, lambda: asked.append(True))
        seen = [standing.attended()]
        shelf.things["tea"] = 1
        await standing.ask("tea")
        seen += [standing.attended(), standing.attended()]
        waiting = asyncio.create_task(standing.ask("salt"))
        await asyncio.sleep(0)
        seen.append(standing.attended())
        shelf.things["salt"] = 2
        standing.look()
        asyncio.create_task(standing.ask("bread"))  # noqa: RUF006 - ended with the loop
        await waiting
        assert len(asked) == 3
        return [*seen, standing.attended()]

    assert asyncio.run(story()) == [False, True, False, False, False]
