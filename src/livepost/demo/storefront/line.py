"""The shop's server on the line to the house: its API and `/v1/identify`, over HTTP with a secret key.

In: a visitor's id. Out: what the house answers. Promised: at most CONNECTIONS requests at a time; a house that does not
answer within TIMEOUT_S, or not as of the position asked for, is a `HouseAwayError`; a question that meets a connection
which is just being hung up for its idleness is asked once more; the key goes to nobody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from types import TracebackType
from typing import Any, TypeVar

import httpx
import msgspec

from livepost.api.people import PersonAnswer
from livepost.api.preview import PreviewAnswer
from livepost.errors import LivepostError
from livepost.ops.why import PersonReason

TIMEOUT_S = 6.0
"""Longer than the house waits for any of its own parts."""

CONNECTIONS = 24

IDLE_S = 2.0
"""How long a connection that nothing is asked over is kept: shorter than the house keeps it (uvicorn: 5 s)."""

Answer = TypeVar("Answer")


class HouseAwayError(LivepostError):
    """The house does not answer just now, or is not that far yet; asking again is right."""


class _HungUpError(HouseAwayError):
    """The house ended the connection in place of an answer."""


class NobodyError(LivepostError):
    """The house knows nobody by this id."""


class Told(msgspec.Struct, frozen=True):
    """What the house knows of a visitor, as its API says it."""

    person: PersonAnswer
    reasons: PersonReason
    preview: PreviewAnswer


class HouseLine:
    """A line to the house; an async context manager. `port` is asked for at the first request."""

    def __init__(self, port: Callable[[], int], secret_key: str) -> None:
        self._port = port
        limits = httpx.Limits(
            max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS, keepalive_expiry=IDLE_S
        )
        self._client = httpx.AsyncClient(auth=(secret_key, ""), timeout=TIMEOUT_S, limits=limits, trust_env=False)

    async def __aenter__(self) -> HouseLine:
        """Return itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Hang up."""
        await self._client.aclose()

    async def told(self, visitor: str, wait: int) -> Told:
        """Return what is known of a visitor as of log position `wait` or later (-1: now).

        Raises HouseAwayError, NobodyError.
        """
        where = f"/api/people/{visitor}"
        person, reasons, preview = await asyncio.gather(
            self._ask(where, wait, PersonAnswer),
            self._ask(f"{where}/why", wait, PersonReason, records="false"),
            self._ask(f"{where}/preview", wait, PreviewAnswer),
        )
        return Told(person, reasons, preview)

    async def identify(self, call: dict[str, Any]) -> int:
        """Tell who somebody is; return the log position from which the house knows it. Raises HouseAwayError."""
        reply = await self._send("POST", "/v1/identify", content=msgspec.json.encode(call))
        return int(reply.headers["X-Livepost-Position"])

    async def _ask(self, path: str, wait: int, answer: type[Answer], **asked: str) -> Answer:
        params = asked | ({"wait": str(wait)} if wait >= 0 else {})
        try:
            reply = await self._send("GET", path, params=params)
        except _HungUpError:
            reply = await self._send("GET", path, params=params)
        return msgspec.json.decode(reply.content, type=answer)

    async def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            reply = await self._client.request(method, f"http://127.0.0.1:{self._port()}{path}", **more)
        except httpx.HTTPError as error:
            away = _HungUpError if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError) else HouseAwayError
            raise away(f"expected an answer from the house, got {type(error).__name__}; ask again") from error
        if reply.status_code == HTTPStatus.NOT_FOUND:
            raise NobodyError("the house knows nobody by this id yet")
        if reply.status_code != HTTPStatus.OK:
            raise HouseAwayError(f"expected 200 from the house, got {reply.status_code}: {reply.text[:200]}")
        return reply
