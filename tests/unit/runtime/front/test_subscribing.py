"""Double opt-in over the rooms that run live: asking gives nothing, only the POST behind the mail's link does."""

from __future__ import annotations

import asyncio
import email
import json
import re
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
from msgspec.structs import replace
from starlette.applications import Starlette

from livepost.api.mail import Offer
from livepost.api.subscribe import SubscribeDesk, subscribe_routes
from livepost.clock import DAY_MS, HOUR_MS
from livepost.errors import StoreError
from livepost.intake.plan import TrackingPlan
from livepost.intake.writer import Intake, Stores
from livepost.model.compiled import ADDRESS_FEATURE
from livepost.model.person import PersonView
from livepost.runtime.front.subscribing import (
    ASKS_PER_ADDRESS,
    ASKS_PER_ASKER,
    CONFIRM_MS,
    Subscribing,
)
from livepost.settings.settings import Settings
from livepost.vault.base import ANONYMOUS, ExternalId
from tests.unit.api.house import SECRET, WRITE, Asked

ADDRESS = "new@example.com"
SCANNERS = ["Barracuda/1.0", "Mozilla/5.0 (compatible; Proofpoint)", "GoogleImageProxy", "curl/8", ""]


class Door:
    """The house with a door for those who want mails."""

    def __init__(self, asked: Asked) -> None:
        self.asked, self.house = asked, asked.house
        stores = Stores(self.house.log, self.house.vault)
        self.intake = Intake(stores, TrackingPlan(self.house.project.compiled), workspace="shop", reopen=lambda: stores)
        offer = Offer(purposes=("marketing", "news"), topics={"tea": "Tea", "cake": "Cake"})
        self.desk = self.house.desk()
        subscribing = Subscribing(
            intake=self.intake,
            vault=lambda: self.house.vault,
            ledger=self.house.ledger,
            templates=lambda: self.templates,
            tokens=self.desk.tokens,
            clock=self.house.clock,
            workspace="shop",
            base_url=lambda: Settings().base_url,
            offer=lambda: offer,
            taken=lambda: None,
        )
        self.templates = {"confirm"}
        self.subscribing = subscribing
        desk = SubscribeDesk(
            desk=replace(self.desk, offer=lambda: offer),
            keys=asked,
            subscriptions=subscribing,
            confirmation=self.house.ledger.confirmation,
        )
        self.app = Starlette(routes=subscribe_routes(desk))

    def ask(
        self, method: str, path: str, body: bytes = b"", client: str = "192.0.2.1", **headers: str
    ) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app, client=(client, 1))
            async with httpx.AsyncClient(transport=transport, base_url="https://m.example") as browser:
                return await browser.request(method, path, content=body, headers=headers)

        reply = asyncio.run(send())
        self.house.advance(0)
        return reply

    def subscribe(self, client: str = "192.0.2.1", **told: Any) -> httpx.Response:
        wish = {"email": ADDRESS, "writeKey": WRITE, **told}
        return self.ask(
            "POST", "/v1/subscribe", json.dumps(wish).encode(), client, **{"Content-Type": "application/json"}
        )

    def mails(self) -> list[EmailMessage]:
        parsed = [email.message_from_bytes(mail.raw, policy=SMTP) for mail in self.house.keep.mails]
        return [mail for mail in parsed if isinstance(mail, EmailMessage)]

    def link(self) -> str:
        body = self.mails()[-1].get_body(("html",))
        assert body is not None
        [found] = set(re.findall(r'href="(http://localhost:8300/confirm/[^"]+)"', body.get_content()))
        return urlsplit(found).path

    def person(self) -> PersonView | None:
        name = "send-" + self.house.vault.blind("send address", ADDRESS).hex()
        found = self.house.vault.find(ExternalId(ANONYMOUS, name))
        return None if found is None else self.house.person(found.subject)

    def standing(self) -> dict[str, bool]:
        view = self.person()
        return {} if view is None else self.house.ledger.standing(view.person)


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    source = files("livepost.project") / "starter" / "templates" / "confirm.mjml"
    asked = Asked(tmp_path, also={"confirm.mjml": source.read_text()})
    yield Door(asked)
    asked.house.close()


