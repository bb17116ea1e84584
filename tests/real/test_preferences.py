"""The pages behind a mail's links in a real Chromium, over a running house: chosen without JavaScript, kept at the
claim; double opt-in from a shop's own form; on a phone and dark; what axe-core finds; nothing fetched from elsewhere.
"""

from __future__ import annotations

import email
import html
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from email.policy import SMTP
from importlib.resources import files
from pathlib import Path
from shutil import copytree
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from livepost.deliver.keep import read
from tests.crash.house import SHOP, House, wait_until
from tests.real.console import LOOKS, findings, heard, overflow
from tests.real.sdk import needs_clients

LINKS = "{{ preferences_url }}"
FRAME = (
    '<!doctype html><html lang="{{ language }}" dir="{{ direction }}"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>{{ title }}</title>'
    "<style>{{ style }}</style></head><body><header>{{ shop_name }}, in a frame of its own</header>"
    "<main>{{ body }}</main></body></html>"
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop with a topic, links to what can be chosen, and a mail that asks."""
    folder = tmp_path_factory.mktemp("project") / "shop"
    copytree(SHOP, folder)
    with (folder / "livepost.toml").open("a") as settings:
        settings.write(
            'languages = ["en", "de", "ar", "fr"]\n[topics]\nreminders = "Reminders of what you looked at"\n'
        )
    page = (folder / "shop.py").read_text()
    (folder / "shop.py").write_text(
        page.replace('purpose="marketing")\ndef reminder', 'topic="reminders")\ndef reminder')
    )
    note = (folder / "templates" / "note.mjml").read_text()
    (folder / "templates" / "note.mjml").write_text(note.replace("{{ unsubscribe_url }}", LINKS))
    confirm = files("livepost.project") / "starter" / "templates" / "confirm.mjml"
    (folder / "templates" / "confirm.mjml").write_text(confirm.read_text())
    (folder / "pages").mkdir()
    (folder / "pages" / "frame.liquid").write_text(FRAME)
    (folder / "pages" / "words.de.toml").write_text('[topic_names]\nreminders = "Erinnerungen"\n')
    return folder


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, project: Path) -> Iterator[House]:
    needs_clients()
    made = House(tmp_path_factory.mktemp("preferences") / "data", project)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def context(chromium: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Return a function that opens a fresh browser profile."""
    opened: list[BrowserContext] = []

    def new(look: str = "light", **more: Any) -> BrowserContext:
        opened.append(chromium.new_context(**{**LOOKS[look], "reduced_motion": "reduce", **more}))
        return opened[-1]

    yield new
    for one in opened:
        one.close()


def tell(house: House, *calls: dict[str, Any]) -> None:
    url = f"http://localhost:{house.folder.port}/v1/batch"
    reply = httpx.post(url, json={"batch": list(calls)}, auth=(house.secret_key, ""))
    assert reply.status_code == 200, reply.text


def knows(house: House, who: str) -> None:
    consent = {"consent": {"categoryPreferences": {"marketing": True}}}
    tell(house, {"type": "identify", "userId": who, "traits": {"email": f"{who}@example.com"}, "context": consent})


def looks(house: House, who: str) -> None:
    viewed = {"type": "track", "event": "Product Viewed", "userId": who}
    tell(house, *({**viewed, "properties": {"product_id": product}} for product in "abc"))


def mails(house: House) -> list[str]:
    """Return the kept mails' HTML, the newest first."""
    with closing(house.folder.vault(readonly=True)) as vault:
        kept = read(house.folder.mailbox, vault, house.folder.settings.workspace)
    return [html_of(mail.raw) for mail in kept]


def html_of(raw: bytes) -> str:
    parsed = email.message_from_bytes(raw, policy=SMTP)
    body = parsed.get_body(("html",))  # type: ignore[attr-defined]
    return html.unescape(str(body.get_content()))


def link_in(house: House, place: str) -> str:
    return re.findall(rf'href="(http://localhost:\d+/{place}/[^"]+)"', mails(house)[0])[0]


def mailed(house: House, who: str) -> str:
    """Let somebody be mailed; return the link to what they may choose."""
    before = len(mails(house))
    knows(house, who)
    looks(house, who)
    wait_until(f"the reminder to {who}", lambda: len(mails(house)) > before)
    return link_in(house, "preferences")


def answers(house: House, who: str) -> dict[str, bool]:
    url = f"http://localhost:{house.folder.port}/api/people/{who}"
    told: dict[str, bool] = httpx.get(url, headers={"Authorization": f"Bearer {house.secret_key}"}).json()["consents"]
    return told


def watched(page: Page) -> list[str]:
    """Return the list to which what the page fetches is added from now on."""
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    return fetched


@pytest.fixture(scope="module")
def preferences(house: House) -> str:
    return mailed(house, "ada")


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("language", ["en", "de", "ar"])
def test_the_page_is_good_on_a_phone_and_in_the_dark_and_fetches_nothing(
    context: Callable[..., BrowserContext], preferences: str, look: str, language: str
) -> None:
    page = context(look, locale=language).new_page()
    told, fetched = heard(page), watched(page)
    page.goto(preferences)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.evaluate("document.documentElement.dir") == ("rtl" if language == "ar" else "ltr")
    assert (overflow(page), findings(page), told) == (0, [], [])
    assert [one for one in fetched if one != preferences and not one.endswith("/favicon.ico")] == []
    assert page.context.cookies() == []
    assert "in a frame of its own" in page.content()


def test_what_is_chosen_without_javascript_is_kept(house: House, context: Callable[..., BrowserContext]) -> None:
    link = mailed(house, "ben")
    page = context("phone", java_script_enabled=False, locale="de").new_page()
    page.goto(link)
    expect(page.get_by_label("Erinnerungen")).to_be_checked()
    page.get_by_label("Erinnerungen").uncheck()
    page.get_by_label("Höchstens eine Mail im Monat").check()
    page.get_by_role("button", name="Speichern").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Gespeichert.")
    expect(page.get_by_label("Erinnerungen")).not_to_be_checked()
    expect(page.get_by_label("Höchstens eine Mail im Monat")).to_be_checked()
    wait_until("the engine to know", lambda: answers(house, "ben").get("topic:reminders") is False)
    assert answers(house, "ben") == {"marketing": True, "topic:reminders": False, "frequency:1 per 30d": False}
    page.get_by_role("button", name="Alle diese Mails abbestellen").click()
    wait_until("the engine to know", lambda: answers(house, "ben")["marketing"] is False)
    expect(page.get_by_label("Werbung")).not_to_be_checked()


def test_a_focus_can_be_seen_and_every_field_is_reached_by_the_keyboard(
    context: Callable[..., BrowserContext], preferences: str
) -> None:
    page = context().new_page()
    page.goto(preferences)
    reached = []
    for _ in range(5):
        page.keyboard.press("Tab")
        name = "[document.activeElement.name || document.activeElement.type]"
        reached.append(page.evaluate(f"{name}.concat(getComputedStyle(document.activeElement).outlineStyle)"))
    assert [name for name, _ in reached] == ["yes", "yes", "frequency", "submit", "stop"]
    assert {outline for _, outline in reached} == {"solid"}


def test_an_address_is_confirmed_by_the_button_and_not_by_the_link(
    house: House, context: Callable[..., BrowserContext]
) -> None:
    before, base = len(mails(house)), f"http://localhost:{house.folder.port}"
    page = context("phone", java_script_enabled=False).new_page()
    form = (
        f'<form method="post" action="{base}/v1/subscribe"><input type="hidden" name="writeKey" '
        f'value="{house.write_key}"><label>Mail <input name="email"></label><button>Sign up</button></form>'
    )
    page.set_content(form)
    page.get_by_label("Mail").fill("new@example.com")
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Please look into your mailbox.")
    wait_until("the mail that asks", lambda: len(mails(house)) > before)
    link = link_in(house, "confirm")
    with closing(house.folder.ledger()) as ledger:
        for agent in ("Barracuda/1.0", "GoogleImageProxy", ""):
            assert httpx.get(link, headers={"User-Agent": agent}).status_code == 200
        assert ledger.deliveries(campaign="$send")[0].state == "sent"
        person = ledger.deliveries(campaign="$send")[0].person
        assert ledger.standing(person) == {}
        page.goto(link)
        page.get_by_role("button", name="Yes, write to me").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Thank you. Your address is confirmed.")
        assert ledger.standing(person) == {"marketing": True}
    wait_until("the engine to know", lambda: answers(house, person.hex()) == {"marketing": True})
