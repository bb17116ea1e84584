"""The context: what of it stands open, and that anything odd stays sealed."""

from __future__ import annotations

from typing import Any

import pytest

from livepost.intake.context import CACHED_BYTES, MAX_PURPOSES, consent_in, split_context
from livepost.model.facet import LOCALE, ZONE


def test_the_declared_parts_are_opened_and_the_rest_is_kept_apart() -> None:
    opening, rest = split_context(
        {
            "locale": "en_US",
            "timezone": "Europe/Berlin",
            "campaign": {"source": "newsletter", "name": "spring"},
            "library": {"name": "@segment/analytics-node", "version": "3.1.0"},
            "consent": {"categoryPreferences": {"Marketing": True, "Analytics": False}},
            "page": {"path": "/p/42"},
            "ip": "203.0.113.9",
        }
    )
    assert opening.parts == {
        "locale": "en-US",
        "timezone": "Europe/Berlin",
        "campaign": {"source": "newsletter", "name": "spring"},
        "library": {"name": "@segment/analytics-node", "version": "3.1.0"},
        "consent": {"marketing": True, "analytics": False},
    }
    assert rest == {"page": {"path": "/p/42"}, "ip": "203.0.113.9"}


@pytest.mark.parametrize(
    "context",
    [
        {"locale": "jane@example.com"},
        {"locale": 5},
        {"timezone": "Jane/Doe"},
        {"campaign": {"name": "for jane@example.com"}},
        {"campaign": {"name": "spring", "recipient": "Jane"}},
        {"campaign": "Jane"},
        {"library": {"name": "x", "user": "Jane"}},
        {"library": {"name": ["Jane"]}},
        {"consent": {"categoryPreferences": {"jane@example.com": True}}},
        {"consent": "Jane"},
    ],
)
def test_a_part_of_an_odd_form_is_not_opened(context: dict[str, Any]) -> None:
    opening, rest = split_context(context)
    assert (opening.parts, rest) == ({}, context)


@pytest.mark.parametrize("odd", ["true", 1, "false", 0, {}])
def test_consent_fails_closed_only_true_allows(odd: Any) -> None:
    opening, _ = split_context({"consent": {"categoryPreferences": {"Marketing": odd}}})
    assert opening.parts == {"consent": {"marketing": False}}


def test_of_two_spellings_of_a_purpose_the_stricter_holds() -> None:
    for preferences in ({"A": True, "a": False}, {"A": False, "a": True}):
        opening, _ = split_context({"consent": {"categoryPreferences": preferences}})
        assert opening.parts == {"consent": {"a": False}}


def test_a_null_preference_says_nothing() -> None:
    assert split_context({"consent": {"categoryPreferences": {"A": None}}})[0].parts == {}


def test_what_else_a_consent_object_holds_stays_sealed() -> None:
    consent = {"categoryPreferences": {"A": True}, "proof": "Jane"}
    opening, rest = split_context({"consent": consent})
    assert (opening.parts, rest) == ({"consent": {"a": True}}, {"consent": consent})


def test_purposes_are_read_up_to_the_bound() -> None:
    preferences = {f"p{n}": True for n in range(MAX_PURPOSES)}
    assert consent_in({"categoryPreferences": preferences}) == preferences
    assert consent_in({"categoryPreferences": {**preferences, "more": True}}) is None


def test_a_preference_event_may_carry_consent_in_its_properties() -> None:
    assert consent_in({"consent": {"categoryPreferences": {"A": True}}}) == {"a": True}
    assert consent_in({"categoryPreferences": {"A": False}}) == {"a": False}
    assert consent_in({"other": 1}) is None


def test_both_parts_keep_the_order_in_which_they_were_told() -> None:
    told = {
        "page": {},
        "timezone": "Europe/Berlin",
        "consent": {"categoryPreferences": {"a": True}, "b": 1},
        "ip": "",
        "locale": "de",
    }
    opening, rest = split_context(told)
    assert list(opening.parts) == ["timezone", "consent", "locale"]
    assert list(rest) == ["page", "consent", "ip"]
    assert list(told) == ["page", "timezone", "consent", "ip", "locale"]
    told["consent"] = {"categoryPreferences": {"a": True}}
    assert list(split_context(told)[1]) == ["page", "ip"]


@pytest.mark.parametrize("first", [True, 1, 1.0])
def test_what_is_remembered_is_told_from_what_python_takes_for_equal(first: Any) -> None:
    for told in (first, True, 1, 1.0):
        opening, _ = split_context({"consent": {"categoryPreferences": {"Marketing": told}}, "locale": "de"})
        assert opening.parts == {"consent": {"marketing": told is True}, "locale": "de"}


def test_contexts_that_tell_the_same_share_one_opening_with_its_facets() -> None:
    told = {"timezone": "Europe/Berlin", "locale": "de_AT", "page": {"path": "/a"}}
    opening, rest = split_context(told)
    other, elsewhere = split_context({**told, "page": {"path": "/b"}})
    assert opening is other
    assert opening.facets == {ZONE: "Europe/Berlin", LOCALE: "de-AT"}
    assert (rest, elsewhere) == ({"page": {"path": "/a"}}, {"page": {"path": "/b"}})


def test_what_is_too_long_to_be_remembered_is_opened_as_well() -> None:
    preferences = {f"purpose {n} {'x' * 40}": True for n in range(CACHED_BYTES // 40)}
    told = {"consent": {"categoryPreferences": preferences}, "locale": "de"}
    (opening, rest), (again, _) = split_context(told), split_context(told)
    assert (opening.parts, rest) == ({"consent": preferences, "locale": "de"}, {})
    assert opening == again
    assert opening is not again
