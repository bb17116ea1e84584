"""`POST /hooks/esp/{provider}`: read, proven, read again as events, heard; then answered.

In: requests of anybody. Out: events to who hears them. Promised: a provider that the settings do not name is nobody
(404); a request that is not proven changes nothing; a 2xx comes after all of a request's events are kept, else 503, so
that the provider sends it again; bodies are bounded in size, time and number.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Protocol

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from livepost.clock import SECOND_MS, Clock
from livepost.errors import LivepostError
from livepost.model.feedback import MailEvent
from livepost.sources.esp.posted import LoginError, Posted, RefusedError, UnreadableError
from livepost.sources.esp.proof import Proof
from livepost.sources.esp.sns import NOTIFICATION, Sns

BODY_BYTES_MAX = 1_000_000
"""Of a request; SendGrid's batches are up to 768 KB."""

BODY_S = 10.0
"""How long a body may take to come."""

UNDER_WAY_MAX = 16
"""Requests that are worked on at a time; to others we say that they come again."""

SAID_EVERY_S = 60
"""How often one trouble with one provider is said."""

_RETRY = {"Retry-After": "30"}


class Reads(Protocol):
    """Brings a provider's requests into one form."""

    def read(self, posted: Posted) -> tuple[list[MailEvent], int]:
        """Return the events, and how many could not be read; raise UnreadableError for what is none."""
        ...


class Hear(Protocol):
    """Writes events down."""

    async def __call__(self, events: Sequence[MailEvent]) -> None:
        """Return once all is kept that they mean; raise LivepostError if it is not."""
        ...


class Door:
    """Where one provider's requests come in: they are proven, then read."""

    def __init__(self, proof: Proof, reader: Reads) -> None:
        """Take the check and the reader; requests of a provider are worked on one after another."""
        self._proof = proof
        self._reader = reader
        self._turn = threading.Lock()

    def open(self, posted: Posted, now_s: int) -> tuple[list[MailEvent], int]:
        """Return a request's events; raise RefusedError for one that is not the provider's."""
        with self._turn:
            self._proof(posted, now_s)
            if isinstance(self._proof, Sns) and self._proof.answer(posted) != NOTIFICATION:
                return [], 0
            return self._reader.read(posted)


class Hooks(msgspec.Struct, frozen=True, kw_only=True):
    """What the endpoint needs: doors by provider, who hears, the host's clock, who tells the operator a sentence."""

    doors: Mapping[str, Door]
    hear: Hear
    clock: Clock
    say: Callable[[str], None]


def hook_routes(hooks: Hooks) -> list[Route]:
    """Return the routes, for a Starlette app."""
    taking = _Taking(hooks)
    return [Route("/hooks/esp/{provider}", taking.answer, methods=["POST", "GET"])]


class _Taking:
    """Answers requests; counts those under way, and remembers what was said."""

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks
        self._under_way = 0
        self._said: dict[tuple[str, str], int] = {}

    async def answer(self, request: Request) -> Response:
        provider = request.path_params["provider"]
        door = self._hooks.doors.get(provider)
        if door is None:
            self._say("", "some came for a provider that the settings do not name; add [[mail_events]]")
            return PlainTextResponse("No events are taken here.\n", HTTPStatus.NOT_FOUND)
        if request.method != "POST":  # some providers ask once whether anybody is there; nothing is told them
            return Response()
        if self._under_way >= UNDER_WAY_MAX:
            return PlainTextResponse("Busy.\n", HTTPStatus.SERVICE_UNAVAILABLE, _RETRY)
        self._under_way += 1
        try:
            return await self._take(provider, door, request)
        finally:
            self._under_way -= 1

    async def _take(self, provider: str, door: Door, request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return PlainTextResponse("Too large, or too slow.\n", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        posted = Posted(headers={name.lower(): value for name, value in request.headers.items()}, body=body)
        try:
            await self._hear(provider, door, posted)
        except LoginError as error:
            self._say(provider, f"a request was refused: {error}")
            headers = {"WWW-Authenticate": 'Basic realm="mail events"'}
            return PlainTextResponse("Refused.\n", HTTPStatus.UNAUTHORIZED, headers)
        except RefusedError as error:
            self._say(provider, f"a request was refused: {error}; see the secret of [[mail_events]]")
            return PlainTextResponse("Refused.\n", HTTPStatus.FORBIDDEN)
        except UnreadableError as error:
            self._say(provider, str(error))
            return PlainTextResponse("Unreadable.\n", HTTPStatus.BAD_REQUEST)
        except LivepostError as error:
            self._say(provider, f"events could not be kept, and will come again: {error}")
            return PlainTextResponse("Not now.\n", HTTPStatus.SERVICE_UNAVAILABLE, _RETRY)
        return Response()  # 200: Mailgun and Postmark send again for any other 2xx

    async def _hear(self, provider: str, door: Door, posted: Posted) -> None:
        """Hear a request's events: whether all is kept shows by no error."""
        now_s = self._hooks.clock.now_ms() // SECOND_MS
        # A thread of its own: those that pages and the API share may all wait for an engine that hangs.
        events, lost = await asyncio.to_thread(door.open, posted, now_s)
        if lost:
            self._say(provider, f"{lost} events of a request could not be read; the others were")
        if events:
            await self._hooks.hear(events)

    def _say(self, provider: str, what: str) -> None:
        now_s = self._hooks.clock.now_ms() // SECOND_MS
        last_s = self._said.get((provider, what[:40]))
        if last_s is None or now_s - last_s >= SAID_EVERY_S:
            self._said[provider, what[:40]] = now_s
            self._hooks.say(f"mail events{' of ' if provider else ''}{provider}: {what}")


async def _body(request: Request) -> bytes | None:
    """Return the body, None for one that is too large, too slow, or cut off."""
    body = bytearray()
    with contextlib.suppress(TimeoutError, ClientDisconnect):
        async with asyncio.timeout(BODY_S):
            async for piece in request.stream():
                body += piece
                if len(body) > BODY_BYTES_MAX:
                    return None
            return bytes(body)
    return None
