"""Replies: Segment's shapes as ASGI messages, open to browsers of any shop (CORS)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

import msgspec

from livepost.errors import OverloadedError, RejectedError

Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers: TypeAlias = list[tuple[bytes, bytes]]

SUCCESS = b'{"success": true}'
_CORS: Headers = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"X-Livepost-Position, Retry-After"),
]
_PREFLIGHT: Headers = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
    (b"access-control-allow-headers", b"Authorization, Content-Type, Content-Encoding, X-Retry-Count"),
    (b"access-control-max-age", b"86400"),
    (b"content-length", b"0"),
]
_JSON: Headers = [*_CORS, (b"content-type", b"application/json")]
_PICTURE: Headers = [
    (b"content-type", b"image/gif"),
    (b"cache-control", b"no-store"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"X-Livepost-Position, X-Livepost-Error, Retry-After"),
]
SUCCESS_HEADERS: Headers = [*_JSON, (b"content-length", str(len(SUCCESS)).encode())]


async def send_success(send: Send, position: int) -> None:
    """Say that all is committed, the last record at `position`."""
    headers = [*SUCCESS_HEADERS, (b"x-livepost-position", b"%d" % position)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": SUCCESS})


async def send_json(
    send: Send,
    status: int,
    told: object,
    headers: Headers | None = None,
    before_end: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Send any struct as JSON; `before_end` is awaited when all of it is sent and the connection still open."""
    body = msgspec.json.encode(told)
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*_JSON, length, *(headers or [])]})
    await send({"type": "http.response.body", "body": body, "more_body": before_end is not None})
    if before_end is not None:
        await before_end()
        await send({"type": "http.response.body", "body": b""})


async def send_preflight(send: Send) -> None:
    """Answer a browser's OPTIONS: any origin may post."""
    await send({"type": "http.response.start", "status": 204, "headers": _PREFLIGHT})
    await send({"type": "http.response.body", "body": b""})


async def send_rejected(
    send: Send, error: RejectedError, before_end: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Refuse a request: the client has to change it (but for 408, which it may send again)."""
    headers: Headers = []
    if error.status == 401:
        # Not `Basic`: a shop's own page would make the browser ask its customer for a password.
        headers.append((b"www-authenticate", b'WriteKey realm="livepost"'))
    if error.status in (408, 413):
        headers.append((b"connection", b"close"))
    await send_json(send, error.status, {"code": error.code, "message": str(error)}, headers, before_end)


async def send_picture(send: Send, picture: bytes, status: int, headers: Headers) -> None:
    """Send a GIF that nobody keeps; it says what became of a call by its status, since nobody reads its text."""
    head = [*_PICTURE, (b"content-length", b"%d" % len(picture)), *headers]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": picture})


async def send_overloaded(send: Send, error: OverloadedError) -> None:
    """Shed load: nothing was taken, and trying again later is right."""
    retry = [(b"retry-after", str(error.retry_after_s).encode())]
    await send_json(send, 429, {"code": "overloaded", "message": str(error)}, retry)


async def send_unavailable(send: Send, retry_after_s: int) -> None:
    """Say that a store failed: the client may send the same messageIds again."""
    told = {
        "code": "unavailable",
        "message": "expected the event to be written, got a store error; send it again with its messageId",
    }
    await send_json(send, 503, told, [(b"retry-after", str(retry_after_s).encode())])
