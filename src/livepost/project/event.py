"""Events: a class per thing that happens; a field is an expression on the class, a value on an instance."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, get_type_hints

import msgspec

from livepost.errors import ProjectError
from livepost.model.compiled import EventSpec, FieldSpec
from livepost.model.facet import is_facet
from livepost.project.field import Field, field_spec
from livepost.project.metaclass import ENVELOPE, EventBase, EventMeta


class Event(EventBase, metaclass=EventMeta):
    """Something that happens to a person; subclass it and annotate its properties.

    person       the userId of whom it happened to, if known
    anonymous    the anonymousId, if there is one
    at           when it happened; None is now
    message_id   under which it is deduplicated; None makes one
    """

    person: str | None = None
    anonymous: str | None = None
    at: datetime | None = None
    message_id: str | None = None

    if TYPE_CHECKING:

        def __init_subclass__(cls, *, name: str | None = None) -> None:
            """Take the event's name in records where the class name in words is not it."""


def event_name(event: type[Event]) -> str:
    """Return an event's name in records: `Product Viewed`, `$identify`."""
    name: str = event._event_name  # type: ignore[attr-defined]
    return name


def event_line(event: type[Event]) -> str:
    """Return `file:line` where an event was declared."""
    line: str = event._event_line  # type: ignore[attr-defined]
    return line


@cache
def event_spec(event: type[Event]) -> EventSpec:
    """Return an event as the tracking plan knows it; `ProjectError` for a field of a type it cannot have."""
    try:
        return EventSpec(name=event_name(event), cls=event.__name__, fields=tuple(_field_specs(event)))
    except ProjectError as problem:
        raise ProjectError(f"{event.__name__}: {problem}", event_line(event)) from None


def field_spec_of(field: Field) -> FieldSpec:
    """Return what the tracking plan knows of a field; a facet is open text."""
    if is_facet(field.name):
        return FieldSpec(name=field.name, keys=(), type="str", required=False)
    return next(spec for spec in event_spec(field.event).fields if spec.name == field.name)


def _field_specs(event: type[Any]) -> Iterator[FieldSpec]:
    try:
        hints = get_type_hints(event, include_extras=True)
    except NameError as unknown:
        raise ProjectError(
            f"expected field types that are known where the module ends, got: {unknown}; import them"
        ) from None
    for field in msgspec.structs.fields(event):
        if field.name not in ENVELOPE:
            yield field_spec(field.name, hints[field.name], has_default=not field.required)
