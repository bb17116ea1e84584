"""Snowplow's tracker protocol: what a tracker sends in, the calls it amounts to out.

A page view is a page call, every other event a track call: a structured event under its action, a self-describing one
under its schema's name. What Segment's calls have no place for stands, as it was told, in the context under `snowplow`.
Promised: every event gives one call; one that cannot be read gives that of a dead letter.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

import msgspec

from livepost.collect.limits import MAX_EVENT_BYTES
from livepost.collect.request import Request, event_too_large, require_length
from livepost.errors import RejectedError
from livepost.intake.call import BrokenCall, Call, json_name, read_call, read_json

Told: TypeAlias = dict[str, Any]
Content: TypeAlias = Callable[[Told, Told], Told]
"""Takes an event's parameters from what is left of it, given its page; returns type, event and properties."""

_PAYLOAD = re.compile(r"iglu:com\.snowplowanalytics\.snowplow/payload_data/jsonschema/1-\d+-\d+", re.ASCII)
_SCHEMA = re.compile(r"iglu:[\w.-]+/([\w-]+)/jsonschema/\d+-\d+-\d+", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

IDS: dict[str, tuple[str, ...]] = {
    "messageId": ("eid",),
    "userId": ("uid",),
    "anonymousId": ("duid", "tnuid", "nuid"),
}
"""A call's ids and the parameters that hold them: the first that is there counts, the others stay in the context."""

PAGE = {"url": "url", "page": "title", "refr": "referrer"}
CONTEXT = {"ua": "userAgent", "lang": "locale", "tz": "timezone", "ip": "ip"}
NAMED: dict[str, tuple[str, dict[str, str]]] = {
    "pp": ("page_ping", {"pp_mix": "min_x", "pp_max": "max_x", "pp_miy": "min_y", "pp_may": "max_y"}),
    "tr": (
        "transaction",
        {
            "tr_id": "order_id",
            "tr_af": "affiliation",
            "tr_tt": "total",
            "tr_tx": "tax",
            "tr_sh": "shipping",
            "tr_ci": "city",
            "tr_st": "state",
            "tr_co": "country",
            "tr_cu": "currency",
        },
    ),
    "ti": (
        "transaction_item",
        {
            "ti_id": "order_id",
            "ti_sk": "sku",
            "ti_nm": "name",
            "ti_ca": "category",
            "ti_pr": "price",
            "ti_qu": "quantity",
            "ti_cu": "currency",
        },
    ),
}
"""Events whose name says all, as Snowplow names them, and their parameters' names as properties."""

STRUCTURED = {"se_ca": "category", "se_la": "label", "se_pr": "property", "se_va": "value"}
NUMBERS = frozenset({"total", "tax", "shipping", "price", "quantity", "value", "min_x", "max_x", "min_y", "max_y"})
"""Properties that are numbers, which the protocol sends as text."""


class _Payload(msgspec.Struct):
    schema: str
    data: list[msgspec.Raw]


_READ = msgspec.json.Decoder(_Payload)


def read_payload(body: bytes) -> Request:
    """Return the calls of a POST's body (`payload_data`); its key is the app id (`aid`) of its first event.

    Raises RejectedError (400): the body is no payload, or an event or the whole is too large.
    """
    told = _payload(body)
    require_length(len(told.data))
    events = [_event(bytes(raw)) for raw in told.data]
    return _request(events)


def read_query(query: bytes) -> Request:
    """Return the call of a GET's query, whose parameters are one event; raise RejectedError (400) for one too large."""
    if len(query) > MAX_EVENT_BYTES:
        raise event_too_large("a query", len(query))
    return _request([dict(parse_qsl(query.decode("latin-1")))])


def call_of(event: Any) -> Call:
    """Return what one event amounts to as a call; a `BrokenCall` if it cannot be read.

    >>> call_of({"e": "se", "se_ca": "shop", "se_ac": "add-to-basket", "uid": "u-1"}).event
    'add-to-basket'
    """
    if not isinstance(event, dict):
        return BrokenCall(fault=f"expected an event to be an object, got {json_name(event)}", told=event)
    rest = dict(event)
    told: Told = {key: value for key, names in IDS.items() if (value := _first(rest, names)) is not None}
    page = _renamed(rest, PAGE)
    try:
        told |= _times(rest) | _content(rest, page)
        told["context"] = _context(rest, page)
    except RejectedError as error:
        return _broken(told, event, str(error))
    call = read_call(msgspec.json.encode(told))
    if isinstance(call, BrokenCall) and call.told is not None:
        call.told = event
    return call


def _request(events: list[Any]) -> Request:
    first = events[0]
    return Request(
        [call_of(event) for event in events], write_key=first.get("aid") if isinstance(first, dict) else None
    )


def _payload(body: bytes) -> _Payload:
    try:
        told = _READ.decode(body)
    except (ValueError, RecursionError):
        got = json_name(read_json(body))
    else:
        if _PAYLOAD.fullmatch(told.schema):
            return told
        got = "another schema"
    raise RejectedError(
        f"expected Snowplow's payload_data (a JSON object with its `schema` and an array `data`), got {got}",
        code="unreadable",
    )


def _event(raw: bytes) -> Any:
    if len(raw) > MAX_EVENT_BYTES:
        raise event_too_large("an event in a payload", len(raw))
    return read_json(raw)


def _first(rest: Told, names: tuple[str, ...]) -> Any:
    """Take the first of the parameters that says anything."""
    found = next((name for name in names if rest.get(name) not in (None, "")), None)
    return rest.pop(found) if found else None


def _times(rest: Told) -> Told:
    """Return `timestamp` and `sentAt`. A true timestamp (`ttm`) is right as it is, so no `sentAt` corrects it."""
    sent = rest.pop("stm", None)
    if (true := rest.pop("ttm", None)) is not None:
        return {"timestamp": _iso(true)}
    times = {"timestamp": rest.pop("dtm", None), "sentAt": sent}
    return {key: _iso(value) for key, value in times.items() if value is not None}


def _iso(told: Any) -> Any:
    """Return milliseconds, told as text, in ISO 8601; anything else as it is, for the verdict to find."""
    try:
        return (_EPOCH + timedelta(milliseconds=int(told))).isoformat(timespec="milliseconds")
    except (ValueError, TypeError, OverflowError):
        return told


def _content(rest: Told, page: Told) -> Told:
    """Return type, event and properties; raise RejectedError if the event is of no known kind or cannot be read."""
    kind = rest.pop("e", None)
    content = _CONTENT.get(kind) if isinstance(kind, str) else None
    if content is None:
        raise _unreadable("e", f"one of {', '.join(_CONTENT)}", "something else")
    return content(rest, page)


def _viewed(rest: Told, page: Told) -> Told:
    return {"type": "page", "properties": page}


def _named(name: str, parameters: dict[str, str]) -> Content:
    return lambda rest, page: {"type": "track", "event": name, "properties": _renamed(rest, parameters)}


def _structured(rest: Told, page: Told) -> Told:
    return {"type": "track", "event": rest.pop("se_ac", None), "properties": _renamed(rest, STRUCTURED)}


def _self_describing(rest: Told, page: Told) -> Told:
    """Read `ue_px` (base64url) or `ue_pr`: a self-describing JSON whose data is another, the event."""
    envelope = _json(rest, "ue_px", "ue_pr")
    inner = envelope.get("data") if isinstance(envelope, dict) else None
    told = inner if isinstance(inner, dict) else {}
    found = _SCHEMA.fullmatch(str(told.get("schema")))
    if found is None:
        raise _unreadable("ue_px", "a self-describing event in its envelope", "other JSON")
    rest["schema"] = found[0]
    return {"type": "track", "event": found[1], "properties": told.get("data")}


def _context(rest: Told, page: Told) -> Told:
    """Return the context; all that is left of the event goes into it."""
    contexts = _json(rest, "cx", "co")
    context = _renamed(rest, CONTEXT) | ({"page": page} if page else {})
    if version := rest.pop("tv", None):
        context["library"] = {"name": "snowplow", "version": version}
    return context | {"snowplow": rest | ({"contexts": contexts} if contexts is not None else {})}


def _json(rest: Told, packed: str, plain: str) -> Any:
    """Take a JSON that came in base64url under one name or as it is under another; None if there is neither."""
    if (told := rest.pop(packed, None)) is not None:
        return _decoded(_unpacked(told, packed), packed)
    told = rest.pop(plain, None)
    return None if told is None else _decoded(str(told).encode(), plain)


def _unpacked(told: Any, name: str) -> bytes:
    """Undo base64, of either alphabet, padded or not."""
    try:
        text = str(told).rstrip("=").replace("-", "+").replace("_", "/")
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise _unreadable(name, "JSON in base64", "other text") from None


def _decoded(raw: bytes, name: str) -> Any:
    try:
        return read_json(raw)
    except RejectedError:
        raise _unreadable(name, "JSON", "other text") from None


def _renamed(rest: Told, names: Mapping[str, str]) -> Told:
    """Take parameters under their names in a call."""
    taken = {name: rest.pop(parameter) for parameter, name in names.items() if rest.get(parameter) is not None}
    return {name: _number(value) if name in NUMBERS else value for name, value in taken.items()}


def _number(told: Any) -> Any:
    """Return the number that a text spells, else the text."""
    try:
        return msgspec.json.decode(told, type=int | float, strict=True)
    except (TypeError, ValueError):
        return told


def _unreadable(parameter: str, expected: str, got: str) -> RejectedError:
    return RejectedError(f"expected `{parameter}` to be {expected}, got {got}", code="unreadable")


def _broken(told: Told, event: Told, fault: str) -> Call:
    """Return a dead letter's call, under the ids that could be read."""
    ids = read_call(msgspec.json.encode({key: told[key] for key in IDS if key in told}))
    return BrokenCall(
        user_id=ids.user_id, anonymous_id=ids.anonymous_id, message_id=ids.message_id, fault=fault, told=event
    )


_CONTENT: dict[str, Content] = {
    "pv": _viewed,
    "se": _structured,
    "ue": _self_describing,
    **{kind: _named(*named) for kind, named in NAMED.items()},
}
"""What makes the content of each kind of event (`e`)."""
