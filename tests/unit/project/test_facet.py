"""A facet is asked for like a field of text: open, by the names that intake knows, of the events that have it."""

from typing import Any

import pytest

from livepost import Event, Identified, Profile, count, distinct, facet, in_, latest, segment, top
from livepost.errors import ProjectError
from livepost.model.facet import OF_ANY_EVENT, OF_IDENTIFY
from livepost.project.check import check_project
from livepost.project.compiled import compile_project
from livepost.project.declarations import Declarations, collect


class Viewed(Event):
    product_id: str


class Customer(Identified):
    tier: str | None = None


def project(**names: Any) -> Declarations:
    """Return a project whose profile holds these names."""
    return collect({"Shopper": type("Shopper", (Profile,), names)})


def test_a_facet_compiles_to_its_name_and_is_open() -> None:
    domain = latest(facet(Identified, "email.domain"))
    at_work = project(domain=domain, work=segment(in_(domain, ["example.com"]) | (domain == "example.org")))
    assert check_project(at_work) == []
    spec = compile_project(at_work).features[0]
    assert (spec.event, spec.field, spec.type, spec.personal) == ("$identify", "email.domain", "str", False)


def test_it_serves_where_and_every_word_that_takes_text() -> None:
    german = project(
        some=count(Viewed, where=facet(Viewed, "context.locale") == "de-DE"),
        zones=top(facet(Viewed, "context.zone"), k=3),
        domains=distinct(facet(Identified, "email.domain")),
    )
    assert check_project(german) == []
    where = compile_project(german).features[0].where
    assert where is not None
    assert where["left"] == {"type": "field", "name": "context.locale"}


def test_it_reads_as_it_was_written() -> None:
    assert latest(facet(Identified, "email.domain")).text == "latest(facet(Identified, 'email.domain'))"


def test_an_identify_of_ones_own_has_all_of_them_and_another_event_those_of_any() -> None:
    for name in OF_IDENTIFY + OF_ANY_EVENT:
        assert str(facet(Customer, name)) == f"facet(Customer, {name!r})"
    for name in OF_ANY_EVENT:
        facet(Viewed, name)
    for name in OF_IDENTIFY:
        with pytest.raises(ProjectError, match=r"only Identified has email\.domain and birthday\.month_day"):
            facet(Viewed, name)


@pytest.mark.parametrize(
    ("event", "name", "told"),
    [
        (Identified, "email", "expected a facet of Identified"),
        (Identified, "ip.country", "got 'ip.country'"),
        ("Viewed", "context.zone", "of an event class"),
    ],
)
def test_what_is_no_facet_is_refused_where_it_is_written(event: Any, name: str, told: str) -> None:
    with pytest.raises(ProjectError, match=told) as refused:
        facet(event, name)
    assert "test_facet.py:" in str(refused.value)


def test_a_sealed_field_beside_it_stays_sealed() -> None:
    """The negative control: what a facet opens is the facet alone."""
    problems = check_project(project(some=segment(latest(Identified.email) == "a@example.com")))
    assert ["stays sealed" in one.sentence for one in problems] == [True]
