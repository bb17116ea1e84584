"""Kept mails on pages."""

from __future__ import annotations

from typing import Any

import pytest

from livepost.console.app import FRAMES
from livepost.console.mailbox import SHOWN_CHARS
from livepost.errors import StoreError
from livepost.model.person import PersonView
from livepost.model.standing import CampaignStanding
from livepost.ops.mailbox import MailLine, MailPage, MailShown
from livepost.ops.why import Happened, MailReason
from tests.unit.console.told import ORIGIN, START, Browser, ToldHouse

ID = "ab" * 16
PERSON = "cd" * 16
LINE = MailLine(
    id=ID,
    person=PERSON,
    at=START,
    kept_at=START + 1,
    to="ada@example.com",
    subject="Still <thinking>?",
    campaign="browse_reminder",
    state="sent",
)
REASON = MailReason(
    decision=ID,
    state="sent",
    reason="",
    detail="",
    cause="entered Shopper.browsing",
    at=START,
    text="sent: entered Shopper.browsing, decided yesterday",
    moves=(Happened(START, "pending"), Happened(START, "in_flight")),
)
ADA = PersonView(
    person=bytes.fromhex(PERSON),
    subjects=(bytes.fromhex(PERSON), bytes(16)),
    position=7,
    as_of=START,
    features={},
    sealed={},
    memberships=(),
    journeys=(),
    consents={},
    next_due=None,
)
CAMPAIGN = CampaignStanding(
    campaign="browse_reminder",
    declared=True,
    entered=1,
    waiting=0,
    by_state={},
    by_reason={},
    sent=1,
    clicked=0,
    held_out=0,
)


def _shown(**changes: Any) -> MailShown:
    told = {
        **{name: getattr(LINE, name) for name in MailLine.__struct_fields__},
        "headers": [("From", "Shop <shop@example.com>"), ("To", "ada@example.com"), ("Message-ID", "<1@example.com>")],
        "text": "Hello Ada",
        "html": "<p>Hello <b>Ada</b></p>",
        "raw": b"From: Shop\r\n\r\nHello Ada",
        "reason": REASON,
        **changes,
    }
    return MailShown(**told)


def _page(*mails: MailLine, older: str | None = None) -> MailPage:
    return MailPage(mails=list(mails), older=older, looked_at=123)


def _browser(**answers: Any) -> Browser:
    told = {"keeps_mails": True, "campaigns": [CAMPAIGN], "mails": _page(LINE), "mail": _shown(), **answers}
    return Browser(ToldHouse(**told))


def test_the_list_tells_when_to_whom_what_for_which_campaign_and_what_became_of_it() -> None:
    text = _browser().get("/mailbox").text
    told = ("2026-01-05 09:00:00 UTC", "ada@example.com", "Still &lt;thinking&gt;?", f'href="/mailbox/{ID}"', ">sent<")
    for words in (*told, f'href="/people/{PERSON}"', "campaign=browse_reminder"):
        assert words in text, words


def test_the_address_says_which_mails_are_shown() -> None:
    asked: list[Any] = []
    told = {"mails": lambda *which: asked.append(which) or _page(LINE), "person": ADA}
    _browser(**told).get("/mailbox?campaign=browse_reminder&person=ada&before=00000001-52")
    _browser(**told).get("/mailbox?campaign=&person=")
    assert asked == [(ADA.subjects, "browse_reminder", "00000001-52", 50), (None, None, None, 50)]


def test_older_mails_are_led_to_with_the_filter_that_holds() -> None:
    text = _browser(mails=_page(LINE, older="00000001-52"), person=ADA).get("/mailbox?person=ada").text
    assert f"/mailbox?person={PERSON}&amp;before=00000001-52" in text
    assert "Older mails" not in _browser().get("/mailbox").text


def test_nobody_of_that_name_is_a_page_that_helps() -> None:
    answer = _browser(person=None).get("/mailbox?person=nobody")
    assert answer.status_code == 404
    assert "Nobody is known as nobody" in answer.text and "anonymousId" in answer.text


def test_an_empty_mailbox_says_what_would_be_here() -> None:
    text = _browser(mails=_page()).get("/mailbox").text
    assert "Here will be every mail that is sent" in text and 'href="/campaigns"' in text


def test_a_filter_that_finds_nothing_says_how_many_were_looked_at() -> None:
    text = _browser(mails=_page(older="00000001-52")).get("/mailbox?campaign=another").text
    assert "None of the 123 kept mails looked at" in text
    assert "Older mails" in text


def test_where_mails_leave_by_smtp_the_page_says_so_and_leads_to_the_deliveries() -> None:
    text = _browser(keeps_mails=False, mails=_page()).get("/mailbox").text
    assert "Mails leave by SMTP" in text and 'href="/campaigns"' in text
    assert "Here will be every mail" not in text
    assert "Mails leave by SMTP" not in _browser().get("/mailbox").text


