"""A money field that something counts has the project's currency; any other has none, and may come in any."""

from typing import Any

import pytest

from livepost import (
    Email,
    Event,
    Money,
    Profile,
    campaign,
    count,
    exists,
    first,
    in_,
    latest,
    maximum,
    mean,
    minimum,
    recent,
    segment,
    total,
)
from livepost.project.compiled import compile_project
from livepost.project.declarations import collect


class Ordered(Event):
    order_id: str
    total: Money
    tax: Money
    pieces: int


FIELDS: Any = Ordered


def currencies(**names: Any) -> dict[str, str | None]:
    """Return the currency of each field of Ordered, by a profile that holds these names."""
    compiled = compile_project(
        collect({"Ordered": Ordered, "Shopper": type("Shopper", (Profile,), names)}), currency="EUR"
    )
    return {field.name: field.currency for event in compiled.events for field in event.fields if field.name == "total"}


@pytest.mark.parametrize("word", [total, mean, minimum, maximum])
def test_what_adds_up_or_compares_amounts_counts_them(word: Any) -> None:
    assert currencies(some=word(Ordered.total)) == {"total": "EUR"}


@pytest.mark.parametrize("word", [latest, first])
def test_what_only_keeps_an_amount_does_not(word: Any) -> None:
    assert currencies(some=word(Ordered.total), more=recent(Ordered.total, n=3)) == {"total": None}


@pytest.mark.parametrize("word", [latest, first])
def test_until_a_condition_compares_it_or_reckons_with_it(word: Any) -> None:
    assert currencies(some=segment(word(Ordered.total) >= 5)) == {"total": "EUR"}
    assert currencies(some=segment(in_(word(Ordered.total), [5]))) == {"total": "EUR"}
    assert currencies(some=segment(word(Ordered.total) / count(Ordered) >= 5)) == {"total": "EUR"}


def test_where_counts_what_it_compares() -> None:
    assert currencies(some=count(Ordered, where=Ordered.total >= 5)) == {"total": "EUR"}
    assert currencies(some=count(Ordered, where=FIELDS.tax / FIELDS.total >= 0.1)) == {"total": "EUR"}
    assert currencies(some=count(Ordered, where=Ordered.pieces >= 5)) == {"total": None}
    assert currencies(some=segment(exists(Ordered, where=Ordered.total >= 5))) == {"total": "EUR"}


def test_a_campaigns_where_counts_too() -> None:
    @campaign(on=Ordered, where=Ordered.tax >= 5)
    def mail(shopper: Profile) -> Email:
        return Email("mail", subject="Hello")

    events = compile_project(collect({"mail": mail}), currency="EUR").events
    assert {field.name: field.currency for field in events[1].fields} == {
        "order_id": None,
        "total": None,
        "tax": "EUR",
        "pieces": None,
    }


def test_a_number_has_no_currency_however_it_is_counted() -> None:
    names = {"pieces": total(Ordered.pieces), "some": segment(mean(Ordered.pieces) >= 5)}
    compiled = compile_project(collect({"Shopper": type("Shopper", (Profile,), names)}), currency="EUR")
    assert {field.currency for event in compiled.events for field in event.fields} == {None}


def test_only_the_event_at_hand_is_counted() -> None:
    class Refunded(Event):
        total: Money

    shopper = type("Shopper", (Profile,), {"some": total(Ordered.total), "back": latest(Refunded.total)})
    compiled = compile_project(collect({"Shopper": shopper}), currency="EUR")
    known = {(event.name, field.name): field.currency for event in compiled.events for field in event.fields}
    assert (known["Ordered", "total"], known["Refunded", "total"]) == ("EUR", None)
