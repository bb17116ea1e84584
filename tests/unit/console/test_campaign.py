"""The page of one campaign."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec

from livepost.console.campaign import SHOWN
from livepost.ledger.base import ALL_MARKETING, MAX_LISTED, Kill
from livepost.ledger.moves import STATES
from tests.unit.console.shop import ADA, REMINDER, SHOP, delivery
from tests.unit.console.told import START, Browser, ToldHouse

RECEIPT = msgspec.structs.replace(
    REMINDER, campaign="receipt", entered=0, waiting=0, by_state={}, by_reason={}, sent=0, clicked=0, held_out=0
)


def _get(path: str = "/campaigns/reminder", **answers: Any) -> httpx.Response:
    told = {"campaigns": [REMINDER, RECEIPT], "project": SHOP, "deliveries": [delivery("sent")], "kills": [], **answers}
    return Browser(ToldHouse(**told)).get(path)


def test_the_funnel_names_and_counts_each_loss_in_picture_words_and_table() -> None:
    text = _get().text
    assert 'aria-label="reminder: 1,000 entered, 100 waiting, 20 on the way, 50 held out, ' in text
    assert '<td><span class="soft">less</span> the cap is reached</td><td class="n">150</td>' in text
    assert "<text" in text


def test_the_held_out_stand_beside_the_treated_only_where_somebody_is_to_be() -> None:
    text = _get().text
    assert 'data-key="holdout-treated">850</strong> treated' in text
    assert 'data-key="holdout-held out">50</strong> held out' in text
    assert "Held out beside treated" not in _get("/campaigns/receipt").text


def test_deliveries_tell_state_person_time_and_reason() -> None:
    skipped = delivery("skipped", reason="cap", detail="2 of 2 in 7 days")
    text = _get(deliveries=[skipped]).text
    assert '<span class="tag warn">skipped</span>' in text
    assert f'href="/people/{ADA.hex()}"' in text
    assert "2026-01-05 09:00:00 UTC" in text
    assert "the cap is reached, 2 of 2 in 7 days; entered browsing" in text


def test_the_state_in_the_address_is_asked_of_the_house() -> None:
    asked: list[Any] = []

    def deliveries(*question: Any) -> list[Any]:
        asked.append(question)
        return []

    for state in STATES:
        assert (
            "No delivery is in this state now" in _get(f"/campaigns/reminder?state={state}", deliveries=deliveries).text
        )
    assert "as they are decided on" in _get(deliveries=deliveries).text
    assert asked == [(None, "reminder", state, SHOWN) for state in (*STATES, None)]
    assert _get("/campaigns/reminder?state=lost").status_code == 400


def test_more_deliveries_are_offered_up_to_what_the_house_lists() -> None:
    def deliveries(*question: Any) -> list[Any]:
        return [delivery("sent")] * question[-1]

    assert f"limit={4 * SHOWN}" in _get(deliveries=deliveries).text
    assert "Show up to" not in _get(f"/campaigns/reminder?limit={MAX_LISTED}", deliveries=deliveries).text
    assert "Show up to" not in _get().text
    assert _get(f"/campaigns/reminder?limit={MAX_LISTED + 1}").status_code == 400


class Switched(ToldHouse):
    """A house whose switches move."""

    def __init__(self, *kills: Kill) -> None:
        super().__init__(campaigns=[REMINDER, RECEIPT], project=SHOP, deliveries=[])
        self.stopped = list(kills)
        self.answers |= {"kills": lambda: self.stopped, "kill": self._kill}

    def _kill(self, campaign: str, *, on: bool) -> None:
        others = [one for one in self.stopped if one.campaign != campaign]
        self.stopped = [*others, Kill(campaign=campaign, at=START)] if on else others


def test_a_form_stops_a_campaign_and_lets_it_go_on() -> None:
    house = Switched()
    browser = Browser(house)
    assert "Stop its mails" in browser.get("/campaigns/reminder").text
    stopped = browser.post("/campaigns/reminder", {"act": "stop"}).text
    assert "by its switch." in stopped and "2026-01-05" in stopped and "Let it mail again" in stopped
    assert [one.campaign for one in house.stopped] == ["reminder"]
    assert "Stop its mails" in browser.post("/campaigns/reminder", {"act": "go"}).text
    assert house.stopped == []


def test_what_stops_all_marketing_is_said_at_each_of_its_campaigns_and_at_no_other() -> None:
    browser = Browser(Switched(Kill(campaign=ALL_MARKETING, at=START)))
    text = browser.get("/campaigns/reminder").text
    assert "by the switch of all marketing." in text and "livepost kill --all --off" in text
    assert "the switch of all marketing" not in browser.get("/campaigns/receipt").text


def test_a_switch_of_no_campaign_moves_nothing() -> None:
    house = Switched()
    assert Browser(house).post("/campaigns/renamed", {"act": "stop"}).status_code == 404
    assert Browser(house).post("/campaigns/reminder", {"act": "pause"}).status_code == 400
    assert house.stopped == []


def test_a_campaign_that_nobody_entered_says_what_would_be_here() -> None:
    assert "Here will be how many entered" in _get("/campaigns/receipt", deliveries=[]).text


def test_a_campaign_that_is_not_there_names_those_that_are() -> None:
    answer = _get("/campaigns/renamed")
    assert answer.status_code == 404
    assert "Expected a campaign of this project (reminder, receipt), got renamed" in answer.text
