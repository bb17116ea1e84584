"""Values of a person's features and of events, in words.

In: a value as the engine has it, the feature's definition. Out: text. Promised: what is personal is `sealed` unless
the house told its value; no value is longer than a page bears.
"""

from __future__ import annotations

from typing import Any

import msgspec

from livepost.clock import moment
from livepost.console.words import duration, number
from livepost.model.compiled import ADDRESS_FEATURE, Compiled, FeatureSpec, FieldType
from livepost.model.person import PersonView
from livepost.ops.condition import duration as in_full
from livepost.project.money import Money

VALUE_MAX = 500
"""Characters of a value that are shown."""

SEALED = "sealed"

_MEANINGS = {
    "count": "how many {event}",
    "total": "sum of {field} over {event}",
    "mean": "mean of {field} over {event}",
    "latest": "latest {field} of {event}",
    "first": "first {field} of {event}",
    "recent": "last {n} {field} of {event}",
    "top": "{n} most frequent {field} of {event}",
    "since": "time since the last {event}",
}


class FeatureLine(msgspec.Struct, frozen=True):
    """A feature: its name, its value in words, what it means."""

    name: str
    value: str
    meaning: str


def feature_lines(project: Compiled, view: PersonView) -> list[FeatureLine]:
    """Return a person's features in the project's order; personal ones are sealed where the house told no value."""
    money = {(event.name, field.name) for event in project.events for field in event.fields if field.type == "money"}
    return [_line(spec, view, project.currency, (spec.event, spec.field) in money) for spec in project.features]


def plain(value: Any) -> str:
    """Return a value of an event as it was sent, at most VALUE_MAX characters of it.

    >>> plain("shoes"), plain([1, 2]), plain(None)
    ('shoes', '[1,2]', 'null')
    """
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= VALUE_MAX else f"{text[:VALUE_MAX]}… ({len(text):,} characters)"


def _line(spec: FeatureSpec, view: PersonView, currency: str, is_money: bool) -> FeatureLine:
    name = "address for mail" if spec.name == ADDRESS_FEATURE else spec.name
    if spec.name in view.sealed and spec.name not in view.features:
        return FeatureLine(name, SEALED, _meaning(spec))
    return FeatureLine(name, _said(view.features.get(spec.name), spec, currency, is_money), _meaning(spec))


def _said(value: Any, spec: FeatureSpec, currency: str, is_money: bool) -> str:
    if value is None:
        return "never"
    if spec.kind == "since":
        return in_full(int(value))
    if is_money and spec.kind == "mean" and isinstance(value, int | float):
        return str(Money.of_minor(round(value), currency))
    if spec.type == "list" and isinstance(value, list | tuple):
        of: FieldType = "money" if is_money else "str"
        return ", ".join(_one(item, of) for item in value) or "none"
    return _one(value, "money" if is_money and spec.kind != "count" else spec.type)


def _one(value: Any, type: FieldType) -> str:
    if type == "money" and isinstance(value, list | tuple):
        minor, currency = value
        return str(Money.of_minor(round(minor), currency))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if type == "datetime" and isinstance(value, int):
        return moment(value)
    return number(value) if isinstance(value, int) else plain(value)


def _meaning(spec: FeatureSpec) -> str:
    """Return what a feature is made of, for people who did not write it."""
    said = _MEANINGS[spec.kind].format(event=spec.event, field=spec.field, n=spec.n)
    over = f", over {duration(spec.over_ms)}" if spec.over_ms is not None else ""
    return f"{said}{over}{', so that `where` holds' if spec.where is not None else ''}"
