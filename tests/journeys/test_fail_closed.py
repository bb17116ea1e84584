"""Missing, unknown, refused, withdrawn and expired consent is a no, for whatever needs one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from livepost.clock import DAY_MS, SimulatedClock
from livepost.ledger.base import Ledger, Permit
from livepost.ledger.sqlite import SqliteLedger
from livepost.model.decision import ConsentChange
from livepost.runtime.courier.refusing import allowing, refusing
from livepost.testing.contracts.ledger import ADA, ADDRESS, START_MS, decision, page

PURPOSES = ("marketing", "ads", "opens")
LATER_MS = START_MS + 3 * DAY_MS


def tell(ledger: Ledger, purpose: str, allowed: bool, at: int = START_MS, source: str = "web") -> None:
    position = ledger.cursor() + 1
    change = ConsentChange(
        person=ADA, purpose=purpose, allowed=allowed, at=at, position=position, source=source, message_id=f"m{position}"
    )
    ledger.take_over(page(change), at)


def given(ledger: Ledger, purpose: str) -> None:
    tell(ledger, purpose, True)


def withdrawn(ledger: Ledger, purpose: str) -> None:
    given(ledger, purpose)
    ledger.withdraw(ADA, purpose, START_MS + 1, "one-click 00")


def expired(ledger: Ledger, purpose: str) -> None:
    ledger.set_consent_terms({purpose: DAY_MS})
    given(ledger, purpose)


def signalled(ledger: Ledger, purpose: str) -> None:
    given(ledger, purpose)
    tell(ledger, purpose, False, START_MS + 1, "gpc:web")


STATES: Mapping[str, Callable[[Ledger, str], object]] = {
    "missing": lambda ledger, purpose: None,
    "of another purpose": lambda ledger, purpose: given(ledger, "other"),
    "refused": lambda ledger, purpose: tell(ledger, purpose, False),
    "withdrawn": withdrawn,
    "expired": expired,
    "refused by the browser": signalled,
    "of a page, not told yet": lambda ledger, purpose: ledger.choose(ADA, {purpose: True}, START_MS, "page", "", ""),
    "given": given,
}


def campaign(ledger: Ledger, purpose: str, clock: SimulatedClock) -> bool:
    mail = decision(9, position=ledger.cursor() + 1, purpose=purpose)
    ledger.take_over(page(mail), clock.now_ms())
    claims = ledger.claim(clock.now_ms(), 10, "w")
    return bool(claims) and [one.reason for one in ledger.confirm(claims, [ADDRESS], clock.now_ms())] == [""]


def audience(ledger: Ledger, purpose: str, clock: SimulatedClock) -> bool:
    return refusing(ledger, clock)([Permit(person=ADA, purpose=purpose, address=ADDRESS)]) == [""]


def webhook(ledger: Ledger, purpose: str, clock: SimulatedClock) -> bool:
    return allowing(ledger, clock)(ADA, purpose)


def opening(ledger: Ledger, purpose: str, clock: SimulatedClock) -> bool:
    return refusing(ledger, clock)([Permit(person=ADA, purpose=purpose)]) == [""]


@pytest.mark.parametrize("way", [campaign, audience, webhook, opening])
@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("state", STATES)
def test_only_a_consent_that_stands_is_a_yes(
    way: Callable[[Ledger, str, SimulatedClock], bool], purpose: str, state: str
) -> None:
    clock = SimulatedClock(LATER_MS)
    ledger = SqliteLedger(":memory:", clock)
    STATES[state](ledger, purpose)
    assert way(ledger, purpose, clock) is (state == "given")
    assert ledger.consent_faults() == []
