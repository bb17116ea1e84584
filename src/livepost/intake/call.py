"""A call: one Segment-style message, decoded and not yet judged.

In comes the JSON of one call as bytes, out goes a `Call`. What is not JSON at all is refused; a part of the
wrong type makes a `BrokenCall`, which becomes a dead letter and never an exception: one bad event must not
stop the line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from livepost.errors import RejectedError

CallType: TypeAlias = Literal["track", "identify", "page", "screen", "group", "alias"]
Id: TypeAlias = str | int | float | None

CALL_TYPES: tuple[CallType, ...] = ("track", "identify", "page", "screen", "group", "alias")
MAX_DEPTH = 64
"""How deep a call's JSON may nest, so that every later reader can open it whatever its own stack holds."""

TOO_DEEP = f"expected at most {MAX_DEPTH} levels of nesting, got more"
"""The fault of a call that nests deeper: of it only type, ids and message id are kept."""


class Call(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """One call as the client told it; other keys (`integrations`, `_metadata`, `channel`) are not kept.

    `timestamp` and `sent_at` are still text; ids may have come as numbers. RudderStack's Node SDK says
    `originalTimestamp` where others say `timestamp`.
    """

    type: str = ""
    user_id: Id = None
    anonymous_id: Id = None
    previous_id: Id = None
    group_id: Id = None
    message_id: str | None = None
    event: str | None = None
    name: str | None = None
    category: str | None = None
    timestamp: str | None = None
    original_timestamp: str | None = None
    sent_at: str | None = None
    properties: dict[str, Any] | None = None
    traits: dict[str, Any] | None = None
    context: dict[str, Any] | None = None


class BrokenCall(Call):
    """A call with a part of the wrong type: the readable parts, why it is broken, and all that was told."""

    fault: str = ""
    told: Any = None


_TEXT = (str,)
_ID = (str, int, float)
_OBJECT = (dict,)
_PARTS: tuple[tuple[str, str, tuple[type, ...], str], ...] = (
    ("type", "type", _TEXT, "a string"),
    ("userId", "user_id", _ID, "a string"),
    ("anonymousId", "anonymous_id", _ID, "a string"),
    ("previousId", "previous_id", _ID, "a string"),
    ("groupId", "group_id", _ID, "a string"),
    ("messageId", "message_id", _TEXT, "a string"),
    ("event", "event", _TEXT, "a string"),
    ("name", "name", _TEXT, "a string"),
    ("category", "category", _TEXT, "a string"),
    ("timestamp", "timestamp", _TEXT, "an ISO 8601 date-time"),
    ("originalTimestamp", "original_timestamp", _TEXT, "an ISO 8601 date-time"),
    ("sentAt", "sent_at", _TEXT, "an ISO 8601 date-time"),
    ("properties", "properties", _OBJECT, "an object"),
    ("traits", "traits", _OBJECT, "an object"),
    ("context", "context", _OBJECT, "an object"),
)
_JSON_NAMES: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "number",
    float: "number",
    list: "array",
    dict: "object",
    type(None): "null",
}
_ARRAY = ord("[")
_CALL = msgspec.json.Decoder(Call)
_ANY = msgspec.json.Decoder()


def read_call(raw: bytes) -> Call:
    """Return the call in `raw`; a `BrokenCall` if a part has the wrong type.

    Raises RejectedError (400) if `raw` is not JSON.

    >>> read_call(b'{"userId": 7}').user_id
    7
    >>> read_call(b'{"userId": []}').fault
    'expected `userId` to be a string, got an array'
    """
    try:
        call = _CALL.decode(raw)
    except msgspec.ValidationError:
        call = _mended(read_json(raw))
    except (ValueError, RecursionError) as error:
        raise unreadable(error) from None
    if call.timestamp is None:
        call.timestamp = call.original_timestamp
    if _may_be_deep(raw) and depth(read_json(raw)) > MAX_DEPTH:
        return _too_deep(call)
    return call


def read_calls(raws: Sequence[bytes]) -> list[Call]:
    """Return `read_call` of each, in one go where all are in good form.

    Raises RejectedError (400) for the first that is not JSON.
    """
    try:
        calls = list(map(_CALL.decode, raws))
    except (ValueError, RecursionError):
        return list(map(read_call, raws))
    for call in calls:
        if call.timestamp is None:
            call.timestamp = call.original_timestamp
    for place in [place for place, raw in enumerate(raws) if _may_be_deep(raw)]:
        calls[place] = read_call(raws[place])
    return calls


def read_json(raw: bytes) -> Any:
    """Return any JSON decoded; raise RejectedError (400) if it is none."""
    try:
        return _ANY.decode(raw)
    except (ValueError, RecursionError) as error:
        raise unreadable(error) from None


def unreadable(error: Exception) -> RejectedError:
    """Return the refusal for what is not JSON; the decoder's words name a byte, never a value."""
    told = str(error) if isinstance(error, msgspec.DecodeError) else "it nests too deep or a number is too long"
    return RejectedError(
        f"expected a JSON object, got something unreadable: {told}; send the call again as valid JSON",
        code="unreadable",
    )


def depth(value: Any) -> int:
    """Return how many objects and arrays nest in a decoded value, walking level by level (no recursion)."""
    levels = 0
    level = [value]
    while level := [one for one in level if isinstance(one, dict | list)]:
        levels += 1
        level = [below for one in level for below in (one.values() if isinstance(one, dict) else one)]
    return levels


def json_name(value: object) -> str:
    """Return what JSON calls the type of a decoded value, with its article."""
    name = _JSON_NAMES.get(type(value), type(value).__name__)
    return name if name == "null" else f"an {name}" if name[0] in "ao" else f"a {name}"


def _mended(told: Any) -> Call:
    """Return the readable parts of `told` and its first fault; a PHP client's `[]` for `{}` is no fault."""
    if not isinstance(told, dict):
        return BrokenCall(fault=f"expected a call to be an object, got {json_name(told)}", told=told)
    parts: dict[str, Any] = {}
    fault = ""
    for key, attribute, types, expected in _PARTS:
        value = told.get(key)
        if value is None or (value == [] and types is _OBJECT):
            continue
        if type(value) in types:
            parts[attribute] = value
        else:
            fault = fault or f"expected `{key}` to be {expected}, got {json_name(value)}"
    return BrokenCall(**parts, fault=fault, told=told) if fault else Call(**parts)


def _may_be_deep(raw: bytes) -> bool:
    """Look at brackets only. Most calls have no array, and one byte is sought ten times as fast as it is counted."""
    return raw.count(b"{") + (raw.count(b"[") if _ARRAY in raw else 0) > MAX_DEPTH


def _too_deep(call: Call) -> BrokenCall:
    """Return the call without the parts that nest; nothing of them is kept, since nothing could open it
    later.
    """
    return BrokenCall(
        type=call.type,
        user_id=call.user_id,
        anonymous_id=call.anonymous_id,
        message_id=call.message_id,
        fault=TOO_DEEP,
    )
