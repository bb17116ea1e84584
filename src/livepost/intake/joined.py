"""The tracking plan while a change is under way: what serves and what comes are both fed by the same records.

In: two compiled projects. Out: one, of events and currency only. Promised: what either declares is in the clear, what
either alone asks for is asked of nobody, and a field that serves keeps its type until nothing reads it any more.
"""

from __future__ import annotations

import msgspec

from livepost.model.compiled import Compiled, EventSpec, FieldSpec


def joined(serving: Compiled, coming: Compiled) -> Compiled:
    """Return the events of both, those of `coming` in their order first."""
    before = {event.name: event for event in serving.events}
    events = [_event(before.get(event.name), event) for event in coming.events]
    declared = {event.name for event in coming.events}
    events += [event for event in serving.events if event.name not in declared]
    return Compiled(currency=serving.currency, events=tuple(events))


def _event(before: EventSpec | None, after: EventSpec) -> EventSpec:
    if before is None:
        return msgspec.structs.replace(after, fields=tuple(map(_optional, after.fields)))
    old = {field.name: field for field in before.fields}
    fields = [_field(old[field.name], field) if field.name in old else _optional(field) for field in after.fields]
    declared = {field.name for field in after.fields}
    fields += [_optional(field) for field in before.fields if field.name not in declared]
    return msgspec.structs.replace(after, fields=tuple(fields))


def _field(before: FieldSpec, after: FieldSpec) -> FieldSpec:
    keys = (*after.keys, *(key for key in before.keys if key not in after.keys))
    currency = after.currency or before.currency
    return msgspec.structs.replace(before, keys=keys, required=before.required and after.required, currency=currency)


def _optional(field: FieldSpec) -> FieldSpec:
    return msgspec.structs.replace(field, required=False)
