"""The mail that a person would get now."""

from __future__ import annotations

from typing import Any

from livepost.deliver.mail import NotMade
from livepost.errors import RejectedError
from livepost.ledger.base import KnownSend
from livepost.model.message import RenderedMail
from livepost.ops.why import CampaignReason, PersonReason
from tests.unit.console.shop import delivery
from tests.unit.console.test_mailbox import ADA, CAMPAIGN, PERSON
from tests.unit.console.told import START, Browser, ToldHouse

MAIL = RenderedMail(subject="Still <thinking>?", html="<p>Hello Ada</p>", text="Hello Ada, in text")
REASONS = PersonReason(
    person=PERSON,
    as_of=START,
    consents={},
    segments=(),
    campaigns=(
        CampaignReason(campaign="browse_reminder", state="waiting", text="not yet: entered Shopper.browsing"),
        CampaignReason(campaign="sends", state="sent", text="sent: asked for over HTTP"),
    ),
    text="ada",
)


def _browser(**answers: Any) -> Browser:
    told = {"campaigns": [CAMPAIGN], "person": ADA, "reasons": REASONS, "preview": MAIL, **answers}
    return Browser(ToldHouse(**told))


def test_without_a_person_the_page_says_whom_to_name() -> None:
    text = _browser().get("/preview").text
    assert "name one by a userId" in text and "Nothing is sent" in text


def test_a_person_is_shown_where_each_campaign_of_the_project_stands() -> None:
    text = _browser().get("/preview?person=ada").text
    assert "not yet: entered Shopper.browsing" in text
    assert f"/preview?person={PERSON}&amp;campaign=browse_reminder" in text
    assert "asked for over HTTP" not in text  # no campaign of the project: nothing can be made of it
    assert "<iframe" not in text


def test_the_mail_it_would_be_is_shown_in_a_frame() -> None:
    asked: list[Any] = []
    browser = _browser(preview=lambda *which: asked.append(which[:2]) or MAIL)
    text = browser.get("/preview?person=ada&campaign=browse_reminder").text
    for words in ("Still &lt;thinking&gt;?", "Hello Ada, in text", "not yet: entered", 'class="mail desktop" sandbox'):
        assert words in text, words
    assert f'src="/preview/html?person={PERSON}&amp;campaign=browse_reminder"' in text
    assert asked == [(ADA, "browse_reminder")]
    assert 'class="mail phone"' in browser.get("/preview?person=ada&campaign=browse_reminder&width=phone").text


def test_the_frame_has_the_rules_of_a_kept_mails_frame() -> None:
    browser = _browser()
    answer = browser.get("/preview/html?person=ada&campaign=browse_reminder")
    assert answer.text == "<p>Hello Ada</p>"
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    alone = browser.get("/preview/html?person=ada&campaign=browse_reminder", **{"sec-fetch-dest": "document"})
    assert alone.headers["location"] == "/preview?person=ada&campaign=browse_reminder"


def test_a_mail_that_cannot_be_made_is_said_with_the_reason() -> None:
    browser = _browser(preview=NotMade("render", "the template needs last_product"))
    text = browser.get("/preview?person=ada&campaign=browse_reminder").text
    assert "the mail could not be made, the template needs last_product" in text
    assert "<iframe" not in text
    assert browser.get("/preview/html?person=ada&campaign=browse_reminder").text == ""


def test_a_campaign_that_is_not_the_projects_is_a_page_that_helps() -> None:
    for path in ("/preview", "/preview/html"):
        answer = _browser().get(f"{path}?person=ada&campaign=sends")
        assert answer.status_code == 404
        assert "Expected a campaign of this project (browse_reminder), got sends" in answer.text


def test_nobody_of_that_name_is_a_page_that_helps() -> None:
    assert _browser(person=None).get("/preview?person=nobody").status_code == 404


def test_a_project_without_a_campaign_says_so() -> None:
    empty = PersonReason(person=PERSON, as_of=START, consents={}, segments=(), campaigns=(), text="ada")
    assert "The project has no campaign" in _browser(campaigns=[], reasons=empty).get("/preview?person=ada").text


ASKED = "/preview?person=ada&campaign=browse_reminder"
FORM = {"to": "grace@example.com", "once": "0123456789abcdef"}


def test_a_test_is_sent_by_a_form_and_leads_to_its_story() -> None:
    asked: list[Any] = []
    known = KnownSend(body=b"", delivery=delivery("pending"), new=True)
    browser = _browser(test_send=lambda *told: asked.append(told[:5]) or known)
    text = browser.post(ASKED, FORM).text
    assert asked == [(ADA, "browse_reminder", FORM["to"], "console", f"{FORM['once']} {FORM['to']}")]
    assert f'href="/mails/{known.delivery.decision.id.hex()}"' in text
    assert 'value="grace@example.com"' in text
    assert browser.post(ASKED, FORM, origin="http://elsewhere.example").status_code == 403


def test_a_test_that_is_refused_says_why_and_one_without_a_campaign_is_none() -> None:
    browser = _browser(test_send=RejectedError("expected an <address>", code="unfit", status=422))
    assert "Nothing was sent: expected an &lt;address&gt;." in browser.post(ASKED, FORM).text
    assert browser.post("/preview?person=ada", FORM).status_code == 200
    assert browser.post(ASKED, {**FORM, "once": "x"}).status_code == 400
