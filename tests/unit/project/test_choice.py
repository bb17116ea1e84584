"""`in_` is an Or of equalities with constants, bounded, and refuses what it cannot mean."""

from typing import Any

import msgspec
import pytest

from livepost import Event, Identified, Money, Profile, count, in_, latest, segment, total
from livepost.errors import ProjectError
from livepost.expr import And, Compare, Const, Expr, Feature, Field, Not, Or
from livepost.project.choice import MAX_CHOICES
from livepost.project.compiled import compile_project
from livepost.project.declarations import collect


class Viewed(Event):
    category: str
    price: Money
    gift: bool = False


CATEGORY = latest(Viewed.category)


def compiled(condition: Any) -> Expr:
    """Return a segment's condition as a tree."""
    shopper = type("Shopper", (Profile,), {"some": segment(condition)})
    return msgspec.convert(compile_project(collect({"Shopper": shopper}), currency="EUR").segments[0].condition, Expr)


def test_it_is_an_or_of_equalities() -> None:
    feature = Feature("latest(Viewed.category)")
    assert compiled(in_(CATEGORY, ["shoes", "bags"])) == Or(
        (Compare("==", feature, Const("shoes")), Compare("==", feature, Const("bags")))
    )
    assert compiled(~in_(CATEGORY, ("shoes",))) == Not(Or((Compare("==", feature, Const("shoes")),)))


def test_amounts_are_in_minor_units_as_beside_any_comparison() -> None:
    tree = compiled(in_(latest(Viewed.price), [5, Money("9.90", "EUR")]))
    assert isinstance(tree, Or)
    assert [part.right for part in tree.of if isinstance(part, Compare)] == [Const(500), Const(990)]


def test_it_serves_where() -> None:
    some = count(Viewed, where=in_(Viewed.category, ["shoes"]) & Viewed.gift)
    compiled = compile_project(collect({"Shopper": type("Shopper", (Profile,), {"some": some})}))
    assert msgspec.convert(compiled.features[0].where, Expr) == And(
        (Or((Compare("==", Field("category"), Const("shoes")),)), Compare("==", Field("gift"), Const(True)))
    )


def test_it_reads_as_a_person_says_it() -> None:
    assert in_(CATEGORY, ["shoes", "bags"]).text == "latest(Viewed.category) in ('shoes', 'bags')"
    assert (~in_(count(Viewed), [1]) & in_(latest(Viewed.price), [Money(5)])).text == (
        "not count(Viewed) in (1) and latest(Viewed.price) in (Money('5'))"
    )


def test_it_takes_one_value_to_a_hundred() -> None:
    assert len(in_(count(Viewed), list(range(MAX_CHOICES))).values) == MAX_CHOICES  # type: ignore[attr-defined]
    for numbers in ([], list(range(MAX_CHOICES + 1))):
        with pytest.raises(ProjectError, match=f"expected 1 to 100 values .* got {len(numbers)}") as refused:
            in_(count(Viewed), numbers)
        assert "test_choice.py:" in str(refused.value)


@pytest.mark.parametrize(
    ("of", "values", "told"),
    [
        ("shoes", ["a"], "of a feature or a field, got 'shoes'"),
        (CATEGORY, "shoes", "in a list, got str"),
        (CATEGORY, {"shoes"}, "in a list, got set"),
        (CATEGORY, ["shoes", None], "expected plain values"),
        (CATEGORY, [CATEGORY], "compare features with =="),
    ],
)
def test_what_it_cannot_mean_is_refused_where_it_is_written(of: Any, values: Any, told: str) -> None:
    with pytest.raises(ProjectError, match=told) as refused:
        in_(of, values)
    assert "test_choice.py:" in str(refused.value)


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        (in_(CATEGORY, [3]), "to be compared with text such as 'gold', got 3"),  # type: ignore[misc]
        (in_(total(Viewed.price), [Money(5, "USD")]), "in EUR, the project's currency"),
        (in_(latest(Identified.city), ["Paris"]), "which is personal"),
    ],
)
def test_a_value_of_another_kind_is_refused_with_the_line(condition: Any, told: str) -> None:
    with pytest.raises(ProjectError) as refused:
        compiled(condition)
    assert told in str(refused.value)
    assert "test_choice.py:" in str(refused.value)
