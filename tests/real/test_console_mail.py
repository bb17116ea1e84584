"""A mail in the console's frame, in a real browser: nothing is fetched, run or followed; our own forms are taken.

The mail has everything that must not work: a link to this very host (where following it is a click), in each way a link
can lead, an image from outside, a script, a form, a refresh.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from livepost.audit.deed import Deed
from livepost.clock import SimulatedClock
from livepost.console.app import Console
from livepost.console.door import Door
from livepost.control.sqlite import ControlStore
from livepost.govern.access.rules import default_rules
from livepost.govern.login.accounts import Accounts
from livepost.govern.login.password import Passwords
from livepost.govern.session import Links
from tests.unit.console.letters import CALL, Letters, letter
from tests.unit.console.test_mailbox import ID, LINE, _page, _shown
from tests.unit.console.told import START

MAIL = """<!doctype html><title>A mail</title><h1>Hello Ada</h1>
<a id="plain" href="/c/plain">plain</a> <a id="self" target="_self" href="/c/self">self</a>
<a id="top" target="_top" href="/c/top">top</a> <a id="blank" target="_blank" href="/c/blank">blank</a>
<a id="parent" target="_parent" href="/c/parent">parent</a>
<img src="/c/open.gif" alt="pixel"><link rel="stylesheet" href="/c/style.css">
<script>document.title = "ran"; fetch("/c/script")</script>
<form id="form" method="get" action="/c/form"><button>send</button></form>
<meta http-equiv="refresh" content="0; url=/c/refresh">
"""
LINKS = ("plain", "self", "top", "blank", "parent", "form button")


class Served:
    """A console that is served, its address, and the paths below /c/ that were asked for."""

    def __init__(self) -> None:
        self.clicks: list[str] = []
        self.links = Links()
        self.clock = SimulatedClock(START)
        self.house = Letters(letter(7))
        self.house.answers |= {"mail": _shown(html=MAIL), "mails": _page(LINE), "keeps_mails": True, "campaigns": []}
        accounts = Accounts(ControlStore(Path(":memory:")), bytes(32), self.clock, Passwords(), "The corner shop")
        door = Door(accounts, self.links)
        self.console = Console(self.house, door, accounts, self, "The corner shop", default_rules())
        self.port = 0

    async def note(self, by: str, deed: Deed) -> None:
        """Write down nothing."""

    @property
    def routes(self) -> list[Route]:
        """The console's, those of mails, and pages that show the mail as no page may: with fewer rules, with none."""
        control = [Route("/framed", self._framed), Route("/bare", self._bare)]
        return [*self.console.routes(), Route("/c/{token:path}", self._click), *control]

    def at(self, path: str) -> str:
        """Return the address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    async def _click(self, request: Request) -> Response:
        self.clicks.append(request.url.path)
        return PlainTextResponse("clicked")

    async def _framed(self, request: Request) -> Response:
        return HTMLResponse(f'<iframe class="mail" sandbox src="/mailbox/{ID}/html"></iframe>')

    async def _bare(self, request: Request) -> Response:
        return HTMLResponse(f'<iframe srcdoc="{MAIL.replace("&", "&amp;").replace(chr(34), "&quot;")}"></iframe>')


@contextmanager
def served() -> Iterator[Served]:
    """Serve a console on a free port."""
    one = Served()
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=one.routes), port=0, lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run, name="console")
    thread.start()
    try:
        while not server.started:
            thread.join(0.01)
        one.port = server.servers[0].sockets[0].getsockname()[1]
        yield one
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def house() -> Iterator[Served]:
    with served() as one:
        yield one


@pytest.fixture
def page(chromium: Browser, house: Served) -> Iterator[Page]:
    house.clicks.clear()
    context = chromium.new_context()
    inside = context.new_page()
    inside.goto(house.at(f"/open/{house.links.new(house.clock.now_ms())}"))
    yield inside
    context.close()


def test_looking_at_a_mail_fetches_runs_and_follows_nothing(page: Page, house: Served) -> None:
    for link in LINKS:
        _follow(page, house.at(f"/mailbox/{ID}"), link)
    assert house.clicks == []
    assert len(page.context.pages) == 1


def test_in_a_page_that_may_frame_all_of_this_host_a_link_is_followed(page: Page, house: Served) -> None:
    _follow(page, house.at("/framed"), "plain")
    assert house.clicks == ["/c/plain"]


def test_without_those_rules_the_same_mail_fetches_runs_and_follows(page: Page, house: Served) -> None:
    page.goto(house.at("/bare"), wait_until="networkidle")
    assert {"/c/open.gif", "/c/script"} <= set(house.clicks)


def test_the_width_of_the_frame_is_switched_by_a_link(page: Page, house: Served) -> None:
    page.goto(house.at(f"/mailbox/{ID}"))
    wide = page.locator("iframe.mail").bounding_box()
    page.get_by_text("As wide as a phone").click()
    narrow = page.locator("iframe.mail").bounding_box()
    assert wide is not None and narrow is not None
    assert (narrow["width"], wide["width"] > 600) == (392, True)


def test_a_browser_sends_the_forms_of_our_own_pages_as_ours(page: Page, house: Served) -> None:
    page.goto(house.at("/dead/7"))
    page.get_by_text("Show personal values and correct them").click()
    field = page.get_by_label("The call as JSON")
    assert CALL["userId"] in field.input_value()
    field.fill('{"type": "track", "event": "Order Completed", "userId": "ada"}')
    page.get_by_text("Replay it as it is written here").click()
    assert page.get_by_role("status", name="What came of it").inner_text().startswith("Replayed at position 9,007")


@pytest.mark.parametrize("path", ["/mailbox", f"/mailbox/{ID}", "/dead", "/dead/7", "/preview"])
def test_a_phone_shows_the_page_without_scrolling_sideways(page: Page, house: Served, path: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    refused: list[str] = []
    page.on("console", lambda told: refused.append(told.text) if "Content Security" in told.text else None)
    page.goto(house.at(path))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("h1").count() == 1
    if "iframe" not in page.content():
        assert refused == []


def _follow(page: Page, address: str, link: str) -> None:
    """Click on a link of the mail that a page shows, and give the browser time to ask for where it leads."""
    page.goto(address)
    mail = page.frame_locator("iframe.mail")
    assert mail.locator("h1").inner_text() == "Hello Ada"
    mail.locator(f"#{link}").click()
    page.wait_for_load_state("networkidle")
