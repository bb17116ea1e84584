"""Requests: a plain body in, the calls in it out.

Promised: no event over MAX_EVENT_BYTES and no batch over MAX_BATCH_EVENTS comes out; what is not JSON, or not
of the form of its route, is refused whole and nothing of it is taken.
"""

from __future__ import annotations

from typing import Any

import msgspec

from livepost.collect.limits import MAX_BATCH_EVENTS, MAX_EVENT_BYTES
from livepost.errors import RejectedError
from livepost.intake.call import BrokenCall, Call, CallType, json_name, read_call, read_calls, read_json, unreadable
from livepost.intake.timestamp import parse_timestamp


class Request(msgspec.Struct):
    """The calls of one request, the batch's own sentAt (ms), and the key that the body told."""

    calls: list[Call]
    sent_at: int | None = None
    write_key: object = None


class _Batch(msgspec.Struct, rename="camel"):
    batch: list[msgspec.Raw]
    sent_at: Any = None
    write_key: Any = None
    context: Any = None


class _Key(msgspec.Struct, rename="camel"):
    write_key: Any = None


_BATCH = msgspec.json.Decoder(_Batch)
_KEY = msgspec.json.Decoder(_Key)


def read_single(body: bytes, type_: CallType) -> Request:
    """Return the one call of a body; the route says its type. Raises RejectedError (400)."""
    if len(body) > MAX_EVENT_BYTES:
        raise event_too_large("a call", len(body))
    call = read_call(body)
    call.type = type_
    if isinstance(call, BrokenCall) and not isinstance(call.told, dict) and call.told is not None:
        raise RejectedError(f"{call.fault}; send one call as a JSON object", code="unreadable")
    return Request([call], write_key=_KEY.decode(body).write_key if b'"writeKey"' in body else None)


def names_somebody(call: Call) -> bool:
    """Whether a call has an id that any source may give; of a broken one, the dead letter will tell."""
    return call.user_id not in (None, "") or call.anonymous_id not in (None, "") or isinstance(call, BrokenCall)


def require_somebody(call: Call) -> None:
    """Raise RejectedError (400) for a single call without any id, as Segment does; in a batch it is a dead
    letter.
    """
    if not names_somebody(call):
        raise RejectedError(
            "expected a `userId` or an `anonymousId`, got neither; say whom the event is about", code="no_id"
        )


def read_batch(body: bytes) -> Request:
    """Return the calls of a batch; its own `context` stands behind that of each call. Raises RejectedError
    (400).
    """
    try:
        told = _BATCH.decode(body)
    except msgspec.ValidationError:
        raise _no_batch(read_json(body)) from None
    except (ValueError, RecursionError) as error:
        raise unreadable(error) from None
    require_length(len(told.batch))
    calls = _items(list(map(bytes, told.batch)))
    if isinstance(told.context, dict):
        _share(told.context, calls)
    sent_at = parse_timestamp(told.sent_at) if isinstance(told.sent_at, str) else None
    return Request(calls, sent_at, told.write_key)


def require_length(events: int) -> None:
    """Raise RejectedError (400) unless a batch of so many events may be taken."""
    if not 1 <= events <= MAX_BATCH_EVENTS:
        raise RejectedError(
            f"expected 1 to {MAX_BATCH_EVENTS} events in a batch, got {events}; "
            + ("split it" if events else "send nothing instead"),
            code="batch_length",
        )


def event_too_large(what: str, size: int) -> RejectedError:
    """Return the refusal of an event of `size` bytes, over MAX_EVENT_BYTES."""
    return RejectedError(
        f"expected {what} to have at most {MAX_EVENT_BYTES} bytes, got {size}; leave out what nobody reads",
        code="event_too_large",
    )


def _items(events: list[bytes]) -> list[Call]:
    """Return the calls; the first event that is too large or no JSON is what the batch is refused for."""
    if max(map(len, events)) <= MAX_EVENT_BYTES:
        return read_calls(events)
    return list(map(_item, events))


def _item(event: bytes) -> Call:
    if len(event) > MAX_EVENT_BYTES:
        raise event_too_large("an event in a batch", len(event))
    return read_call(event)


def _share(context: dict[str, Any], calls: list[Call]) -> None:
    for call in calls:
        call.context = {**context, **(call.context or {})}


def _no_batch(told: Any) -> RejectedError:
    if not isinstance(told, dict):
        got = json_name(told)
    else:
        got = f"{json_name(told['batch'])} there" if "batch" in told else "none"
    return RejectedError(f"expected a JSON object with an array `batch`, got {got}", code="unreadable")