def test_a_mail_that_the_ledger_does_not_know_is_said() -> None:
    stray = MailLine(id=ID, person=PERSON, at=None, kept_at=START, to="a@b.example", subject="", campaign="", state="")
    assert "not in the ledger" in _browser(mails=_page(stray)).get("/mailbox").text
    assert "The ledger does not know this mail" in _browser(mail=_shown(reason=None)).get(f"/mailbox/{ID}").text


def test_a_mail_is_shown_with_what_people_read_and_why_it_was_sent() -> None:
    text = _browser().get(f"/mailbox/{ID}").text
    for words in ("Shop &lt;shop@example.com&gt;", REASON.text, "in flight", "Hello Ada", "&lt;1@example.com&gt;"):
        assert words in text, words
    assert f'<iframe class="mail desktop" sandbox src="/mailbox/{ID}/html"' in text
    assert "data-live" not in text


def test_the_width_is_in_the_address() -> None:
    assert 'class="mail phone"' in _browser().get(f"/mailbox/{ID}?width=phone").text
    assert f'href="/mailbox/{ID}?width=phone"' in _browser().get(f"/mailbox/{ID}").text
    assert _browser().get(f"/mailbox/{ID}?width=wall").status_code == 400


def test_a_mail_of_text_alone_has_no_frame() -> None:
    text = _browser(mail=_shown(html="")).get(f"/mailbox/{ID}").text
    assert "<iframe" not in text and "Hello Ada" in text


@pytest.mark.parametrize("length", [SHOWN_CHARS, SHOWN_CHARS + 1])
def test_a_long_source_is_cut_on_the_page_and_whole_in_the_file(length: int) -> None:
    browser = _browser(mail=_shown(raw=b"x" * length))
    text = browser.get(f"/mailbox/{ID}").text
    assert text.count("x" * SHOWN_CHARS) == 1 and "x" * (SHOWN_CHARS + 1) not in text
    assert ("Long parts are cut here" in text) == (length > SHOWN_CHARS)
    assert len(browser.get(f"/mailbox/{ID}/mail.eml").content) == length


def test_the_file_is_the_mail_byte_for_byte() -> None:
    answer = _browser().get(f"/mailbox/{ID}/mail.eml")
    assert answer.content == _shown().raw
    assert answer.headers["content-type"] == "message/rfc822"
    assert answer.headers["content-disposition"] == f'attachment; filename="{ID}.eml"'


def test_the_frame_sends_the_mails_own_html_and_fetches_nothing_for_it() -> None:
    answer = _browser().get(f"/mailbox/{ID}/html")
    assert answer.text == "<p>Hello <b>Ada</b></p>"
    policy = answer.headers["content-security-policy"]
    for rule in ("sandbox;", "default-src 'none'", "img-src data: cid:", "form-action 'none'"):
        assert rule in policy
    assert "script-src" not in policy and "allow-" not in policy


def test_a_page_frames_mails_of_this_host_and_nothing_else() -> None:
    policy = _browser().get(f"/mailbox/{ID}").headers["content-security-policy"]
    host = ORIGIN.partition("//")[2]
    assert FRAMES == ("/mailbox/", "/preview/html")
    assert policy.endswith(f"; frame-src {host}/mailbox/ {host}/preview/html")
    assert "'self'" not in policy.partition("frame-src")[2]


@pytest.mark.parametrize("host", ["a;script-src *", "a b", "a'", "[::1"])
def test_a_host_of_another_form_gets_no_frames(host: str) -> None:
    policy = _browser().get("/mailbox", host=host).headers.get("content-security-policy", "")
    assert policy.endswith("; frame-src 'none'")


def test_a_browser_that_wants_the_frame_by_itself_is_led_to_the_mail() -> None:
    answer = _browser().get(f"/mailbox/{ID}/html?width=phone", **{"sec-fetch-dest": "document"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/mailbox/{ID}?width=phone")
    assert _browser().get(f"/mailbox/{ID}/html", **{"sec-fetch-dest": "iframe"}).status_code == 200


@pytest.mark.parametrize("part", ["", "/html", "/mail.eml"])
def test_a_mail_that_is_not_kept_is_a_page_that_helps(part: str) -> None:
    answer = _browser(mail=None).get(f"/mailbox/{ID}{part}")
    assert answer.status_code == 404
    assert "No mail of this id is kept" in answer.text


@pytest.mark.parametrize("part", ["/html", "/mail.eml"])
def test_a_mail_needs_a_session(part: str) -> None:
    assert Browser(ToldHouse(), enters=False).get(f"/mailbox/{ID}{part}").status_code == 401


def test_a_mailbox_that_cannot_be_read_is_trouble_in_words() -> None:
    answer = _browser(mails=StoreError("the mailbox cannot be read")).get("/mailbox")
    assert answer.status_code == 503
    assert "the mailbox cannot be read" in answer.text


def test_a_page_that_is_not_live_does_not_promise_to_try_again() -> None:
    for path, tries_again in (("/mailbox", True), (f"/mailbox/{ID}", False)):
        text = _browser(mails=StoreError("no turn"), mail=StoreError("no turn")).get(path).text
        assert ("data-live" in text, "tries again by itself" in text) == (tries_again, tries_again)
        assert ("Reload the page" in text) != tries_again
