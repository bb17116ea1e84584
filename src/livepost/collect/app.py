"""The collect routes as raw ASGI: a request in, one reply out, and the calls to `intake` in between.

Starlette would cost two fifths of the requests a second here (DEPENDENCIES), so this is the one hand-written
app; whatever is not its route goes to `otherwise`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol, TypeAlias

from livepost.clock import Clock
from livepost.collect.body import BodyReader, ClientGoneError, Receive, UnfinishedBodyError, drain, unpacked
from livepost.collect.browser import SETTINGS_MAX_AGE_S, browser_settings
from livepost.collect.pixel import PICTURE, PIXEL, pixel_source, read_pixel
from livepost.collect.reply import (
    Headers,
    Send,
    send_json,
    send_overloaded,
    send_picture,
    send_preflight,
    send_rejected,
    send_success,
    send_unavailable,
)
from livepost.collect.request import Request, names_somebody, read_batch, read_single, require_somebody
from livepost.collect.snippet import load_snippet, send_snippet
from livepost.collect.snowplow import read_payload, read_query
from livepost.collect.token import Keys, authenticate
from livepost.errors import LivepostError, OverloadedError, RejectedError, StoreError
from livepost.intake.call import Call, CallType
from livepost.intake.record import Arrival, declared_ids
from livepost.intake.writer import Intake, lane_of
from livepost.model.piece import Piece
from livepost.model.record import KeyKind, Origin

Scope: TypeAlias = MutableMapping[str, Any]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

RETRY_AFTER_S = 2
SINGLE: dict[str, CallType] = {
    "/v1/track": "track",
    "/v1/identify": "identify",
    "/v1/page": "page",
    "/v1/screen": "screen",
    "/v1/group": "group",
    "/v1/alias": "alias",
    "/v1/t": "track",
    "/v1/i": "identify",
    "/v1/p": "page",
    "/v1/s": "screen",
    "/v1/g": "group",
    "/v1/a": "alias",
}
BATCH: dict[str, Origin] = {
    "/v1/batch": Origin.LIVE,
    "/v1/b": Origin.LIVE,
    "/v1/import": Origin.IMPORT,
}
SNOWPLOW = "/com.snowplowanalytics.snowplow/tp2"
SNOWPLOW_PIXEL = "/i"
SNIPPET_PATH = "/livepost.js"
SEC_GPC = b"sec-gpc"
"""The header of Global Privacy Control, as a browser sends it."""
_SETTINGS = re.compile(r"/v1/projects/([^/]{1,255})/settings")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?", re.ASCII)


class Recorders(Protocol):
    """Who else can read a batch."""

    def has_room(self, size: int) -> bool:
        """Say whether a body of `size` bytes had better be handed over."""
        ...

    async def piece(self, body: bytes, arrival: Arrival) -> Piece | None:
        """Return a batch's records, None if they did not come in time; raise RejectedError for a bad body."""
        ...


