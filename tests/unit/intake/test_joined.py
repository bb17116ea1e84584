"""The tracking plan while a change is under way."""

from __future__ import annotations

from livepost.intake.joined import joined
from livepost.model.compiled import Compiled, EventSpec, FieldSpec


def field(name: str, type_: str = "str", **spec: object) -> FieldSpec:
    return FieldSpec(name=name, keys=(name,), type=type_, **spec)  # type: ignore[arg-type]


def project(**events: tuple[FieldSpec, ...]) -> Compiled:
    return Compiled(events=tuple(EventSpec(name=name, cls=name, fields=fields) for name, fields in events.items()))


def fields(compiled: Compiled, event: str) -> dict[str, FieldSpec]:
    return {one.name: one for each in compiled.events if each.name == event for one in each.fields}


def test_what_either_declares_is_declared_and_what_one_asks_for_is_asked_of_nobody() -> None:
    serving = project(Viewed=(field("item"), field("shelf")), Left=(field("why"),))
    coming = project(Viewed=(field("item"), field("price", "int")), New=(field("what"),))
    both = joined(serving, coming)
    assert [event.name for event in both.events] == ["Viewed", "New", "Left"]
    required = {name: one.required for name, one in fields(both, "Viewed").items()}
    assert required == {"item": True, "price": False, "shelf": False}
    assert fields(both, "Left")["why"].required  # it serves as it did
    assert not fields(both, "New")["what"].required


def test_a_field_that_serves_keeps_its_type_and_is_read_from_the_names_of_both() -> None:
    serving = project(Viewed=(FieldSpec(name="units", keys=("units", "count"), type="int"),))
    coming = project(Viewed=(FieldSpec(name="units", keys=("amount", "units"), type="float", currency="EUR"),))
    units = fields(joined(serving, coming), "Viewed")["units"]
    assert (units.type, units.keys, units.currency) == ("int", ("amount", "units", "count"), "EUR")
