"""Facets: open values from sealed ones, only where they have the expected form."""

from __future__ import annotations

from typing import Any

import pytest

from livepost.intake.facet import OF_CONTEXT, OF_TRAITS, facets_of
from livepost.model.facet import OF_ANY_EVENT, OF_IDENTIFY


def test_an_identify_gives_domain_birthday_zone_and_locale() -> None:
    facets = facets_of(
        {"email": " Jane.Doe@Example.COM", "birthday": "1990-02-28T00:00:00Z"},
        {"timezone": "Europe/Berlin", "locale": "de-DE"},
    )
    assert facets == {
        "email.domain": "example.com",
        "birthday.month_day": "02-28",
        "context.zone": "Europe/Berlin",
        "context.locale": "de-DE",
    }


@pytest.mark.parametrize(
    "traits",
    [
        {"email": "jane"},
        {"email": "jane@"},
        {"email": "jane@doe"},
        {"email": "jane@home@example.com"},
        {"email": "jane@exa mple.com"},
        {"email": 5},
        {"birthday": "28.02.1990"},
        {"birthday": "1990-02-28 and Jane"[:10] + "x"},
        {"birthday": "1990-13-01"},
        {},
    ],
)
def test_an_odd_form_gives_no_facet(traits: dict[str, Any]) -> None:
    assert facets_of(traits, {}) == {}


def test_each_facet_has_a_purpose() -> None:
    facets = OF_TRAITS + OF_CONTEXT
    assert all(facet.purpose for facet in facets)
    assert len({facet.name for facet in facets}) == len(facets)


def test_what_is_computed_is_what_definitions_may_ask_for() -> None:
    assert [facet.name for facet in OF_TRAITS] == list(OF_IDENTIFY)
    assert [facet.name for facet in OF_CONTEXT] == list(OF_ANY_EVENT)
    assert all("." in name for name in OF_IDENTIFY + OF_ANY_EVENT)