def test_asking_brings_a_mail_and_nothing_else(door: Door) -> None:
    reply = door.subscribe()
    assert (reply.status_code, reply.json()) == (200, {"success": True})
    assert reply.headers["access-control-allow-origin"] == "*"
    [mail] = door.mails()
    assert (mail["To"], mail["Subject"]) == (ADDRESS, "Please confirm your address")
    assert "List-Unsubscribe" not in mail
    view = door.person()
    assert view is not None
    assert (ADDRESS_FEATURE in view.sealed, view.consents, door.standing()) == (False, {}, {})


@pytest.mark.parametrize("agent", SCANNERS)
def test_a_scanner_that_follows_the_link_confirms_nothing(door: Door, agent: str) -> None:
    door.subscribe()
    for method in ("GET", "HEAD"):
        assert door.ask(method, door.link(), **{"User-Agent": agent}).status_code == 200
    view = door.person()
    assert view is not None
    assert (ADDRESS_FEATURE in view.sealed, view.consents, door.standing()) == (False, {}, {})


def test_the_post_makes_the_address_sendable_and_gives_consent_with_its_proof(door: Door) -> None:
    door.subscribe(purpose="news")
    page = door.ask("GET", door.link(), **{"Accept-Language": "de"}).text
    assert "Möchten Sie Mails von Our shop?" in page
    reply = door.ask("POST", door.link(), **{"Accept-Language": "de"})
    assert (reply.status_code, "set-cookie" in reply.headers) == (200, False)
    view = door.person()
    assert view is not None
    assert (ADDRESS_FEATURE in view.sealed, view.consents) == (True, {"news": True})
    [proof] = door.house.ledger.proofs(view.person)
    assert (proof.how, proof.purpose, proof.channel, proof.allowed) == ("confirmation", "news", "email", True)
    words = json.loads(door.house.ledger.shown_words(proof.words))
    assert words["language"] == "de"
    assert words["page"][2] == "Ja, schreiben Sie mir"


def test_confirming_twice_is_harmless_and_does_not_take_an_unsubscribe_back(door: Door) -> None:
    door.subscribe()
    link = door.link()
    for _ in range(2):
        assert door.ask("POST", link).status_code == 200
    view = door.person()
    assert view is not None
    assert len(door.house.ledger.proofs(view.person)) == 1
    door.house.withdraw(view.person, "marketing")
    door.house.advance(HOUR_MS)
    assert door.ask("POST", link).status_code == 200
    assert door.standing() == {"marketing": False}


def test_topics_asked_for_are_wanted_and_others_are_not(door: Door) -> None:
    door.subscribe(topics=["tea"])
    door.ask("POST", door.link())
    assert door.standing() == {"marketing": True, "topic:cake": False}


def test_a_link_is_good_for_a_week(door: Door) -> None:
    door.subscribe()
    link = door.link()
    door.house.advance(CONFIRM_MS - 1)
    assert door.ask("GET", link).status_code == 200
    door.house.advance(1)
    for method in ("GET", "POST"):
        assert door.ask(method, link).status_code == 410
    assert door.standing() == {}


def test_a_link_of_another_kind_confirms_nothing(door: Door) -> None:
    door.subscribe()
    for path in ("/confirm/x", door.link()[:-3] + "AAA"):
        assert (door.ask("GET", path).status_code, door.ask("POST", path).status_code) == (404, 404)


def test_who_was_forgotten_is_told_so(door: Door) -> None:
    door.subscribe()
    view = door.person()
    assert view is not None
    door.house.vault.forget([view.person])
    assert door.ask("POST", door.link()).status_code == 410


