"""Previews over HTTP: the mail that would be sent, without sending anything."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from livepost.model.record import Kind, Record
from tests.unit.api.house import START, WRITE, Asked

PAGE = """
from livepost import Email, Event, Identified, Profile, campaign, count, days, hours, latest, segment

class Viewed(Event):
    product: str

class Visitor(Profile):
    first_name = latest(Identified.first_name)
    last_product = latest(Viewed.product)
    views_7d = count(Viewed, over=days(7))
    keen = segment(views_7d >= 2)
    fond = segment(views_7d >= 9)

@campaign(audience=Visitor.fond, cap=None)
def thanks(visitor):
    return Email("note", subject="Nine looks, {{ first_name }}", product=visitor.nothing)

@campaign(audience=Visitor.keen, wait=hours(2), cap=None)
def nudge(visitor):
    return Email("note", subject="{{ last_product }}, {{ first_name | default: 'friend' }}?",
                 preheader="Still {{ last_product }}", product=visitor.last_product)
"""
NOTE = (
    "<mjml><mj-body><mj-section><mj-column><mj-text>You saw {{ product }}. "
    '<a href="https://shop.example/p">Look</a> <a href="javascript:x()">Bad</a> '
    '<a href="{{ unsubscribe_url }}">Unsubscribe</a></mj-text></mj-column></mj-section></mj-body></mjml>'
)


@pytest.fixture
def looking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    """A house with a campaign that waits two hours; it knows ada, who looked at two products, and bob."""
    monkeypatch.setattr("tests.unit.api.house.NOTE", NOTE)
    made = Asked(tmp_path, PAGE)
    made.knows("ada")
    made.knows("bob")
    made.views("ada", "tea", "pot")
    yield made
    made.house.close()


def test_the_next_mail_is_told_as_it_would_read_now(looking: Asked) -> None:
    told = looking.ask("/api/people/ada/preview").json()
    assert (told["campaign"], told["state"], told["due"]) == ("nudge", "waiting", START + 2 * 3_600_000)
    assert (told["subject"], told["preheader"], told["problem"]) == ("pot, Ada?", "Still pot", None)
    assert "You saw pot." in told["html"] and "You saw pot." in told["text_body"]
    [reason] = looking.ask("/api/people/ada/why?campaign=nudge").json()["campaigns"]
    assert told["text"] == reason["text"]
    looking.views("ada", "cup")
    assert looking.ask("/api/people/ada/preview").json()["subject"] == "cup, Ada?"


def test_a_previews_links_are_not_tracked_and_unsubscribe_nobody(looking: Asked) -> None:
    html = looking.ask("/api/people/ada/preview").json()["html"]
    assert 'href="https://shop.example/p"' in html
    assert html.count('href="#"') == 2  # unsubscribe, and the scheme that a mail has no use for
    assert "/c/" not in html and "/u/" not in html and "javascript" not in html


def test_the_mail_that_is_sent_has_both_so_their_absence_is_not_for_want_of_links(looking: Asked) -> None:
    looking.house.advance(2 * 3_600_000)
    [message] = looking.house.keep.mails
    html = message_from_bytes(message.raw, policy=policy.SMTP).get_body(("html",)).get_content()
    assert "/c/" in html and "/u/" in html and 'href="https://shop.example/p"' not in html


def test_asking_for_it_sends_nothing_and_writes_nothing(looking: Asked) -> None:
    before = looking.house.log.last()
    looking.ask("/api/people/ada/preview")
    looking.ask("/api/people/bob/preview?campaign=nudge")
    assert looking.house.log.last() == before
    assert looking.house.keep.mails == []
    assert looking.house.ledger.deliveries() == []


def test_after_it_was_sent_the_state_says_so(looking: Asked) -> None:
    looking.house.advance(2 * 3_600_000)
    told = looking.ask("/api/people/ada/preview").json()
    assert (told["campaign"], told["state"], told["due"]) == ("nudge", "sent", None)


def test_for_somebody_far_from_any_mail_the_nearest_is_told_with_what_is_missing(looking: Asked) -> None:
    told = looking.ask("/api/people/bob/preview?campaign=nudge").json()
    assert (told["state"], told["due"], told["subject"]) == ("none", None, ", Bob?")
    assert told["text"] == "no mail: not in keen: views_7d is 0, needs >= 2"


def test_somebody_without_name_and_address_has_a_preview_too(looking: Asked) -> None:
    looking.tell({"type": "track", "event": "Viewed", "anonymousId": "browser", "properties": {"product": "jam"}})
    told = looking.ask("/api/people/browser/preview?campaign=nudge").json()
    assert (told["subject"], told["problem"]) == ("jam, friend?", None)


def test_a_mail_that_cannot_be_made_says_why_and_says_nothing_else(looking: Asked) -> None:
    told = looking.ask("/api/people/ada/preview?campaign=thanks").json()
    assert told["problem"].startswith("the mail could not be made, ")
    assert (told["subject"], told["html"], told["text_body"]) == ("", "", "")


def test_it_is_refused_for_nobody_for_no_campaign_and_without_a_secret_key(looking: Asked) -> None:
    assert looking.ask("/api/people/nobody/preview").json()["code"] == "nobody"
    reply = looking.ask("/api/people/ada/preview?campaign=nudges")
    assert (reply.status_code, reply.json()["code"]) == (404, "no_campaign")
    assert looking.ask("/api/people/ada/preview", key=WRITE).status_code == 403


@pytest.mark.parametrize("path", ["/api/people/ada/preview", "/api/people/ada/why"])
def test_it_waits_for_ones_own_write_as_people_do(looking: Asked, path: str) -> None:
    last = looking.house.log.last().seq
    assert looking.ask(f"{path}?wait={last}").status_code == 200
    assert looking.ask(f"{path}?wait={last + 1}").json()["code"] == "position"
    looking.house.log.append([Record(kind=Kind.TICK)])
    assert looking.ask(f"{path}?wait={last + 1}").status_code == 503
