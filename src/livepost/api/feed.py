"""One reader of what happens, for all who listen.

In: pages of `Happenings`. Out: for each listener what happened after its place, once each and in order. Promised: the
stores are asked while somebody listens only; listeners and what waits for each are bounded, and who is too slow is told
so and can go on from where it was; what may not be told is passed over as it would be told, not as it was read.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from typing import Protocol, TypeAlias

import msgspec

from livepost.api.happening import GapTold, Happening, Happenings, Message, Page, Place
from livepost.errors import OverloadedError, StoreError

News: TypeAlias = AsyncGenerator[tuple[Place, Message | GapTold], None]
"""Messages, each with the place when it is told."""

POLL_S = 0.075
"""How often the stores are asked while somebody listens."""

MAX_LISTENERS = 32

MAX_WAITING = 10_000
"""Happenings that wait for one listener; with more it is too slow."""


class Passes(Protocol):
    """Says what may be told; everything raises StoreError where a store is away."""

    def require(self) -> None:
        """Raise RejectedError (409) where nothing may be told at all."""
        ...

    def look(self, messages: Sequence[Message]) -> None:
        """Look their people up at once, since they will be asked for; blocking, from any thread."""
        ...

    async def may(self, message: Message) -> bool:
        """Say whether a message may be told now."""
        ...


class Everything:
    """Lets all be told."""

    def require(self) -> None:
        """Refuse nobody."""

    def look(self, messages: Sequence[Message]) -> None:
        """Look at nobody."""

    async def may(self, message: Message) -> bool:
        """Say yes."""
        return True


class Listener:
    """Somebody who listens; `place` is as of the last message taken, `sent_away` is set when no more will come."""

    def __init__(self, place: Place, max_waiting: int) -> None:
        self.place = place
        self.sent_away = asyncio.Event()
        self._max_waiting = max_waiting
        self._waiting: deque[Happening | Page] = deque()
        self._more = asyncio.Event()

    def put(self, page: Page) -> None:
        """Let a page wait, unless that is too much."""
        if len(self._waiting) + len(page.items) > self._max_waiting:
            self.sent_away.set()
            return
        self._waiting.extend([page] if page.gap else page.items)
        self._more.set()

    async def next(self) -> Happening | Page:
        """Return what waits longest, once there is something: a happening, or a page that begins with a gap."""
        while not self._waiting:
            self._more.clear()
            await self._more.wait()
        return self._waiting.popleft()


class Feed:
    """Reads happenings for all listeners; for one event loop."""

    def __init__(
        self,
        happenings: Happenings,
        passes: Passes | None = None,
        *,
        poll_s: float = POLL_S,
        max_listeners: int = MAX_LISTENERS,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._happenings = happenings
        self._passes = passes or Everything()
        self._poll_s = poll_s
        self._max_listeners = max_listeners
        self._max_waiting = max_waiting
        self._listeners: set[Listener] = set()
        self._joining = asyncio.Lock()
        self._reading = asyncio.Lock()
        self._polling: asyncio.Task[None] | None = None

    async def join(self) -> Listener:
        """Return a listener to what happens from now on; to be given back to `leave`.

        Raises RejectedError where nothing may be told, OverloadedError if there are too many, StoreError if a store is
        away.
        """
        self._passes.require()
        async with self._joining:
            if len(self._listeners) >= self._max_listeners:
                raise OverloadedError(f"expected at most {self._max_listeners} listeners, got one more; try later")
            if self._polling is None or self._polling.done():
                self._place = await self._end()
                self._polling = asyncio.create_task(self._poll())
            listener = Listener(self._place, self._max_waiting)
            self._listeners.add(listener)
            return listener

    def leave(self, listener: Listener) -> None:
        """Forget a listener."""
        self._listeners.discard(listener)

    async def follow(self, listener: Listener, after: Place | None) -> News:
        """Go through what happens after a place, else from now on, each with the place when it is told.

        Raises StoreError if a store is away while what is past is read.
        """
        if after is not None:
            listener.place = after
            page = None
            while page is None or page.more:
                page = await self._after(listener.place)
                for place, message in self._news(listener, page):
                    if await self._may(message):
                        yield place, message
        while True:
            found = await listener.next()
            known = isinstance(found, Page) and found.start.epoch == listener.place.epoch
            new = self._news(listener, msgspec.structs.replace(found, gap="") if known else found)
            for place, message in new:
                if await self._may(message):
                    yield place, message

    async def _may(self, message: Message | GapTold) -> bool:
        return isinstance(message, GapTold) or await self._passes.may(message)

    def _news(self, listener: Listener, found: Happening | Page) -> list[tuple[Place, Message | GapTold]]:
        """Return what of this is new to a listener, which has come to its end then."""
        news: list[tuple[Place, Message | GapTold]] = []
        if isinstance(found, Page) and found.gap:
            listener.place = found.start
            news.append((found.start, GapTold(reason=found.gap)))
        for happening in found.items if isinstance(found, Page) else (found,):
            if not listener.place.has(happening):
                listener.place = listener.place.after(happening)
                news.append((listener.place, happening.message))
        return news

    async def _poll(self) -> None:
        """Read on while there are listeners; whatever ends it sends them away."""
        try:
            while self._listeners:
                await self._poll_once()
        finally:
            for listener in self._listeners:
                listener.sent_away.set()

    async def _poll_once(self) -> None:
        more = False
        with contextlib.suppress(StoreError):  # a store that is just being started again
            page = await self._after(self._place)
            for listener in self._listeners:
                listener.put(page)
            self._place, more = page.end, page.more
        if not more:
            await asyncio.sleep(self._poll_s)

    async def _end(self) -> Place:
        async with self._reading:
            return await asyncio.to_thread(self._happenings.end)

    async def _after(self, place: Place) -> Page:
        async with self._reading:
            return await asyncio.to_thread(self._read, place)

    def _read(self, place: Place) -> Page:
        page = self._happenings.after(place)
        self._passes.look([one.message for one in page.items])
        return page
