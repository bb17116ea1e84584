"""Signals of browsers: what they say by key, and that none fails a call."""

from __future__ import annotations

from typing import Any

import pytest

from livepost.intake.signal import signals_in
from livepost.model.consent import SignalRules, TcfRule

from .tc_strings import Told, encoded

RULES = SignalRules(sale=("ads", "sharing"), tcf=(TcfRule("ads", (1, 3)), TcfRule("measure", (7,), by_interest=True)))
STRING = encoded(Told(purposes=frozenset((1, 3)), interests=frozenset((9,))))
REFUSED = {"gpc:ads": False, "gpc:sharing": False}


@pytest.mark.parametrize(
    ("context", "gpc", "said"),
    [
        ({}, False, {}),
        ({}, True, REFUSED),
        ({"globalPrivacyControl": True}, False, REFUSED),
        ({"globalPrivacyControl": "1"}, False, {}),
        ({"globalPrivacyControl": False}, True, REFUSED),
    ],
)
def test_global_privacy_control_refuses_what_is_a_sale(
    context: dict[str, Any], gpc: bool, said: dict[str, bool]
) -> None:
    assert signals_in(context, RULES, gpc=gpc) == (said, "")


@pytest.mark.parametrize(
    "context",
    [
        {"consent": {"tcf": STRING}},
        {"consent": {"tcString": STRING}},
        {"tcString": STRING},
        {"consent": {"tcf": {"tcString": STRING}}},
    ],
)
def test_a_tc_string_is_read_wherever_it_is_told(context: dict[str, Any]) -> None:
    said, unread = signals_in(context, RULES, gpc=False)
    assert unread == ""
    assert {key.rpartition(":")[2]: allowed for key, allowed in said.items()} == {"ads": True, "measure": False}
    assert all(key.startswith("tcf:") for key in said)


def test_two_tc_strings_have_two_names() -> None:
    other = encoded(Told(purposes=frozenset((1, 2, 3))))
    one, two = (signals_in({"tcString": text}, RULES, gpc=False)[0] for text in (STRING, other))
    assert one.keys().isdisjoint(two)


@pytest.mark.parametrize("told", ["nonsense", STRING[:20], 7, ["x"], {"tcString": 7}, "x" * 100_000])
def test_what_cannot_be_read_allows_nothing_and_is_told(told: Any) -> None:
    said, unread = signals_in({"consent": {"tcf": told}}, RULES, gpc=True)
    assert said == REFUSED and unread.startswith("expected")


def test_without_a_purpose_for_it_no_string_is_read() -> None:
    assert signals_in({"tcString": "nonsense"}, SignalRules(sale=("ads",)), gpc=False) == ({}, "")