def test_an_address_is_asked_three_times_a_day_at_most_and_the_answer_does_not_tell(door: Door) -> None:
    replies = [door.subscribe(client=f"192.0.2.{n}") for n in range(ASKS_PER_ADDRESS + 2)]
    assert {reply.status_code for reply in replies} == {200}
    assert len(door.mails()) == ASKS_PER_ADDRESS
    door.house.advance(DAY_MS)
    door.subscribe()
    assert len(door.mails()) == ASKS_PER_ADDRESS + 1


def test_one_asker_is_refused_after_so_many(door: Door) -> None:
    replies = [door.subscribe(email=f"n{n}@example.com").status_code for n in range(ASKS_PER_ASKER + 1)]
    assert replies == [200] * ASKS_PER_ASKER + [429]
    assert door.subscribe(client="192.0.2.9").status_code == 200


def test_a_suppressed_address_is_not_asked_and_the_answer_does_not_tell(door: Door) -> None:
    door.house.ledger.suppress(door.house.vault.blind("suppression", ADDRESS), "complained", 0)
    assert door.subscribe(email=ADDRESS.upper().replace("EXAMPLE.COM", "example.com")).status_code == 200
    assert door.mails() == []


@pytest.mark.parametrize(
    ("told", "status", "code"),
    [
        ({"writeKey": "x"}, 401, "invalid_key"),
        ({"email": "no address"}, 400, "bad_address"),
        ({"email": "a@b.c\r\nBcc: x@y.z"}, 400, "bad_address"),
        ({"purpose": "selling"}, 400, "unfit"),
        ({"topics": ["coffee"]}, 400, "unfit"),
        ({"userId": "ada"}, 400, "unfit"),
        ({"surplus": 1}, 400, "unreadable"),
        ({"topics": ["x" * 10_000]}, 413, "too_large"),
    ],
)
def test_what_cannot_be_asked_says_why(door: Door, told: dict[str, Any], status: int, code: str) -> None:
    reply = door.subscribe(**told)
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert door.mails() == []


def test_without_a_template_nobody_is_asked(door: Door) -> None:
    door.templates = set()
    assert (door.subscribe().status_code, door.subscribe().json()["code"]) == (404, "no_template")


def test_a_form_is_answered_with_pages(door: Door) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded", "Accept-Language": "fr"}
    told = urlencode({"email": ADDRESS, "writeKey": WRITE, "topics": ["tea", "cake"]}, doseq=True).encode()
    reply = door.ask("POST", "/v1/subscribe", told, **form)
    assert (reply.status_code, "boîte aux lettres" in reply.text) == (200, True)
    assert door.mails()[0]["Subject"] == "Veuillez confirmer votre adresse"
    assert (
        "ressemble pas"
        in door.ask("POST", "/v1/subscribe", urlencode({"email": "x", "writeKey": WRITE}).encode(), **form).text
    )


def test_a_secret_key_may_say_whose_address_it_is(door: Door) -> None:
    door.subscribe(userId="ada", writeKey=SECRET)
    door.ask("POST", door.link())
    ada = door.house.subject("ada")
    assert ada is not None
    view = door.house.person(ada)
    assert view is not None
    assert (ADDRESS_FEATURE in view.sealed, view.consents) == (True, {"marketing": True})


def test_whatever_is_cut_off_the_same_post_does_it_once(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    door.subscribe()
    link, ledger = door.link(), door.house.ledger
    with monkeypatch.context() as cut:
        cut.setattr(type(ledger), "confirm_wish", lambda *_: (_ for _ in ()).throw(StoreError("the ledger is busy")))
        assert door.ask("POST", link).status_code == 503
    assert door.standing() == {}
    assert door.ask("POST", link).status_code == 200
    view = door.person()
    assert view is not None
    assert view.consents == {"marketing": True}
    assert len(ledger.proofs(view.person)) == 1
