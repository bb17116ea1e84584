"""Who gets into the console."""

from __future__ import annotations

import pytest
from starlette.requests import HTTPConnection

from livepost.console.app import PAGES
from livepost.govern.login.accounts import SESSION_MS
from livepost.govern.session import COOKIE, LINK_MS
from tests.unit.console.told import ORIGIN, Browser, ToldHouse


def test_a_link_leads_to_the_first_page_with_a_session() -> None:
    browser = Browser(ToldHouse(), enters=False)
    answer = browser.enter()
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert browser.cookies.get(COOKIE)


def test_the_cookie_is_for_secure_lines_only_where_the_line_is_one() -> None:
    browser = Browser(ToldHouse(), enters=False)
    assert "secure" not in browser.enter().headers["set-cookie"].lower()
    word = browser.links.new(browser.clock.now_ms())
    assert "secure" in browser.get(f"https://console.example/open/{word}").headers["set-cookie"].lower()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_without_a_session_no_page_tells_anything(page: object) -> None:
    browser = Browser(ToldHouse(), enters=False)  # a house that would fail if it were asked
    answer = browser.get(page.path.replace("{", "").replace("}", ""))
    assert answer.status_code == 401
    assert "The console is closed" in answer.text
    assert "livepost console" in answer.text


def test_a_stream_needs_a_session_too() -> None:
    assert Browser(ToldHouse(), enters=False).get("/", accept="text/event-stream").status_code == 401


def test_a_link_opens_once_and_lets_whoever_is_in_through() -> None:
    browser = Browser(ToldHouse(), enters=False)
    word = browser.links.new(browser.clock.now_ms())
    assert browser.get(f"/open/{word}").status_code == 303
    assert browser.get(f"/open/{word}").status_code == 303
    browser.cookies.clear()
    assert browser.get(f"/open/{word}").status_code == 401


def test_a_link_that_waited_too_long_is_refused() -> None:
    browser = Browser(ToldHouse(), enters=False)
    word = browser.links.new(browser.clock.now_ms())
    browser.clock.advance(LINK_MS)
    assert browser.get(f"/open/{word}").status_code == 401


def test_a_session_ends() -> None:
    browser = Browser(ToldHouse(stores=[], processes=[], settings=[], standing=ValueError("asked")))
    browser.clock.advance(SESSION_MS)
    assert browser.get("/system").status_code == 401


def test_a_form_from_elsewhere_is_refused() -> None:
    browser = Browser(ToldHouse())
    assert browser.post("/close", {}, origin="https://elsewhere.example").status_code == 403
    assert browser.post("/close", {}, origin="null").status_code == 403
    assert browser.cookies.get(COOKIE)


def test_a_form_of_our_own_is_taken() -> None:
    browser = Browser(ToldHouse())
    assert browser.post("/close", {}, origin=ORIGIN).status_code == 303
    assert not browser.cookies.get(COOKIE)


def test_whoever_came_by_a_link_is_the_owner() -> None:
    browser = Browser(ToldHouse())
    request = HTTPConnection({"type": "http", "headers": [(b"cookie", f"{COOKIE}={browser.cookies[COOKIE]}".encode())]})
    who = browser.door.session(request)
    assert who is not None
    assert (who.by.partition(":")[0], who.role, who.scopes) == ("session", "owner", ())
    assert browser.door.session(HTTPConnection({"type": "http", "headers": []})) is None
