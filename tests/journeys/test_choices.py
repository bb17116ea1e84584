"""What people choose is kept: topics, how often, by page and by event; each with what goes where nobody chose."""

import asyncio
import html
import re
from urllib.parse import urlencode

import httpx
import pytest
from shop import AccountOpened, ParcelSent, TopicFollowed, greeting, parcel_on_its_way, tea_letter
from starlette.applications import Starlette

from livepost import days, hours
from livepost.api.preferences import preference_routes
from livepost.deliver.token import Preferences, Tokens, Unsubscribe
from livepost.testing import Rehearsal

OFF = "no mail: they switched the topic off"


def ask(shop: Rehearsal, method: str, path: str, body: str = "", **headers: str) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=preference_routes(shop.house.desk())))
        async with httpx.AsyncClient(transport=transport, base_url="http://shop.example") as browser:
            return await browser.request(method, path, content=body, headers=headers)

    return asyncio.run(send())


def page_of(shop: Rehearsal, person: str) -> str:
    """Return the path of the page behind the newest mail's link."""
    tokens = Tokens(shop.house.vault.secret("tokens"))
    subject = shop.house.subject(person) or b""
    [delivery] = shop.house.ledger.deliveries(person=subject, limit=1)
    return f"/preferences/{tokens.preferences(Preferences(delivery.decision.id, subject, 'marketing'))}"


def form_in(page: str, **changed: str | list[str]) -> str:
    """Return the page's form as a browser sends it, with fields changed."""
    fields: dict[str, str | list[str]] = {
        "whole": "yes",
        "shown": [html.unescape(key) for key in re.findall(r'name="shown" value="([^"]+)"', page)],
        "yes": [html.unescape(key) for key in re.findall(r'name="yes" value="([^"]+)" checked', page)],
        "frequency": [html.unescape(key) for key in re.findall(r'name="frequency" value="([^"]*)" checked', page)],
    }
    return urlencode(fields | changed, doseq=True)


def welcomed(shop: Rehearsal) -> str:
    shop.knows("ada", email="ada@example.com", allows="marketing")
    shop.happens(AccountOpened(person="ada"))
    return page_of(shop, "ada")


def follow(shop: Rehearsal, person: str = "ada") -> None:
    shop.happens(TopicFollowed(person=person, topic="tea"))


def sent(shop: Rehearsal) -> list[str]:
    return [mail.campaign for mail in shop.outbox]


def test_a_form_sent_as_it_came_changes_nothing(shop: Rehearsal) -> None:
    path = welcomed(shop)
    before = shop.house.fates()["accepted"]
    reply = ask(shop, "POST", path, form_in(ask(shop, "GET", path).text))
    assert reply.status_code == 200
    assert shop.house.fates()["accepted"] == before
    follow(shop)
    assert sent(shop) == ["greeting", "tea_letter"]


def test_a_topic_switched_off_stops_its_mails_and_no_others(shop: Rehearsal) -> None:
    path = welcomed(shop)
    ask(shop, "POST", path, form_in(ask(shop, "GET", path).text, yes=["marketing", "topic:reminders"]))
    follow(shop)
    shop.happens(ParcelSent(person="ada", parcel_id="1"))
    assert sent(shop) == ["greeting", "parcel_on_its_way"]
    assert shop.why("ada", tea_letter).startswith(OFF)
    assert shop.person("ada").consents == {"marketing": True, "topic:letters": False}
    assert 'value="topic:letters">' in ask(shop, "GET", path).text
    assert 'value="topic:reminders" checked>' in ask(shop, "GET", path).text


def test_a_topic_switched_on_again_brings_its_mails_back(shop: Rehearsal) -> None:
    path = welcomed(shop)
    page = ask(shop, "GET", path).text
    ask(shop, "POST", path, form_in(page, yes="marketing"))
    shop.wait(hours(1))
    ask(shop, "POST", path, form_in(page))
    follow(shop)
    assert sent(shop) == ["greeting", "tea_letter"]


def test_a_topic_that_only_the_ledger_knows_to_be_off_stops_a_mail_that_was_decided(shop: Rehearsal) -> None:
    welcomed(shop)
    ada = shop.house.subject("ada") or b""
    shop.house.ledger.choose(ada, {"topic:letters": False}, shop.clock.now_ms(), "preferences", "", "")
    follow(shop)
    assert sent(shop) == ["greeting"]
    assert shop.why("ada", tea_letter).startswith(OFF)
    assert shop.person("ada").consents == {"marketing": True}


