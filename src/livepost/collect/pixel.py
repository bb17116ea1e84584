"""The pixel: a call in the address of a picture, for pages and mails without JavaScript.

In comes a query, either plain parameters or Segment's `data` (a call as JSON, in base64), out go the call and the
write key. Promised: nothing of the request but its query becomes part of the call.
"""

from __future__ import annotations

import base64
import binascii
from urllib.parse import parse_qsl

import msgspec

from livepost.collect.limits import MAX_EVENT_BYTES, MAX_PIXEL_PARAMETERS
from livepost.collect.request import Request, read_single, require_somebody
from livepost.collect.token import Keys, authenticate
from livepost.errors import RejectedError
from livepost.intake.call import Call, CallType
from livepost.model.record import KeyKind

PIXEL: dict[str, CallType | None] = {
    "/v1/pixel.gif": None,
    "/v1/pixel/track": "track",
    "/v1/pixel/page": "page",
}
"""The routes, and the type of call each takes; None: a track call if there is an `event`, else a page call."""

PICTURE = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
"""A transparent GIF of one pixel (43 bytes)."""

_PROPERTY = "prop."


def read_pixel(query: bytes, type_: CallType | None) -> Request:
    """Return the one call of a query; raise RejectedError (400)."""
    told = _parameters(query)
    request = _coded(told["data"], type_) if "data" in told else Request([_plain(told, type_)])
    require_somebody(request.calls[0])
    request.write_key = told.get("writeKey", request.write_key)
    return request


def pixel_source(keys: Keys, write_key: object) -> str:
    """Return the source that a pixel's key stands for.

    Raises RejectedError (401) for any but a write key: addresses are written down on the way, so a secret key in one
    is none any more.
    """
    source, kind = authenticate(keys, None, write_key)
    if kind is not KeyKind.WRITE:
        raise RejectedError(
            "expected a write key in the address, got a secret key, which others can read there; revoke it",
            code="invalid_key",
            status=401,
        )
    return source


def _parameters(query: bytes) -> dict[str, str]:
    if len(query) > MAX_EVENT_BYTES:
        raise RejectedError(
            f"expected a query of at most {MAX_EVENT_BYTES} bytes, got {len(query)}; leave out what nobody reads",
            code="event_too_large",
        )
    try:
        return dict(parse_qsl(query.decode("ascii"), errors="strict", max_num_fields=MAX_PIXEL_PARAMETERS))
    except ValueError:
        raise RejectedError(
            f"expected a query of at most {MAX_PIXEL_PARAMETERS} parameters in percent-encoded UTF-8, got another; "
            "encode each value",
            code="unreadable",
        ) from None


def _plain(told: dict[str, str], type_: CallType | None) -> Call:
    """Return the call that plain parameters tell; all values are text."""
    return Call(
        type=type_ or ("track" if "event" in told else "page"),
        event=told.get("event"),
        name=told.get("name"),
        user_id=told.get("userId"),
        anonymous_id=told.get("anonymousId"),
        message_id=told.get("messageId"),
        timestamp=told.get("timestamp"),
        properties={key.removeprefix(_PROPERTY): value for key, value in told.items() if key.startswith(_PROPERTY)},
    )


def _coded(data: str, type_: CallType | None) -> Request:
    """Return the call in `data`: JSON in base64, of either alphabet, padded or not, `+` come through as a space."""
    text = data.replace("-", "+").replace("_", "/").replace(" ", "+").rstrip("=")
    try:
        body = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise RejectedError(
            "expected `data` to be a JSON object in base64, got other text; encode the call", code="unreadable"
        ) from None
    return read_single(body, type_ or ("track" if _has_event(body) else "page"))


class _Named(msgspec.Struct):
    event: object = None


def _has_event(body: bytes) -> bool:
    """Say whether a call names an event; of what cannot be read `read_single` says so."""
    try:
        return msgspec.json.decode(body, type=_Named).event is not None
    except (ValueError, RecursionError):
        return False
