"""Live pages: a page's own address, asked for as an event stream, sends its live part whenever that has changed.

In: what makes the live part. Out: server-sent events (WHATWG HTML, 9.2). Promised: nothing is sent twice; at most
`STREAMS_MAX` streams at a time, each at most `STREAM_S` long (the browser asks again); one ends within a second of the
session that asked for it, all end when the house does.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus

from starlette.responses import Response, StreamingResponse

EVERY_S = 1.0
"""How often a page is looked at anew, unless it says otherwise."""

SELDOM_S = 5.0
"""How often one is that costs the house more: a search of the log or the mailbox, many rows of a store."""

HOLDS_S = 0.5
"""How often it is asked whether whoever looks may look on."""

STREAM_S = 600.0
STREAMS_MAX = 32
RETRY_MS = 2_000
"""After how long a browser asks again when a stream has ended."""

MEDIA_TYPE = "text/event-stream"

Look = Callable[[], Awaitable[str]]


class Live:
    """The streams under way."""

    def __init__(self) -> None:
        self._streams = 0
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End all streams, so that the server can stop."""
        self._closing.set()

    def answer(self, look: Look, every_s: float = EVERY_S, holds: Callable[[], bool] = lambda: True) -> Response:
        """Return the stream of what `look` returns while `holds`, or 204 if there are too many: browsers do not
        ask again then.
        """
        if self._streams >= STREAMS_MAX:
            return Response(status_code=HTTPStatus.NO_CONTENT)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._events(look, every_s, holds), headers=headers, media_type=MEDIA_TYPE)

    async def _events(self, look: Look, every_s: float, holds: Callable[[], bool]) -> AsyncIterator[str]:
        self._streams += 1
        try:
            yield f"retry: {RETRY_MS}\n\n"
            ends = asyncio.get_running_loop().time() + STREAM_S
            shown = ""
            while not self._closing.is_set() and asyncio.get_running_loop().time() < ends:
                told = await look()
                if not holds():  # asked behind the look, which may take its time
                    return
                yield event(told) if told != shown else ": as before\n\n"
                shown = told
                if not await self._rest(every_s, holds):
                    return
        finally:
            self._streams -= 1

    async def _rest(self, every_s: float, holds: Callable[[], bool]) -> bool:
        """Wait until the next look; return False as soon as it is seen that there shall be none."""
        left_s = every_s
        while left_s > 0 and holds():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left_s, HOLDS_S)):
                    await self._closing.wait()
            if self._closing.is_set():
                return False
            left_s -= HOLDS_S
        return left_s <= 0


def event(text: str) -> str:
    """Return text as one event.

    >>> event("a\\nb")
    'data: a\\ndata: b\\n\\n'
    """
    return "".join(f"data: {line}\n" for line in text.splitlines()) + "\n"