def test_a_topic_can_be_told_by_the_shops_server(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", allows="marketing", topics={"letters": False})
    shop.knows("ben", email="ben@example.com", allows="marketing", topics={"letters": True})
    follow(shop, "ada")
    follow(shop, "ben")
    assert [mail.person for mail in shop.outbox] == ["ben"]


def test_nobody_who_did_not_consent_gets_mail_by_choosing_a_topic(shop: Rehearsal) -> None:
    shop.knows("ada", email="ada@example.com", topics={"letters": True})
    follow(shop)
    assert sent(shop) == []
    assert shop.why("ada", tea_letter).startswith("no mail: no consent for this purpose")


def test_one_mail_a_week_is_one_mail_a_week_of_all_marketing(shop: Rehearsal) -> None:
    path = welcomed(shop)
    ask(shop, "POST", path, form_in(ask(shop, "GET", path).text, frequency="frequency:1 per 7d"))
    follow(shop)
    shop.happens(ParcelSent(person="ada", parcel_id="1"))
    assert sent(shop) == ["greeting", "parcel_on_its_way"]
    assert shop.why("ada", tea_letter).startswith("no mail: they want mails less often")
    shop.wait(days(8))
    follow(shop)
    assert sent(shop) == ["greeting", "parcel_on_its_way", "tea_letter"]
    assert 'value="frequency:1 per 7d" checked>' in ask(shop, "GET", path).text


def test_any_number_again_is_any_number(shop: Rehearsal) -> None:
    path = welcomed(shop)
    page = ask(shop, "GET", path).text
    ask(shop, "POST", path, form_in(page, frequency="frequency:1 per 30d"))
    shop.wait(hours(1))
    ask(shop, "POST", path, form_in(page, frequency=""))
    follow(shop)
    assert sent(shop) == ["greeting", "tea_letter"]


def test_stopping_all_is_the_withdrawal_of_the_purpose_and_saying_yes_again_takes_it_back(shop: Rehearsal) -> None:
    path = welcomed(shop)
    page = ask(shop, "GET", path).text
    ask(shop, "POST", path, form_in(page, stop="all"))
    follow(shop)
    assert sent(shop) == ["greeting"]
    assert shop.person("ada").consents["marketing"] is False
    shop.wait(hours(1))
    ask(shop, "POST", path, form_in(page))
    shop.wait(days(8))
    follow(shop)
    assert sent(shop) == ["greeting", "tea_letter"]


@pytest.mark.parametrize("agent", ["Barracuda/1.0", "Mozilla/5.0 (compatible; Proofpoint)", "GoogleImageProxy", ""])
def test_a_scanner_that_fetches_the_page_changes_nothing(shop: Rehearsal, agent: str) -> None:
    path = welcomed(shop)
    before = shop.house.fates()["accepted"]
    for method in ("GET", "HEAD"):
        assert ask(shop, method, path, **{"User-Agent": agent}).status_code == 200
    assert shop.house.fates()["accepted"] == before
    assert shop.house.ledger.proofs(shop.house.subject("ada") or b"")[0].how == "event"


def test_a_form_that_is_not_whole_changes_nothing(shop: Rehearsal) -> None:
    path = welcomed(shop)
    page = ask(shop, "GET", path).text
    for body in ("", "stop=all", "List-Unsubscribe=One-Click", form_in(page) + "&x=" + "x" * 20_000, "\xff"):
        assert ask(shop, "POST", path, body).status_code == 400
    follow(shop)
    assert sent(shop) == ["greeting", "tea_letter"]


def test_an_unsubscribe_token_opens_no_preferences_nor_the_other_way_round(shop: Rehearsal) -> None:
    path = welcomed(shop)
    subject = shop.house.subject("ada") or b""
    tokens = Tokens(shop.house.vault.secret("tokens"))
    other = tokens.unsubscribe(Unsubscribe(b"d" * 16, subject, "marketing"))
    for method in ("GET", "POST"):
        assert ask(shop, method, f"/preferences/{other}").status_code == 404
    assert ask(shop, "GET", path).status_code == 200


def test_a_person_who_was_forgotten_is_told_so(shop: Rehearsal) -> None:
    path = welcomed(shop)
    shop.house.vault.forget([shop.house.subject("ada") or b""])
    assert (ask(shop, "GET", path).status_code, ask(shop, "POST", path, "x=1").status_code) == (410, 410)
    assert "was erased" in ask(shop, "GET", path).text


def test_what_one_switched_off_is_off_for_both_who_turn_out_to_be_one(shop: Rehearsal) -> None:
    """Whatever came later: of a choice the stricter word counts."""
    shop.knows("ada", email="ada@example.com", allows="marketing", topics={"letters": False})
    shop.wait(hours(1))
    shop.knows("bea", email="ada@example.com", allows="marketing", topics={"letters": True})
    shop.alias("bea", "ada")
    follow(shop, "bea")
    assert sent(shop) == []
    shop.wait(days(8))
    shop.chooses("bea", topics={"letters": True})
    follow(shop, "bea")
    assert sent(shop) == ["tea_letter"]


def test_the_page_speaks_the_browsers_language(shop: Rehearsal) -> None:
    path = welcomed(shop)
    german = ask(shop, "GET", path, **{"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}).text
    assert '<html lang="de" dir="ltr">' in german
    assert "Ihre Mails von The Tea House" in german
    assert '<html lang="ar" dir="rtl">' in ask(shop, "GET", path, **{"Accept-Language": "ar"}).text
    assert '<html lang="en" dir="ltr">' in ask(shop, "GET", path, **{"Accept-Language": "sv"}).text


def test_a_rehearsal_can_choose(shop: Rehearsal) -> None:
    welcomed(shop)
    shop.chooses("ada", frequency="1 per 1d")
    follow(shop)
    shop.wait(days(8))
    shop.chooses("ada", frequency="")
    follow(shop)
    assert sent(shop) == ["greeting", "tea_letter"]
    assert shop.why("ada", greeting).startswith("sent: ")
    assert shop.why("ada", parcel_on_its_way).startswith("no mail: Parcel Sent has not happened")
