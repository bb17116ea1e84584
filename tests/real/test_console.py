"""The console in a real Chromium: every page with data, without data and with an error; light and dark, on a desktop
and at 390 px; without JavaScript; live; what axe-core finds; nothing against the CSP.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from livepost.console.app import PAGES
from livepost.console.page import Page as ConsolePage
from livepost.control.requests import Requests, RightsRequest
from tests.crash.erasing import erase
from tests.crash.house import House, wait_until
from tests.real.console import LOOKS, findings, heard, overflow, session
from tests.real.sdk import needs_clients

PEOPLE = 12
GONE = "somebody-gone"
"""Who is erased, so that there is a receipt."""


TARGET = {
    "LIVEPOST_WEBHOOKS": json.dumps([{"name": "till", "url": "http://127.0.0.1:9/", "secret": "env:TILL_SECRET"}]),
    "LIVEPOST_ALLOW_OUTGOING": json.dumps(["127.0.0.1:9"]),
    "TILL_SECRET": f"whsec_{b64encode(bytes(32)).decode()}",
}
"""A target of webhooks where nobody listens: what it is not told waits, and its page has something to show."""


REQUEST = RightsRequest(
    id="ab" * 16,
    kind="access",
    regulation="gdpr",
    way="mail",
    subjects=(),
    submitted_at=1,
    received_at=1,
    due_at=2,
    verified="she came with her passport",
    state="pending",
    entered_by="command:ada",
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A running house with people, transitions, mails and dead letters."""
    needs_clients()
    made = House(tmp_path_factory.mktemp("console") / "data", settings=TARGET)
    made.start()
    _fill(made)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A running house to which nothing has happened."""
    needs_clients()
    made = House(tmp_path_factory.mktemp("empty") / "data")
    made.start()
    yield made
    made.stop()


def _fill(house: House) -> None:
    calls: list[dict[str, Any]] = []
    calls.append({"type": "identify", "userId": GONE, "traits": {"email": f"{GONE}@example.com"}})
    for number in range(PEOPLE):
        who = "ada" if number == 0 else f"person-{number}"
        consent = {"consent": {"categoryPreferences": {"marketing": number % 4 != 3}}}
        traits = {"email": f"{who}@example.com", "firstName": who.title()}
        calls.append({"type": "identify", "userId": who, "traits": traits, "context": consent})
        for product in "abc":
            viewed = {"product_id": product}
            calls.append({"type": "track", "event": "Product Viewed", "userId": who, "properties": viewed})
    calls.append({"type": "track", "event": "Order Completed", "userId": "ada", "properties": {"order_id": ["no"]}})
    reply = httpx.post(
        f"http://localhost:{house.folder.port}/v1/batch", json={"batch": calls}, auth=(house.secret_key, "")
    )
    assert reply.status_code == 200, reply.text
    with closing(house.folder.ledger()) as ledger:  # a house at rest may still wait for a second to pass
        wait_until("the first reminder", lambda: any(one.state == "sent" for one in ledger.counts()))
        ledger.suppress(bytes(16), "imported", 0)
    with closing(house.folder.control()) as control:
        Requests(control).enter(REQUEST)
    house.drain()
    erase(house, GONE)


WITHOUT_ENGINE = (
    "/mailbox",
    "/suppressions",
    "/providers",
    "/webhooks",
    "/keys",
    "/audit",
    "/policies",
    "/retention",
    "/consents",
    "/requests",
    "/receipts",
    "/approvals",
    "/glass",
)
"""Pages that do without the engine."""

UNPROMISED = "/policies"
"""The page that says what this house's project lacks: a policy."""
NOTHING_YET = (UNPROMISED, "/approvals", "/glass", "/retention")
"""Pages that may have nothing to show in this house: nobody asked for an approval, broke the glass or wrote a
policy.
"""

FILLED = {"/preview": "/preview?person=ada&campaign=reminder", "/mails": "/mails?state=sent"}
"""Where pages have something to show that show nothing, or nothing amiss, when nothing is asked for."""


def _places(page: Page) -> list[tuple[str, ConsolePage]]:
    """Return every page with its address: a page about one thing by the first link that leads to it."""
    found = []
    for one in PAGES:
        path = FILLED.get(one.path, one.path)
        if "{" in path:
            above = "/" + path.split("/")[1]
            page.goto(_url(page, FILLED.get(above, above)))
            stem = path.split("{")[0]
            links = page.eval_on_selector_all("main a", "all => all.map(one => one.getAttribute('href'))")
            leads = [link for link in links if link and link.startswith(stem) and len(link) > len(stem)]
            assert leads, f"{page.url} leads to no {one.path}"
            path = leads[0] + path.partition("}")[2]
        found.append((path, one))
    return found


