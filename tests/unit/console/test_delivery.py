"""Mails by state, and the story of one."""

from __future__ import annotations

from typing import Any

import msgspec

from livepost.ledger.base import AskedBroadcast
from livepost.ledger.moves import State
from livepost.ops.mail_story import MailStory
from livepost.ops.why import Happened, MailReason
from tests.unit.console.shop import REMINDER, delivery
from tests.unit.console.test_mailbox import ID, PERSON, _shown
from tests.unit.console.told import START, Browser, ToldHouse

STORY = MailStory(
    campaign="still <thinking>",
    person=PERSON,
    step=1,
    lane="triggered",
    class_="marketing",
    purpose="marketing",
    attempts=2,
    checks=("the address is not suppressed",),
    todo="Nobody sends it again.",
    reason=MailReason(
        decision=ID,
        state="unknown",
        reason="",
        detail="",
        cause="entered Shopper.browsing",
        at=START,
        text="unknown: nobody can know",
        moves=(Happened(START, "in_flight"), Happened(START, "unknown: the line was lost")),
        outcomes=(Happened(START + 1_000, "clicked"),),
        provider="smtp",
        provider_id="A1B2",
    ),
)


def house(**answers: Any) -> ToldHouse:
    told: dict[str, Any] = {
        "campaigns": [msgspec.structs.replace(REMINDER, by_state={"unknown": 3, "sent": 7})],
        "deliveries": [delivery("unknown")],
        "broadcasts": [],
        "mail_story": STORY,
        "mail": None,
    }
    return ToldHouse(**{**told, **answers})


def test_the_story_tells_moves_outcomes_checks_and_who_took_it() -> None:
    text = Browser(house()).get(f"/mails/{ID}").text
    assert "unknown: nobody can know" in text
    assert "in flight" in text and "in_flight" not in text
    assert "unknown: the line was lost" in text
    assert "<td>clicked</td>" in text
    assert "smtp, which calls it <code>A1B2</code>" in text
    assert "the address is not suppressed" in text
    assert "Nobody sends it again." in text
    assert "still &lt;thinking&gt;" in text
    assert f'href="/people/{PERSON}"' in text


def test_a_kept_mail_leads_to_what_it_says_and_another_to_its_like() -> None:
    assert f'href="/mailbox/{ID}"' in Browser(house(mail=_shown())).get(f"/mails/{ID}").text
    assert "Others in this state" in Browser(house()).get(f"/mails/{ID}").text


def test_a_mail_that_nothing_was_told_of_says_what_would_be_there() -> None:
    quiet = msgspec.structs.replace(STORY, reason=msgspec.structs.replace(STORY.reason, outcomes=()), todo="")
    assert "Nothing was told of it yet" in Browser(house(mail_story=quiet)).get(f"/mails/{ID}").text


def test_a_mail_that_is_not_there_is_said_so() -> None:
    answer = Browser(house(mail_story=None)).get("/mails/nothing")
    assert answer.status_code == 404
    assert "/mails lists mails by state" in answer.text


def test_the_list_counts_states_and_links_each_mail() -> None:
    text = Browser(house()).get("/mails").text
    assert ">unknown 3</a>" in text and ">sent 7</a>" in text
    assert f'href="/mails/{delivery("unknown").decision.id.hex()}"' in text
    assert "It is never sent again" in text


def test_what_is_asked_for_is_what_the_ledger_is_asked() -> None:
    asked: list[Any] = []

    def deliveries(*told: Any) -> list[Any]:
        asked.append(told)
        return []

    text = Browser(house(deliveries=deliveries)).get("/mails?state=held&campaign=reminder&limit=5").text
    assert asked == [(None, "reminder", "held", 5)]
    assert "No mail is held now in reminder" in text
    assert Browser(house()).get("/mails?state=lost").status_code == 400


def test_skipped_mails_say_what_to_do_by_reason_and_more_can_be_asked_for() -> None:
    skipped = msgspec.structs.replace(delivery("skipped"), reason="no_address", detail="")
    text = Browser(house(deliveries=[skipped])).get("/mails?state=skipped&limit=1").text
    assert "no address that a secret key made sendable</dt>" in text
    assert "Show up to 4" in text


def test_broadcasts_that_wait_for_approval_are_listed() -> None:
    waits = AskedBroadcast(
        id=bytes(16), campaign="letter", message_id="b1", asked_at=START, asked_by="ada", people=1_200
    )
    text = Browser(house(broadcasts=[waits])).get("/mails").text
    assert "wait for approval" in text and "1,200 people" in text


def saying(state: State) -> tuple[Browser, list[Any]]:
    """Return a browser before a house with one mail in a state, and what is said there."""
    said: list[Any] = []
    told = msgspec.structs.replace(STORY, reason=msgspec.structs.replace(STORY.reason, state=state))
    one = delivery(state)
    return Browser(house(mail_story=told, deliveries=[one], say=lambda *asked: said.append(asked) or [])), said


def test_somebody_can_say_what_became_of_an_unknown_mail() -> None:
    browser, said = saying("unknown")
    text = browser.get(f"/mails/{ID}").text
    assert "It was sent</button>" in text and "It was not sent</button>" in text and "Let it go out" not in text
    assert browser.post(f"/mails/{ID}", {"verdict": "sent", "note": "in its log"}).status_code == 200
    assert said == [([bytes.fromhex(ID)], "sent", "console", "in its log")]
    assert browser.post(f"/mails/{ID}", {"verdict": "again"}).status_code == 400
    assert "</button>" not in saying("sent")[0].get(f"/mails/{ID}").text.partition("<main")[2]


def test_held_mails_go_out_or_are_dropped_by_one_form() -> None:
    browser, said = saying("held")
    assert "Let it go out</button>" in browser.get(f"/mails/{ID}").text
    text = browser.get("/mails?state=held").text
    listed = delivery("held").decision.id
    assert f'name="ids" value="{listed.hex()}"' in text and "Let it go out</button>" in text
    assert browser.post("/mails?state=held", {"verdict": "release", "ids": f"{listed.hex()},{ID}"}).status_code == 200
    assert said == [([listed, bytes.fromhex(ID)], "release", "console", "")]
    assert browser.post("/mails?state=held", {"verdict": "sent", "ids": ID}).status_code == 400
    assert browser.post("/mails?state=held", {"verdict": "drop", "ids": "../.."}).status_code == 400
    assert "Drop" not in browser.get("/mails").text.partition("<main")[2]
