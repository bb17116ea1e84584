"""An event as the Segment call that would have brought it: what rehearsals and tests hand to the intake."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from livepost.errors import ProjectError
from livepost.project.event import Event, event_spec
from livepost.project.field import CURRENCY_KEY
from livepost.project.money import Money

TYPES = {"$identify": "identify", "$page": "page", "$screen": "screen"}


def call_of(event: Event) -> dict[str, Any]:
    """Return an event as a Segment call, ready for JSON: amounts in major units beside their currency.

    What the event does not say (ids, time) is left out, for the caller to fill.
    """
    spec = event_spec(type(event))
    kind = TYPES.get(spec.name, "track")
    body = "traits" if kind == "identify" else "properties"
    call: dict[str, Any] = {"type": kind, body: _properties(event)}
    if kind == "track":
        call["event"] = spec.name
    envelope = {
        "userId": event.person,
        "anonymousId": event.anonymous,
        "messageId": event.message_id,
        "timestamp": None if event.at is None else _iso(event.at),
    }
    return call | {key: value for key, value in envelope.items() if value is not None}


def _properties(event: Event) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for spec in event_spec(type(event)).fields:
        value = getattr(event, spec.name)
        if isinstance(value, Money):
            _put_currency(properties, value, event)
        if value is not None:
            properties[spec.name] = _json(value)
    return properties


def _put_currency(properties: dict[str, Any], money: Money, event: Event) -> None:
    known = properties.get(CURRENCY_KEY) or getattr(event, CURRENCY_KEY, None) or money.currency
    if money.currency and known != money.currency:
        raise ProjectError(
            f"expected all amounts of {type(event).__name__} in one currency, "
            f"got {known} and {money.currency}; an event carries one"
        )
    if known:
        properties[CURRENCY_KEY] = known


def _json(value: Any) -> Any:
    if isinstance(value, Money):
        whole = value.amount == value.amount.to_integral_value()
        return int(value.amount) if whole else float(value.amount)
    return _iso(value) if isinstance(value, datetime) else value


def _iso(at: datetime) -> str:
    if at.tzinfo is None:
        raise ProjectError(f"expected a time with a zone, got {at!r}; write datetime(..., tzinfo=UTC)")
    return at.isoformat(timespec="milliseconds")
