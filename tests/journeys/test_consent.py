"""No mail against a person's wish: consent missing, given, withdrawn at every moment, and what needs none."""

import asyncio
from urllib.parse import urlsplit

import httpx
import msgspec
from shop import AccountOpened, ParcelSent, ProductViewed, TopicFollowed, browse_reminder, greeting, tea_letter
from starlette.applications import Starlette

from livepost import days, hours
from livepost.api.hits import hit_routes
from livepost.api.mail import mail_routes
from livepost.testing import Rehearsal

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
NO_CONSENT = "no mail: no consent for this purpose, marketing: never given"
WITHDRAWN = "no mail: no consent for this purpose, marketing: withdrawn or refused"


def ask(shop: Rehearsal, method: str, link: str, **headers: str) -> httpx.Response:
    """Follow a link of a mail, as a mailbox does."""

    async def send() -> httpx.Response:
        desk = msgspec.structs.replace(shop.house.desk(), rest=lambda _: asyncio.sleep(0))
        transport = httpx.ASGITransport(Starlette(routes=[*mail_routes(desk), *hit_routes(desk)]))
        async with httpx.AsyncClient(transport=transport, base_url="http://shop.example") as mailbox:
            return await mailbox.request(method, urlsplit(link).path, headers=headers)

    return asyncio.run(send())


def test_without_consent_there_is_no_mail(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com")
    shop.happens(AccountOpened(person="ada"))
    assert shop.outbox == []
    assert shop.why("ada", greeting).startswith(NO_CONSENT)


def test_consent_to_something_else_is_none(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows=["orders", "analytics"])
    shop.happens(AccountOpened(person="ada"))
    assert shop.outbox == []
    assert shop.person("ada").consents == {"orders": True, "analytics": True}


def test_consent_given_while_a_journey_waits_is_in_time(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com")
    shop.happens(*[ProductViewed(person="ada", product_id=product) for product in ("tea", "pot", "cup")])
    assert "as things stand it will be skipped: no consent for this purpose" in shop.why("ada", browse_reminder)
    shop.wait(hours(1))
    shop.consents("ada", "marketing")
    shop.wait(hours(1))
    assert [mail.campaign for mail in shop.outbox] == ["browse_reminder"]


def test_consent_given_later_brings_no_mail_back_but_counts_from_then_on(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com")
    shop.happens(TopicFollowed(person="ada", topic="tea"))
    shop.wait(days(8))
    shop.consents("ada", "marketing")
    assert shop.outbox == []
    shop.happens(TopicFollowed(person="ada", topic="tea"))
    assert [mail.campaign for mail in shop.outbox] == ["tea_letter"]
    text = shop.why("ada", tea_letter)
    assert text.startswith("sent: Topic Followed happened")
    assert NO_CONSENT in text


def test_consent_withdrawn_while_a_journey_waits_stops_it(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    shop.happens(*[ProductViewed(person="ada", product_id=product) for product in ("tea", "pot", "cup")])
    shop.wait(hours(1))
    shop.withdraw("ada", "marketing")
    shop.wait(hours(2))
    assert shop.outbox == []
    assert shop.why("ada", browse_reminder).startswith(WITHDRAWN)


def test_a_withdrawal_that_only_the_ledger_knows_stops_a_mail_that_was_decided(shop: Rehearsal) -> None:
    """Between decision and send the ledger's own record counts: the log's echo may still be under way."""
    shop.knows("ada", email="ada@example.com", allows="marketing")
    shop.house.ledger.withdraw(shop.house.subject("ada") or b"", "marketing", shop.clock.now_ms(), "one-click")
    shop.happens(AccountOpened(person="ada"))
    assert shop.outbox == []
    assert shop.why("ada", greeting).startswith("no mail: no consent for this purpose")
    assert shop.person("ada").consents == {"marketing": True}


def test_a_click_on_unsubscribe_is_honoured_at_once_and_reaches_the_engine(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    shop.happens(AccountOpened(person="ada"))
    link = shop.outbox[0].headers["List-Unsubscribe"].strip("<>")
    assert ask(shop, "POST", link).status_code == 200
    assert shop.person("ada").consents == {"marketing": False}
    shop.happens(TopicFollowed(person="ada", topic="tea"))
    assert [mail.campaign for mail in shop.outbox] == ["greeting"]
    assert shop.why("ada", tea_letter).startswith(WITHDRAWN)


def test_a_scanner_that_fetches_the_link_decides_nothing(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    shop.happens(AccountOpened(person="ada"))
    link = shop.outbox[0].headers["List-Unsubscribe"].strip("<>")
    assert ask(shop, "GET", link).status_code == 200
    assert shop.person("ada").consents == {"marketing": True}
    shop.happens(TopicFollowed(person="ada", topic="tea"))
    assert len(shop.outbox) == 2


def test_a_click_leads_on_and_is_an_event_of_the_person_and_not_of_a_machine(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    shop.happens(AccountOpened(person="ada"))
    shop.wait(hours(1))
    link = shop.outbox[0].html.split('href="')[1].split('"')[0]
    for agent, folded in ((BROWSER, 1), ("Barracuda Sentinel (EE)", 0)):
        before = shop.house.fates()["processed"]
        answer = ask(shop, "GET", link, **{"User-Agent": agent})
        assert (answer.status_code, answer.headers["location"]) == (302, "https://tea.example/")
        assert shop.house.fates()["processed"] == before + folded


def test_consent_given_anew_after_a_withdrawal_counts(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    shop.withdraw("ada", "marketing")
    shop.wait(hours(1))
    shop.consents("ada", "marketing")
    shop.happens(AccountOpened(person="ada"))
    assert len(shop.outbox) == 1


def test_a_withdrawal_at_the_moment_of_the_grant_wins(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    shop.withdraw("ada", "marketing")
    shop.happens(AccountOpened(person="ada"))
    assert shop.outbox == []


def test_what_belongs_to_an_order_needs_no_consent_and_has_no_one_click_header(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com")
    shop.happens(ParcelSent(person="ada", parcel_id="1"))
    (mail,) = shop.outbox
    assert mail.campaign == "parcel_on_its_way"
    assert "List-Unsubscribe" not in mail.headers