def _url(page: Page, path: str) -> str:
    return "/".join(page.url.split("/")[:3]) + path


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_shows_what_there_is(chromium: Browser, house: House, look: str) -> None:
    with session(chromium, house, look) as context:
        page = context.pages[0]
        told = heard(page)
        for place, one in _places(page):
            answer = page.goto(_url(page, place))
            assert answer is not None
            assert answer.status == 200, place
            if one.live:
                expect(page.locator("#alive")).to_have_text("live")
            assert page.locator("main h1").count() == 1, place
            assert place in NOTHING_YET or page.locator(".empty").count() == 0, f"{place} says that there is nothing"
            assert overflow(page) <= 0, f"{place} is wider than its window"
            assert findings(page) == [], place
        assert told == []


@pytest.mark.parametrize("look", ["light", "phone-dark"])
def test_every_page_without_data_says_what_would_be_there(chromium: Browser, empty: House, look: str) -> None:
    with session(chromium, empty, look) as context:
        page = context.pages[0]
        told = heard(page)
        for one in PAGES:
            if "{" in one.path:
                continue
            answer = page.goto(_url(page, one.path))
            assert answer is not None
            assert answer.status == 200, one.path
            if one.live:
                expect(page.locator("#alive")).to_have_text("live")
            assert overflow(page) <= 0, one.path
            assert findings(page) == [], one.path
        assert told == []


def test_every_page_says_what_is_wrong_and_comes_back_by_itself(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    house = House(tmp_path_factory.mktemp("broken") / "data")
    house.start()
    try:
        house.supervisor.stop(["engine"])
        with session(chromium, house, "phone") as context:
            page = context.pages[0]
            asks_engine = [one.path for one in PAGES if "{" not in one.path and one.path not in WITHOUT_ENGINE]
            for path in asks_engine:
                answer = page.goto(_url(page, path))
                assert answer is not None
                assert answer.status == 503, path
                expect(page.locator(".trouble dt")).to_have_text(["What it means", "What to do"])
                assert overflow(page) <= 0, path
                assert findings(page) == [], path
            page.goto(_url(page, "/"))
            house.supervisor._start("engine")
            expect(page.locator(".verdict")).to_contain_text("waits for the first event", timeout=60_000)
    finally:
        house.stop()


def test_a_page_is_live(chromium: Browser, house: House) -> None:
    with session(chromium, house) as context:
        page = context.pages[0]
        page.goto(_url(page, "/"))
        accepted = page.locator("[data-key=accepted]")
        before = int(accepted.inner_text().replace(",", ""))
        told = httpx.post(
            f"http://localhost:{house.folder.port}/v1/track",
            json={"event": "Product Viewed", "userId": "ada", "properties": {"product_id": "live"}},
            auth=(house.secret_key, ""),
        )
        assert told.status_code == 200
        expect(accepted).not_to_have_text(f"{before:,}", timeout=10_000)


def test_every_page_reads_without_javascript(chromium: Browser, house: House) -> None:
    with session(chromium, house, "phone", java_script_enabled=False) as context:
        page = context.pages[0]
        for one in PAGES:
            if "{" not in one.path:
                page.goto(_url(page, one.path))
                assert page.locator("main h1").count() == 1, one.path
                assert len(page.locator("#live").inner_text().split()) > 5, one.path
                assert page.locator("nav.rail a").count() == sum(not each.rail for each in PAGES)


def test_the_keyboard_leads_to_every_page(chromium: Browser, house: House) -> None:
    with session(chromium, house) as context:
        page = context.pages[0]
        page.goto(_url(page, "/"))
        reached = set()
        for _ in range(4 + len(PAGES)):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement.getAttribute('href')"))
        assert {one.path for one in PAGES if not one.rail} <= reached


def test_a_page_that_is_not_there_says_so(chromium: Browser, house: House) -> None:
    with session(chromium, house) as context:
        page = context.pages[0]
        answer = page.goto(_url(page, "/nowhere"))
        assert answer is not None
        assert answer.status == 404
        expect(page.locator("h1")).to_have_text("There is no such page")


def test_axe_would_find_what_is_wrong(chromium: Browser, house: House) -> None:
    """The control: the same look at a page that lost its name and its contrast."""
    with session(chromium, house) as context:
        page = context.pages[0]
        page.goto(_url(page, "/system"))
        page.evaluate("document.documentElement.removeAttribute('lang')")
        assert any(one.startswith("html-has-lang") for one in findings(page))
        page.evaluate("document.getElementById('live').style.width = '2000px'")
        assert overflow(page) > 0


def test_the_house_stops_at_once_while_pages_are_live(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    house = House(tmp_path_factory.mktemp("stops") / "data")
    house.start()
    with session(chromium, house) as context:
        page = context.pages[0]
        page.goto(_url(page, "/"))
        expect(page.locator("#alive")).to_have_text("live")
        front = house.supervisor._running["front"]
        front.terminate()
        wait_until("the front to end", lambda: front.poll() is not None, 4.0)
    house.stop()
