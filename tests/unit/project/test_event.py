"""An event class is a msgspec struct whose fields read as expressions on the class and as values on an instance."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, TypedDict

import msgspec
import pytest

from livepost import Event, Identified, Key, Money, Personal
from livepost.errors import ProjectError
from livepost.model.compiled import Compiled, FieldSpec
from livepost.project.event import event_line, event_name, event_spec
from livepost.project.field import Field


class Line(TypedDict):
    product_id: str


class OrderCompleted(Event):
    order_id: str
    total: Money
    gift: bool = False
    placed_at: datetime | None = None
    note: Personal[str] | None = None
    tags: list[str] = []  # noqa: RUF012 - an event's defaults are copied
    lines: list[Line] | None = None
    extra: dict[str, Any] | None = None
    channel: Literal["web", "app"] | None = None


class VATPaid(Event):
    pass


class Refund(Event, name="Order Refunded"):
    order_id: str


class BigOrder(OrderCompleted):
    manager: str | None = None


class Customer(Identified):
    tier: str | None = None


def test_a_field_is_an_expression_on_the_class_and_a_value_on_an_instance() -> None:
    assert isinstance(OrderCompleted.total, Field)
    assert repr(OrderCompleted.total) == "OrderCompleted.total"
    order = OrderCompleted(person="ada", order_id="o1", total=Money(5))
    assert order.total == Money(5)
    assert order.order_id == "o1"
    assert order.tags == []


def test_an_inherited_field_belongs_to_the_class_it_is_read_from() -> None:
    field: Any = BigOrder.total
    assert field.event is BigOrder


def test_an_event_reads_and_writes_json_as_msgspec_does() -> None:
    refund = msgspec.json.decode(b'{"person":"ada","order_id":"o1"}', type=Refund)
    assert refund == Refund(person="ada", order_id="o1")
    assert json.loads(msgspec.json.encode(refund))["order_id"] == "o1"


def test_an_event_is_named_by_its_class_in_words_unless_told() -> None:
    assert event_name(OrderCompleted) == "Order Completed"
    assert event_name(VATPaid) == "VAT Paid"
    assert event_name(Refund) == "Order Refunded"
    assert event_name(BigOrder) == "Big Order"


def test_more_traits_are_still_an_identify() -> None:
    assert event_name(Customer) == "$identify"
    assert {field.name for field in event_spec(Customer).fields} >= {"email", "tier"}


def test_the_plan_knows_each_fields_type_keys_and_privacy() -> None:
    fields = {field.name: field for field in event_spec(OrderCompleted).fields}
    assert fields["order_id"] == FieldSpec(name="order_id", keys=("order_id", "orderId"), type="str")
    assert fields["total"] == FieldSpec(name="total", keys=("total",), type="money", currency_key="currency")
    assert fields["gift"] == FieldSpec(name="gift", keys=("gift",), type="bool", required=False)
    assert fields["placed_at"].type == "datetime"
    assert fields["note"].personal
    assert (fields["tags"].type, fields["tags"].item) == ("list", "str")
    assert (fields["lines"].type, fields["lines"].item) == ("list", "json")
    assert fields["extra"].type == "json"
    assert fields["channel"].type == "str"
    assert [name for name, field in fields.items() if field.required] == ["order_id", "total"]


def test_who_when_and_under_which_id_are_no_properties() -> None:
    assert [field.name for field in event_spec(Refund).fields] == ["order_id"]
    refund = Refund(anonymous="a1", at=datetime(2026, 1, 1, tzinfo=UTC), message_id="m1", order_id="o1")
    assert refund.person is None


@pytest.mark.parametrize("name", ["person", "anonymous", "at", "message_id"])
def test_a_property_cannot_take_the_name_of_what_every_event_has(name: str) -> None:
    with pytest.raises(ProjectError, match=f"got {name}, which every event has"):
        type(Event)("Moved", (Event,), {"__annotations__": {name: str}, "__module__": __name__})


@pytest.mark.parametrize(
    ("hint", "told"),
    [
        (Decimal, "got Decimal; use one of them"),
        (int | str, "expected one type"),
        (list[Personal[str]], r"write Personal\[list"),
        (list[Key[str]], "expected one value for the key to, got a list"),
        (Key[list[str]], "expected str or int for the key to, got list"),
        (Key[float], "expected str or int for the key to, got float"),
        (set[str], "expected str, int"),
    ],
)
def test_a_field_of_a_type_that_no_plan_has_is_refused_with_its_line(hint: Any, told: str) -> None:
    event: Any = type(Event)("Moved", (Event,), {"__annotations__": {"to": hint}, "__module__": __name__})
    with pytest.raises(ProjectError, match=told) as refused:
        event_spec(event)
    assert refused.value.where == event_line(event)
    assert "test_event.py:" in event_line(event)


class Joined(Event):
    loyalty_card: Key[str]
    till_number: Key[int] | None = None
    note: Personal[str] = ""


def test_a_key_is_personal_and_its_own_type_and_is_told_to_whoever_keeps_ids() -> None:
    card, number, note = event_spec(Joined).fields
    assert card == FieldSpec(
        name="loyalty_card", keys=("loyalty_card", "loyaltyCard"), type="str", personal=True, key=True
    )
    assert (number.type, number.required, number.personal, number.key) == ("int", False, True, True)
    assert (note.personal, note.key) == (True, False)
    compiled = Compiled(events=(event_spec(Joined), event_spec(Refund)))
    assert compiled.keys() == ("loyalty_card", "till_number")


def test_without_keys_a_project_has_the_hash_it_always_had() -> None:
    assert b'"key"' not in msgspec.json.encode(event_spec(OrderCompleted))


@pytest.mark.parametrize("name", ["user", "email"])
def test_a_key_cannot_be_called_as_other_ids_are(name: str) -> None:
    event: Any = type(Event)("Moved", (Event,), {"__annotations__": {name: Key[str]}, "__module__": __name__})
    with pytest.raises(ProjectError, match=f"expected another name for the key {name}"):
        event_spec(event)


def test_a_mapping_is_json() -> None:
    event: Any = type(Event)("Moved", (Event,), {"__annotations__": {"to": Mapping}, "__module__": __name__})
    assert event_spec(event).fields[0].type == "json"


def test_a_type_that_nobody_knows_is_refused() -> None:
    event: Any = type(Event)("Moved", (Event,), {"__annotations__": {"to": "Nowhere"}, "__module__": __name__})
    with pytest.raises(ProjectError, match="Nowhere"):
        event_spec(event)


def test_a_name_that_is_no_field_is_no_attribute() -> None:
    with pytest.raises(AttributeError):
        _ = OrderCompleted.totl  # type: ignore[attr-defined]