class Collect:
    """The ASGI application; `otherwise` answers what is not its route, `body` holds the bounds on reading."""

    def __init__(
        self,
        intake: Intake,
        keys: Keys,
        clock: Clock,
        otherwise: App,
        *,
        body: BodyReader | None = None,
        recorders: Recorders | None = None,
    ) -> None:
        self._intake = intake
        self._keys = keys
        self._clock = clock
        self._otherwise = otherwise
        self._body = body or BodyReader()
        self._recorders = recorders
        self._snippet = load_snippet()
        self._arrivals: dict[tuple[bytes, bool], Arrival] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = scope.get("path", "")
        if scope["type"] != "http":
            await self._otherwise(scope, receive, send)
        elif path in SINGLE or path in BATCH or path == SNOWPLOW:
            await self._events(scope, receive, send)
        elif path == SNIPPET_PATH:
            await self._send_snippet(scope, send)
        elif path in PIXEL or path == SNOWPLOW_PIXEL:
            await self._pixel(scope, send)
        elif found := _SETTINGS.fullmatch(path):
            await self._settings(found[1], scope, send)
        else:
            await self._otherwise(scope, receive, send)

    def take_whole(
        self, path: str, authorization: bytes | None, body: bytes, *, gpc: bool = False
    ) -> asyncio.Future[int]:
        """Take the single call of a request that came in one piece, its body as it came; `path` is one of SINGLE, and
        `gpc` says whether there was a `Sec-GPC: 1`.

        The future gives its position once it is committed. What this or the future raises is for `refuse`.
        """
        plain = unpacked(body)
        request = _read(path, plain)
        if authorization is None or request.write_key is not None:
            return self._submit(request, path, authorization, len(plain), gpc)
        return self._submit_from(request, path, self._arrival_now(path, authorization, gpc), len(plain))

    async def refuse(self, send: Send, error: BaseException) -> None:
        """Say why a request was not taken; raises what is no error of ours."""
        if isinstance(error, RejectedError):
            await send_rejected(send, error)
        elif isinstance(error, OverloadedError):
            await send_overloaded(send, error)
        elif isinstance(error, StoreError):
            await send_unavailable(send, RETRY_AFTER_S)
        else:
            raise error

    async def _events(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await _answer_method(scope["method"], "POST", send)
            return
        try:
            position = await self._take(scope, receive)
        except UnfinishedBodyError as error:
            await send_rejected(send, error, lambda: drain(receive))
        except ClientGoneError:
            return
        except LivepostError as error:
            await self.refuse(send, error)
        else:
            await send_success(send, position)

    async def _take(self, scope: Scope, receive: Receive) -> int:
        """Read, authenticate, hand over; return the position of the last record once it is committed."""
        path = scope["path"]
        authorization, declared, gpc = _headers(scope)
        body = await self._body.read(receive, declared)
        if authorization and path in BATCH and self._recorders and self._recorders.has_room(len(body)):
            arrival = self._arrival(path, authorization, None, gpc)
            piece = await self._recorders.piece(body, arrival)
            if piece is not None:
                return await self._intake.admit_piece(piece, lane_of(arrival.origin), size=len(body))
        return await self._submit(_read(path, body), path, authorization, len(body), gpc)

    def _submit(
        self, request: Request, path: str, authorization: bytes | None, size: int, gpc: bool
    ) -> asyncio.Future[int]:
        arrival = self._arrival(path, authorization, request.write_key, gpc).sent(request.sent_at)
        return self._submit_from(request, path, arrival, size)

    def _submit_from(self, request: Request, path: str, arrival: Arrival, size: int) -> asyncio.Future[int]:
        if path in SINGLE and not names_somebody(request.calls[0]):
            self._require_key(request.calls[0], arrival)
        return self._intake.submit(request.calls, arrival, size=size)

    def _require_key(self, call: Call, arrival: Arrival) -> None:
        if not declared_ids(call, arrival.key, self._intake.recorder.plan):
            require_somebody(call)

    def _arrival(self, path: str, authorization: bytes | None, write_key: object, gpc: bool) -> Arrival:
        """Return how a request comes; raise RejectedError (401) without a valid key."""
        source, kind = authenticate(self._keys, authorization, write_key)
        origin = BATCH.get(path, Origin.LIVE)
        return Arrival(source=source, key=kind, received_at=self._clock.now_ms(), origin=origin, gpc=gpc)

    def _arrival_now(self, path: str, authorization: bytes, gpc: bool) -> Arrival:
        """Return `_arrival` of a single call: looked up once for all that come by one header in one turn of the event
        loop, which are committed together at its end.
        """
        arrival = self._arrivals.get((authorization, gpc))
        if arrival is None:
            arrival = self._arrival(path, authorization, None, gpc)
            if not self._arrivals:
                asyncio.get_running_loop().call_soon(self._arrivals.clear)
            self._arrivals[authorization, gpc] = arrival
        return arrival

    async def _send_snippet(self, scope: Scope, send: Send) -> None:
        if scope["method"] in ("GET", "HEAD"):
            await send_snippet(send, self._snippet, scope["method"], scope["headers"])
        else:
            await _answer_method(scope["method"], "GET, HEAD", send)

    async def _pixel(self, scope: Scope, send: Send) -> None:
        """Answer with a picture whatever happened: the status and `X-Livepost-Error` say it."""
        if scope["method"] != "GET":
            await _answer_method(scope["method"], "GET", send)
            return
        try:
            position = await self._take_pixel(scope)
        except RejectedError as error:
            await send_picture(send, PICTURE, error.status, _reason(error.code, error))
        except OverloadedError as error:
            retry = (b"retry-after", b"%d" % error.retry_after_s)
            await send_picture(send, PICTURE, 429, [*_reason("overloaded", error), retry])
        except StoreError:
            retry = (b"retry-after", b"%d" % RETRY_AFTER_S)
            await send_picture(send, PICTURE, 503, [*_reason("unavailable", "a store failed"), retry])
        else:
            await send_picture(send, PICTURE, 200, [(b"x-livepost-position", b"%d" % position)])

    async def _take_pixel(self, scope: Scope) -> int:
        """Take the call in a query; return its position once it is committed."""
        path, query = scope["path"], scope.get("query_string", b"")
        if path == SNOWPLOW_PIXEL:
            authorization, _, gpc = _headers(scope)
            return await self._submit(read_query(query), path, authorization, len(query), gpc)
        request = read_pixel(query, PIXEL[path])
        source = pixel_source(self._keys, request.write_key)
        gpc = _headers(scope)[2]
        arrival = Arrival(source=source, key=KeyKind.WRITE, received_at=self._clock.now_ms(), gpc=gpc)
        return await self._intake.submit(request.calls, arrival, size=len(query))

    async def _settings(self, key: str, scope: Scope, send: Send) -> None:
        if scope["method"] != "GET":
            await _answer_method(scope["method"], "GET", send)
            return
        found = self._keys.lookup(key)
        host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
        if found is None or found[1] is not KeyKind.WRITE or _HOST.fullmatch(host) is None:
            told = {
                "code": "invalid_key",
                "message": "expected the write key of a source, got another; check the key",
            }
            await send_json(send, 404, told)
            return
        document = browser_settings(key, host, scope.get("scheme", "http"))
        await send_json(send, 200, document, [(b"cache-control", b"public, max-age=%d" % SETTINGS_MAX_AGE_S)])


def _read(path: str, body: bytes) -> Request:
    if path == SNOWPLOW:
        return read_payload(body)
    type_ = SINGLE.get(path)
    if type_ is None:
        return read_batch(body)
    return read_single(body, type_)


def _reason(code: str, message: object) -> Headers:
    """Return the header that says why a pixel's call was not taken."""
    return [(b"x-livepost-error", f"{code}: {message}".encode("ascii", "replace"))]


def _headers(scope: Scope) -> tuple[bytes | None, bytes | None, bool]:
    """Return Authorization and Content-Length, where there, and whether Sec-GPC says 1."""
    authorization, declared, gpc = None, None, False
    for name, value in scope["headers"]:
        if name == b"authorization":
            authorization = value
        elif name == b"content-length":
            declared = value
        elif name == SEC_GPC:
            gpc = value == b"1"
    return authorization, declared, gpc


async def _answer_method(method: str, allowed: str, send: Send) -> None:
    if method == "OPTIONS":
        await send_preflight(send)
        return
    told = {"code": "method", "message": f"expected {allowed}, got another method"}
    await send_json(send, 405, told, [(b"allow", f"{allowed}, OPTIONS".encode())])
