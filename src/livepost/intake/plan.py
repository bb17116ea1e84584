"""The tracking plan, made ready once per project: event name -> declared fields with what brings them to
form.

In comes the compiled project; out goes, for each event, what is open, what is personal and what nobody
declared. Promised: a broken plan is told in one sentence with the field, what was expected and the type that
came, never a value.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from livepost.errors import LivepostError
from livepost.intake.value import PLAIN, MismatchError, Normaliser, money, normaliser
from livepost.model.compiled import Compiled, EventSpec, FieldSpec
from livepost.model.consent import SignalRules

Undeclared: TypeAlias = Literal["allow", "quarantine", "block"]

PlainField: TypeAlias = tuple[str, type, bool, tuple[str, ...]]
"""Of a field that may be in form as it came: name, type, whether it is required, its other JSON names."""


class BrokenPlanError(LivepostError):
    """An event does not keep to the tracking plan; the sentence is the dead letter's reason."""


class Reading(msgspec.Struct):
    """An event's properties, sorted: open values, personal values (both normalised), and the undeclared as
    told.
    """

    open: dict[str, Any]
    personal: dict[str, Any]
    undeclared: dict[str, Any]


class FieldPlan(msgspec.Struct, frozen=True):
    """A declared field with its normaliser; None for money, which reads its currency from a sibling.

    A value of exactly the type `plain` is in form as it came, and nothing else of the call belongs to it or hides it.
    `currency` is the one that money has to be in, None any.
    """

    name: str
    keys: tuple[str, ...]
    required: bool
    personal: bool
    plain: type | None
    normalise: Normaliser | None
    currency_key: str | None
    currency: str | None = None


class EventPlan(msgspec.Struct, frozen=True):
    """A declared event; `currency` is for money that tells none."""

    name: str
    fields: tuple[FieldPlan, ...]
    currency: str
    plain: tuple[PlainField, ...] | None
    """The fields, if each has a plain type and its own name is the first that it may be told by."""

    def read(self, told: dict[str, Any]) -> Reading:
        """Return the properties sorted and normalised; raise BrokenPlanError where they break the plan.

        Of a field's JSON names the first that is there (and not null) wins; the others count as undeclared.
        """
        return (None if self.plain is None else read_plain(told, self.plain)) or self._read_any(told)

    def _read_any(self, told: dict[str, Any]) -> Reading:
        opened: dict[str, Any] = {}
        personal: dict[str, Any] = {}
        undeclared = told.copy()
        for field in self.fields:
            for key in field.keys:
                value = told.get(key)
                if value is not None:
                    break
            else:
                self._require(field)
                continue
            undeclared.pop(key, None)
            if type(value) is field.plain:
                opened[field.name] = value
                continue
            (personal if field.personal else opened)[field.name] = self._value(field, told, key)
            if field.currency_key is not None:
                undeclared.pop(field.currency_key, None)
        return Reading(opened, personal, undeclared)

    def _require(self, field: FieldPlan) -> None:
        if field.required:
            raise BrokenPlanError(
                f"expected field `{field.name}` in `{self.name}`, got none; send it, or declare it optional"
            )

    def _value(self, field: FieldPlan, told: dict[str, Any], key: str) -> Any:
        try:
            if field.normalise is not None:
                return field.normalise(told[key])
            return self._money(field, money(told[key], told.get(field.currency_key or ""), self.currency))
        except MismatchError as error:
            raise BrokenPlanError(
                f"expected field `{field.name}` in `{self.name}` to be {error.expected}, got {error.got}; "
                "correct what the client sends, or the declaration"
            ) from None

    def _money(self, field: FieldPlan, value: list[Any]) -> list[Any]:
        """Return money as it is, if it is in the one currency that a counted field has."""
        if field.currency in (None, value[1]):
            return value
        raise BrokenPlanError(
            f"expected field `{field.name}` in `{self.name}` in {field.currency}, the project's currency, since it is "
            f"counted, got {value[1]}; convert it, or set `currency`"
        )


NO_SIGNALS = SignalRules()


class TrackingPlan:
    """All declared events, and what becomes of an event that nobody declared."""

    def __init__(self, compiled: Compiled, undeclared: Undeclared = "allow", signals: SignalRules = NO_SIGNALS) -> None:
        """Read a project's events by name; `signals` are what browsers' signals of consent speak of."""
        self.signals = signals
        self.undeclared: Undeclared = undeclared
        self._events = {event.name: _event_plan(event, compiled.currency) for event in compiled.events}
        self.plain = {
            name: event.plain
            for name, event in self._events.items()
            if event.plain is not None and name and not name.startswith("$")
        }
        """The fields of the events of track calls whose fields are all plain, by name."""
        self._keys = {event.name: _keys(event) for event in compiled.events if any(field.key for field in event.fields)}

    @property
    def has_keys(self) -> bool:
        """Whether any event has a field that is a key of a person."""
        return bool(self._keys)

    def keys_of(self, name: str) -> tuple[FieldPlan, ...]:
        """Return the fields of an event that are keys of a person, in their order; none if nobody declared it."""
        return self._keys.get(name, ())

    def event(self, name: str) -> EventPlan | None:
        """Return the plan of an event, or None if nobody declared it."""
        return self._events.get(name)


def read_plain(told: dict[str, Any], plain: tuple[PlainField, ...]) -> Reading | None:
    """Return what is told, sorted; None unless each field is in form by its own name, or is optional and not told."""
    opened: dict[str, Any] = {}
    for name, type_, required, others in plain:
        value = told.get(name)
        if type(value) is type_:
            opened[name] = value
        elif required or name in told or not told.keys().isdisjoint(others):
            return None
    undeclared = {key: value for key, value in told.items() if key not in opened} if len(told) > len(opened) else {}
    return Reading(opened, {}, undeclared)


def _event_plan(event: EventSpec, currency: str) -> EventPlan:
    fields = tuple(_field_plan(field) for field in event.fields)
    return EventPlan(event.name, fields, currency, _plain(fields))


def _plain(fields: tuple[FieldPlan, ...]) -> tuple[PlainField, ...] | None:
    plain = [
        (field.name, field.plain, field.required, field.keys[1:])
        for field in fields
        if field.plain and field.keys[:1] == (field.name,)
    ]
    return tuple(plain) if len(plain) == len(fields) else None


def _keys(event: EventSpec) -> tuple[FieldPlan, ...]:
    return tuple(_field_plan(field) for field in event.fields if field.key)


def _field_plan(field: FieldSpec) -> FieldPlan:
    return FieldPlan(
        name=field.name,
        keys=field.keys,
        required=field.required,
        personal=field.personal,
        plain=None if field.personal or field.currency_key is not None else PLAIN.get(field.type),
        normalise=None if field.type == "money" else normaliser(field.type, field.item),
        currency_key=field.currency_key,
        currency=field.currency,
    )
