"""`WS /api/stream`: transitions, decisions and receipts as they commit, each a JSON text message.

In: a secret key, and perhaps the cursor of the last message that was taken. Out: messages, from there or from now on.
Promised: who may not listen is refused before the connection is made; what a client sends is not read; who does not
keep up is closed with 1013 (try again later) and loses nothing by its cursor.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from starlette.responses import Response
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from livepost.api.access import Keys, require_secret
from livepost.api.feed import Feed, Listener, News
from livepost.api.happening import KINDS, GapTold, kind_of, place_of, told
from livepost.api.operation import parameters
from livepost.api.problem import overloaded, refused, unavailable
from livepost.audit.deed import Deed, Notary
from livepost.errors import OverloadedError, RejectedError, StoreError
from livepost.govern.access.permission import Permission
from livepost.govern.access.rules import Rules
from livepost.model.principal import Principal

PATH = "/api/stream"

NEEDS = Permission("read", "stream")
"""What one must be allowed to listen."""

TRY_AGAIN_LATER = 1013
"""The status of a connection that is closed on who was too slow, or because a store is away."""

RESTARTING = 1012
"""The status of a connection that is closed because the house stops."""

REVOKED = 1008
"""The status of a connection that is closed because its key is good no more (RFC 6455: policy)."""

HOLDS_S = 0.5
"""How often that is looked at."""

MAX_MESSAGE_BYTES = 1_024
"""Of what a client sends, which nobody reads: above it the connection is closed."""

PING_S = 20.0
"""How often a connection is asked whether it is there; without an answer for as long it is closed."""

CLOSE_S = 3.0
"""How long a client that does not read has to take its leave."""


class StreamAsked(msgspec.Struct, frozen=True, kw_only=True):
    """`after`: the cursor of the last message taken, from now on without it; `types`: of these only, by commas."""

    after: str | UnsetType = UNSET
    types: str = ",".join(KINDS)


def stream_route(feed: Feed, keys: Keys, notary: Notary, rules: Rules) -> WebSocketRoute:
    """Return the route, for a Starlette app."""

    async def endpoint(socket: WebSocket) -> None:
        try:
            who = require_secret(keys, socket)
            rules.require(who, NEEDS)
            asked = parameters(StreamAsked, socket)
            kinds = _kinds(asked)
            await notary.note(who.by, Deed("stream.opened"))
            listener = await feed.join()
        except (RejectedError, OverloadedError, StoreError) as error:
            await socket.send_denial_response(_refusal(error))
            return
        after = None if asked.after is UNSET else place_of(asked.after)
        try:
            await socket.accept()
            telling = _tell(socket, feed.follow(listener, after), kinds)
            await _serve(socket, listener, telling, _until_revoked(keys, socket, who))
        except asyncio.CancelledError:  # the house stops
            await _send_away(socket, RESTARTING)
        finally:
            feed.leave(listener)

    return WebSocketRoute(PATH, endpoint, name="stream")


async def _serve(
    socket: WebSocket, listener: Listener, telling: Coroutine[Any, Any, None], ending: Coroutine[Any, Any, None]
) -> None:
    """Tell until the client leaves; if it is too slow, or a store is away, send it away with TRY_AGAIN_LATER, and with
    REVOKED as soon as `ending` returns: its key is good no more.
    """
    _, leaving, slow, revoked = tasks = [
        asyncio.create_task(telling),
        asyncio.create_task(_left(socket)),
        asyncio.create_task(listener.sent_away.wait()),
        asyncio.create_task(ending),
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        failed, _, _, _ = await asyncio.gather(*tasks, return_exceptions=True)
    if revoked.done() and not revoked.cancelled():
        await _send_away(socket, REVOKED)
    elif isinstance(failed, StoreError) or (not slow.cancelled() and leaving.cancelled()):
        await _send_away(socket, TRY_AGAIN_LATER)
    elif isinstance(failed, Exception) and not isinstance(failed, WebSocketDisconnect):
        raise failed


async def _until_revoked(keys: Keys, socket: WebSocket, who: Principal) -> None:
    """Return when the key that the client came with is revoked, has expired, or may something else."""
    with contextlib.suppress(RejectedError):
        while require_secret(keys, socket) == who:
            await asyncio.sleep(HOLDS_S)


async def _tell(socket: WebSocket, news: News, kinds: frozenset[str]) -> None:
    async with contextlib.aclosing(news):
        async for place, message in news:
            if isinstance(message, GapTold) or kind_of(message) in kinds:
                await socket.send_text(told(message, place))


async def _left(socket: WebSocket) -> None:
    """Return when the client is gone; what it says is thrown away."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _send_away(socket: WebSocket, status: int) -> None:
    with contextlib.suppress(TimeoutError, WebSocketDisconnect, RuntimeError):  # gone, or it does not read even this
        async with asyncio.timeout(CLOSE_S):
            await socket.close(status, "go on from your cursor")


def _kinds(asked: StreamAsked) -> frozenset[str]:
    wanted = frozenset(asked.types.split(","))
    if not wanted <= set(KINDS):
        raise RejectedError(
            f"expected `types` to be some of {', '.join(KINDS)}, with commas between them, got another word; "
            "leave it out for all",
            code="parameter",
        )
    return wanted


def _refusal(error: RejectedError | OverloadedError | StoreError) -> Response:
    if isinstance(error, RejectedError):
        return refused(error)
    return overloaded(error) if isinstance(error, OverloadedError) else unavailable(str(error))
