"""The page of one campaign."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec

from livepost.clock import DAY_MS
from livepost.console.campaign import SHOWN
from livepost.ledger.base import ALL_MARKETING, MAX_LISTED, AskedBroadcast, Kill
from livepost.ledger.moves import STATES
from livepost.model.compiled import CampaignSpec
from livepost.model.earning import Earned, Exposed
from livepost.model.told import SegmentCount
from livepost.ops.lift import compare
from tests.unit.console.shop import ADA, REMINDER, SHOP, delivery
from tests.unit.console.told import START, Browser, ToldHouse

RECEIPT = msgspec.structs.replace(
    REMINDER, campaign="receipt", entered=0, waiting=0, by_state={}, by_reason={}, sent=0, clicked=0, held_out=0
)


def _get(path: str = "/campaigns/reminder", **answers: Any) -> httpx.Response:
    told = {
        "campaigns": [REMINDER, RECEIPT],
        "project": SHOP,
        "deliveries": [delivery("sent")],
        "kills": [],
        **answers,
    }
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


LETTER = msgspec.structs.replace(RECEIPT, campaign="letter")
LETTERS = msgspec.structs.replace(
    SHOP, campaigns=(*SHOP.campaigns, CampaignSpec(name="letter", audience="browsing", broadcast=True))
)


class Broadcasting(ToldHouse):
    """A house that broadcasts a campaign to 1,234 people, who are too many without an approval."""

    def __init__(self) -> None:
        super().__init__(campaigns=[REMINDER, LETTER], project=LETTERS, deliveries=[], kills=[])
        self.known: dict[str, AskedBroadcast] = {}
        self.answers |= {
            "segments": [SegmentCount("browsing", 1_234)],
            "broadcasts": lambda limit: [*reversed(self.known.values())],
            "broadcast_standings": {},
            "broadcast": self._broadcast,
            "approve": self._approve,
        }

    def _broadcast(self, campaign: str, message_id: str, by: str) -> None:
        number = len(self.known) + 1
        told = {"asked_at": START, "asked_by": by, "people": 1_234}
        one = AskedBroadcast(id=bytes([number]) * 16, campaign=campaign, message_id=message_id, **told)
        self.known.setdefault(message_id, one)

    def _approve(self, id_: bytes, by: str) -> None:
        [message_id] = [one.message_id for one in self.known.values() if one.id == id_]
        begun = {"approved_at": START, "approved_by": by, "position": 7}
        self.known[message_id] = msgspec.structs.replace(self.known[message_id], **begun)


def test_a_broadcast_is_asked_twice_and_waits_for_an_approval() -> None:
    house = Broadcasting()
    browser = Browser(house)
    text = browser.get("/campaigns/letter").text
    assert '<strong data-key="audience">1,234</strong> people' in text and "Broadcast it now" not in text
    assert 'value="broadcast">Broadcast it now' in browser.get("/campaigns/letter?broadcast=ask").text
    assert house.known == {}
    text = browser.post("/campaigns/letter", {"act": "broadcast", "id": ""}).text
    assert "waits for approval" in text and "Approve and begin" in text and "Broadcast it now" not in text
    [one] = house.known.values()
    text = browser.post("/campaigns/letter", {"act": "approve", "id": one.id.hex()}).text
    assert "waits for approval" not in text and "<td>console</td><td>console</td>" in text


def test_a_broadcast_that_nobody_approved_in_time_has_lapsed_and_can_be_asked_for_anew() -> None:
    house = Broadcasting()
    browser = Browser(house)
    browser.post("/campaigns/letter", {"act": "broadcast", "id": ""})
    house.known = {key: one.as_of(START + DAY_MS + 1) for key, one in house.known.items()}
    text = browser.get("/campaigns/letter").text
    assert "lapsed" in text and "waits for approval" not in text and "Approve and begin" not in text
    assert 'value="ask">Broadcast it' in text
    assert "Broadcasts that wait for approval" not in browser.get("/mails").text
    [one] = house.known.values()
    browser.post("/campaigns/letter", {"act": "broadcast", "id": one.id.hex()})
    assert len(house.known) == 2


def test_what_became_of_a_broadcast_is_told_beside_that_of_its_campaign() -> None:
    house = Broadcasting()
    browser = Browser(house)
    browser.post("/campaigns/letter", {"act": "broadcast", "id": ""})
    text = browser.get("/campaigns/letter").text
    assert "What became of the one of" not in text  # nobody was asked yet
    [one] = house.known.values()
    house.answers["broadcast_standings"] = {one.id: REMINDER}
    text = browser.get("/campaigns/letter").text
    assert f'<details id="broadcast-{one.id.hex()}"><summary>What became of the one of' in text
    assert '<td class="n" data-name="sent">600</td><td class="n" data-name="clicked">120</td>' in text
    assert "the cap is reached" in text.partition(f"broadcast-{one.id.hex()}")[2].partition("</details>")[0]


def test_one_form_sent_twice_is_one_broadcast_and_a_new_one_another() -> None:
    house = Broadcasting()
    browser = Browser(house)
    for _ in range(2):
        browser.post("/campaigns/letter", {"act": "broadcast", "id": ""})
    assert len(house.known) == 1
    [newest] = house.known.values()
    assert f'name="id" value="{newest.id.hex()}"' in browser.get("/campaigns/letter?broadcast=ask").text
    browser.post("/campaigns/letter", {"act": "broadcast", "id": newest.id.hex()})
    assert len(house.known) == 2
    assert browser.post("/campaigns/letter", {"act": "approve", "id": "../.."}).status_code == 400


def test_a_campaign_that_starts_by_itself_has_nothing_to_broadcast() -> None:
    assert "Broadcast it" not in Browser(Broadcasting()).get("/campaigns/reminder").text


def test_a_campaign_that_nobody_entered_says_what_would_be_here() -> None:
    assert "Here will be how many entered" in _get("/campaigns/receipt", deliveries=[]).text


def test_a_campaign_that_is_not_there_names_those_that_are() -> None:
    answer = _get("/campaigns/renamed")
    assert answer.status_code == 404
    assert "Expected a campaign of this project (reminder, receipt), got renamed" in answer.text


EARNED = Earned(campaign="reminder", broadcast=b"", currency="EUR", orders=3, mails=2, amount=4_990)


def test_what_its_mails_earned_stands_beside_what_machines_did() -> None:
    earned = msgspec.structs.replace(REMINDER, earned=(EARNED,), delivered=590, opened=200, machine_opened=90)
    text = _get(campaigns=[earned]).text
    assert 'data-key="orders">3</strong> orders' in text
    assert 'data-key="earned-EUR">49.90 EUR' in text
    assert 'data-key="machines-opened by machines">90</strong>' in text
    assert "600 sent, 590 delivered, 200 opened, 120 clicked, 2 ordered" in text
    assert "What its mails earned" not in _get().text


def test_what_the_held_out_bought_is_said_beside_the_treated() -> None:
    few = compare(Exposed(treated=850, held_out=50, bought=[]))
    assert "850 people treated, 50 held out: not enough people" in _get(comparison=few).text


def test_the_latest_deliveries_are_stacked_on_a_phone_so_that_why_is_read_whole() -> None:
    text = _get().text
    assert 'id="delivered"><table class="stack">' in text
