from __future__ import annotations

import itertools

import pytest

from livepost.clock import SimulatedClock
from livepost.ledger import claims
from livepost.ledger.checks import Facts, refusal
from livepost.ledger.sqlite import SqliteLedger
from livepost.testing.contracts.ledger import START_MS, interleaved


@pytest.mark.parametrize(
    ("granted", "granted_at", "withdrawn_at", "reason"),
    [
        (None, 0, None, "consent"),
        (False, 5, None, "consent"),
        (True, 5, None, ""),
        (True, 5, 4, ""),
        (True, 5, 5, "consent"),
        (True, 5, 6, "consent"),
        (None, 0, 6, "consent"),
    ],
)
def test_marketing_needs_a_grant_later_than_any_withdrawal(
    granted: bool | None, granted_at: int, withdrawn_at: int | None, reason: str
) -> None:
    facts = Facts(class_="marketing", granted=granted, granted_at=granted_at, withdrawn_at=withdrawn_at)
    assert refusal(facts) == reason


def test_transactional_needs_no_consent() -> None:
    assert refusal(Facts(class_="transactional", granted=False, withdrawn_at=9)) == ""


@pytest.mark.parametrize(("sends", "cap", "reason"), [(0, 1, ""), (1, 1, "cap"), (1, 2, ""), (9, 0, "")])
def test_a_cap_of_zero_is_no_cap(sends: int, cap: int, reason: str) -> None:
    assert refusal(Facts(class_="marketing", granted=True, sends=sends, cap_times=cap)) == reason


def test_the_first_reason_in_the_order_of_reasons_is_given() -> None:
    for killed, suppressed, granted, merged, sends in itertools.product((True, False), repeat=5):
        facts = Facts(
            class_="marketing",
            killed=killed,
            suppressed=suppressed,
            granted=granted,
            merged=merged,
            sends=sends,
            cap_times=1,
        )
        against = [
            ("kill", killed),
            ("suppressed", suppressed),
            ("consent", not granted),
            ("merged", merged),
            ("cap", sends),
        ]
        assert refusal(facts) == next((reason for reason, is_so in against if is_so), "")


def test_control_a_ledger_that_checks_only_when_a_decision_comes_in_lets_mail_overtake_an_unsubscribe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = ["grant", "decide", "claim", "withdraw", "confirm"]
    assert interleaved(SqliteLedger(":memory:", SimulatedClock(START_MS)), steps) == []
    monkeypatch.setattr(claims, "refusal", lambda facts: "")
    assert interleaved(SqliteLedger(":memory:", SimulatedClock(START_MS)), steps) == [4]
