"""Signals of browsers, from the call to the ledger: a sale is refused at once, and until the person says otherwise."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from livepost.clock import MINUTE_MS
from livepost.intake.call import Call
from livepost.intake.plan import TrackingPlan
from livepost.ledger.base import Permit
from livepost.log.base import Position
from livepost.model.consent import SignalRules, TcfRule
from livepost.model.record import KeyKind
from livepost.ops.parity.compare import compare
from livepost.testing import Rehearsal

RULES = SignalRules(sale=("ads",), tcf=(TcfRule("ads", (1, 3)), TcfRule("measure", (7,))))
FIRST = "COvFyGBOvFyGBAbAAAENAPCAAOAAAAAAAAAAAEEUACCKAAA"
"""A TC string that allows purposes 1, 2 and 3."""

LESS = "COwxsONOwxsONKpAAAENAdCAAMAAAAAAAAAAAAAAAAAA"
"""One that allows purposes 1 and 2."""

numbers = itertools.count()


@pytest.fixture
def browser(shop: Rehearsal) -> Browser:
    return Browser(shop)


class Browser:
    """A browser of ada's, which tells of pages."""

    def __init__(self, shop: Rehearsal) -> None:
        house = shop.house
        house._intake.use_plan(TrackingPlan(house.project.compiled, "allow", RULES))
        self._shop = shop
        self.person, self._name = b"", ""

    def sees(self, user: str | None = "ada", *, gpc: bool = False, anonymous: str = "b1", **context: Any) -> None:
        house = self._shop.house
        house.clock.advance(MINUTE_MS)
        call = Call(
            type="page", user_id=user, anonymous_id=anonymous, message_id=f"p{next(numbers)}", context=context or None
        )
        house.take([call], KeyKind.WRITE, gpc=gpc)
        self._name = user or anonymous
        self.person = house.subject(self._name) or b""

    def allowed(self, purpose: str = "ads") -> bool:
        """Return whether engine and ledger both allow a purpose."""
        refused = self._shop.house.ledger.refusals([Permit(person=self.person, purpose=purpose)])
        assert (self._shop.person(self._name).consents.get(purpose) is True) is (refused == [""])
        return refused == [""]

    def last(self) -> tuple[str, str]:
        event = self._shop.house.ledger.consent_history(self.person)[0]
        return event.state, event.how

    def says(self, allowed: bool) -> None:
        self.sees(consent={"categoryPreferences": {"ads": allowed}})


def test_the_header_takes_back_what_was_allowed(browser: Browser) -> None:
    browser.says(True)
    assert browser.allowed()
    browser.sees(gpc=True)
    assert not browser.allowed() and browser.last() == ("withdrawn", "gpc")


def test_the_snippets_word_does_the_same(browser: Browser) -> None:
    browser.says(True)
    browser.sees(globalPrivacyControl=True)
    assert not browser.allowed()


def test_a_refusal_stays_until_a_later_word_of_the_person_which_the_repeated_signal_leaves_standing(
    browser: Browser,
) -> None:
    browser.sees(gpc=True)
    browser.sees(gpc=True)
    assert not browser.allowed()
    browser.says(True)
    assert browser.allowed()
    browser.sees(gpc=True)
    assert browser.allowed()
    browser.says(False)
    assert not browser.allowed()


def test_a_yes_in_the_call_that_brings_the_first_signal_is_none(browser: Browser) -> None:
    browser.sees(gpc=True, consent={"categoryPreferences": {"ads": True}})
    assert not browser.allowed()


def test_a_browsers_signal_is_its_persons_once_they_are_known(browser: Browser) -> None:
    browser.says(True)
    browser.sees(None, gpc=True, anonymous="b2")
    assert browser.last() == ("refused", "gpc")
    browser.sees(anonymous="b2")
    assert not browser.allowed()


def test_a_tc_string_allows_what_it_says_and_its_repetition_undoes_nothing(browser: Browser) -> None:
    browser.sees(consent={"tcf": FIRST})
    assert browser.allowed() and not browser.allowed("measure") and browser.last()[1] == "tcf"
    browser.says(False)
    browser.sees(consent={"tcf": FIRST})
    assert not browser.allowed()
    browser.says(True)
    browser.sees(consent={"tcf": LESS})
    assert not browser.allowed()


def test_a_string_that_cannot_be_read_allows_nothing_and_the_call_is_taken(browser: Browser, shop: Rehearsal) -> None:
    browser.sees(consent={"tcf": FIRST[:30]})
    assert not browser.allowed()
    [record] = [one for block in shop.house.log.read(-1, 100) for one in block.records()]
    assert record.context["tcf_unread"].startswith("expected") and "consent" not in record.context


def test_what_signals_say_is_recomputed_from_the_log_by_duckdb(browser: Browser, shop: Rehearsal) -> None:
    house = shop.house
    browser.says(True)
    for _ in range(2):
        browser.sees(gpc=True, consent={"tcf": FIRST})
    browser.sees("bob", gpc=True, anonymous="b9")
    browser.sees("bob", anonymous="b9", consent={"categoryPreferences": {"ads": True}}, tcString=LESS)
    views = [shop._view(name) for name in ("ada", "bob")]
    at = Position(views[0].position, views[0].as_of)
    found = compare(house.log.read(-1, 1_000), house.project.compiled, views, at, everybody=True)
    assert found.holds and [dict(view.consents) for view in views] != [{}, {}]


def test_nobody_can_name_a_signal_as_a_purpose(browser: Browser) -> None:
    browser.sees(consent={"categoryPreferences": {"gpc:ads": True, "TCF:00:ads": True}})
    assert not browser.allowed()


def test_who_does_not_know_that_a_signal_is_told_once_lets_it_undo_a_later_word(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control."""
    monkeypatch.setattr("livepost.model.journal.is_signal", lambda key: False)
    browser.sees(gpc=True)
    browser.says(True)
    browser.sees(gpc=True)
    assert not browser.allowed()
