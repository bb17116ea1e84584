"""The context: what of it stands open, and that anything odd stays sealed."""

from __future__ import annotations

from typing import Any

import pytest

from livepost.intake.context import MAX_PURPOSES, consent_in, split_context


def test_the_declared_parts_are_opened_and_the_rest_is_kept_apart() -> None:
    opened, rest = split_context(
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
    assert opened == {
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
    assert split_context(context) == ({}, context)


@pytest.mark.parametrize("odd", ["true", 1, "false", 0, {}])
def test_consent_fails_closed_only_true_allows(odd: Any) -> None:
    opened, _ = split_context({"consent": {"categoryPreferences": {"Marketing": odd}}})
    assert opened == {"consent": {"marketing": False}}


def test_of_two_spellings_of_a_purpose_the_stricter_holds() -> None:
    for preferences in ({"A": True, "a": False}, {"A": False, "a": True}):
        opened, _ = split_context({"consent": {"categoryPreferences": preferences}})
        assert opened == {"consent": {"a": False}}


def test_a_null_preference_says_nothing() -> None:
    assert split_context({"consent": {"categoryPreferences": {"A": None}}})[0] == {}


def test_what_else_a_consent_object_holds_stays_sealed() -> None:
    consent = {"categoryPreferences": {"A": True}, "proof": "Jane"}
    opened, rest = split_context({"consent": consent})
    assert (opened, rest) == ({"consent": {"a": True}}, {"consent": consent})


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
    opened, rest = split_context(told)
    assert list(opened) == ["timezone", "consent", "locale"]
    assert list(rest) == ["page", "consent", "ip"]
    assert list(told) == ["page", "timezone", "consent", "ip", "locale"]
    told["consent"] = {"categoryPreferences": {"a": True}}
    assert list(split_context(told)[1]) == ["page", "ip"]
