"""Logging in, one's own account and the users, as a browser sees them."""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest
from starlette.applications import Starlette

from livepost.console.app import HEADERS, PAGES
from livepost.console.entrance import CHANGES_USERS, SEES_USERS
from livepost.govern.access.rules import default_rules
from livepost.govern.login import totp
from livepost.govern.session import COOKIE
from livepost.model.principal import ROLES, Role
from tests.unit.console.test_pages import ANSWERS, PATHS
from tests.unit.console.told import ORIGIN, Browser, ToldHouse

GOOD, OTHER = "seven orange ladders", "nine purple kettles"
EMAIL = "ada@example.com"


def browser_of(role: str = "owner") -> Browser:
    """Return a browser that is not in, before a console with one user."""
    browser = Browser(ToldHouse(**ANSWERS), enters=False)
    user, word = browser.accounts.add("Ada", EMAIL, role)  # type: ignore[arg-type]
    browser.accounts.accept(word, GOOD)
    browser.user = user  # type: ignore[attr-defined]
    return browser


def logged_in(role: str = "owner") -> Browser:
    browser = browser_of(role)
    assert login(browser).status_code == 303
    return browser


def login(browser: Browser, password: str = GOOD) -> httpx.Response:
    return browser.post("/login", {"email": EMAIL, "password": password})


def deeds(browser: Browser) -> list[tuple[str, str]]:
    return [(by.partition(":")[0], deed.did) for by, deed in browser.noted]


def test_a_login_opens_the_console_and_is_noted() -> None:
    browser = browser_of()
    assert "current-password" in browser.get("/login").text
    answer = login(browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert {"HttpOnly", "SameSite=strict"} <= set(answer.headers["set-cookie"].split("; "))
    assert browser.get("/segments").status_code == 200
    assert deeds(browser) == [("user", "session.begun")]
    assert browser.get("/login").headers["location"] == "/"


def test_a_wrong_password_is_said_and_noted_and_in_no_answer() -> None:
    browser = browser_of()
    answer = login(browser, OTHER)
    assert answer.status_code == 401
    assert "No user has this address and this password" in answer.text
    assert OTHER not in answer.text
    assert EMAIL not in answer.text
    assert not browser.cookies.get(COOKIE)
    assert deeds(browser) == [("login", "login.failed")]


def test_what_the_audit_cannot_take_lets_nobody_in() -> None:
    browser = browser_of()
    browser.audit_fails = True
    assert login(browser).status_code == 503
    assert not browser.cookies.get(COOKIE)


def test_too_many_tries_are_told_to_wait() -> None:
    browser = browser_of()
    answers = [login(browser, OTHER) for _ in range(6)]
    assert answers[-1].status_code == 429
    assert "try again in 1 s" in answers[-1].text


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://console.example:8301"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
    ],
)
@pytest.mark.parametrize("path", ["/login", "/login/code", "/account", "/users", "/close", "/suppressions"])
def test_a_form_of_another_site_or_port_is_refused(path: str, headers: dict[str, str]) -> None:
    browser = logged_in()
    answer = browser.post(path, {"act": "add", "email": "b@example.com", "address": "a@example.com"}, **headers)
    assert answer.status_code == 403
    assert browser.get("/segments").status_code == 200
    assert len(browser.accounts.users.all()) == 1


def test_the_same_form_of_our_own_page_is_taken() -> None:
    browser = logged_in()
    form = {"act": "add", "name": "Bob", "email": "b@example.com", "role": "analyst"}
    answer = browser.post("/users", form, **{"origin": ORIGIN, "sec-fetch-site": "same-origin"})
    assert answer.status_code == 200
    assert len(browser.accounts.users.all()) == 2


def test_an_invitation_is_shown_once_and_leads_in() -> None:
    browser = logged_in()
    form = {"act": "add", "name": "Bob", "email": "bob@example.com", "role": "analyst"}
    link = re.search(r"<code>(http://console.example/welcome/[\w-]+)</code>", browser.post("/users", form).text)
    assert link is not None
    assert "/welcome/" not in browser.get("/users").text
    browser.cookies.clear()
    path = link[1].removeprefix(ORIGIN)
    assert "This account is for Bob" in browser.get(path).text
    assert browser.post(path, {"password": "short"}).status_code == 422
    assert browser.post(path, {"password": OTHER}).headers["location"] == "/"
    assert browser.get("/segments").status_code == 200
    assert browser.get("/users").status_code == 403
    browser.cookies.clear()
    assert browser.get(path).status_code == 401


def test_a_second_factor_is_set_up_asked_for_and_turned_off() -> None:
    browser = logged_in()
    page = browser.post("/account", {"act": "second", "old": GOOD}).text
    assert '<svg xmlns="http://www.w3.org/2000/svg"' in page
    assert "style=" not in page
    secret = browser.accounts._enrolling[browser.user.id][0]  # type: ignore[attr-defined]
    step = browser.clock.now_ms() // 1000 // totp.STEP_S
    before = browser.cookies[COOKIE]
    page = browser.post("/account", {"act": "confirm", "code": totp.code_at(secret, step)}).text
    codes = re.findall(r"<code>([a-z2-7-]{19})</code>", page)
    assert len(codes) == totp.RECOVERY_CODES
    assert browser.cookies[COOKIE] != before
    assert not re.findall(r"<code>[a-z2-7-]{19}</code>", browser.get("/account").text)
    browser.cookies.clear()
    assert login(browser).headers["location"] == "/login/code"
    assert browser.get("/segments").status_code == 401
    assert browser.post("/login/code", {"code": "12"}).status_code == 401
    assert browser.post("/login/code", {"code": totp.code_at(secret, step + 1)}).headers["location"] == "/"
    assert browser.get("/segments").status_code == 200
    assert "is off" in browser.post("/account", {"act": "drop", "old": GOOD}).text


def test_a_new_password_moves_this_session_and_ends_the_others() -> None:
    browser = logged_in()
    other = browser.accounts.log_in(EMAIL, GOOD, "192.0.2.1").word
    before = browser.cookies[COOKIE]
    assert "was changed" in browser.post("/account", {"act": "password", "old": OTHER, "new": OTHER}).text.replace(
        "nothing was changed", "was changed"
    )
    assert browser.accounts.who(other) is not None
    assert "Your password is changed" in browser.post("/account", {"act": "password", "old": GOOD, "new": OTHER}).text
    assert browser.cookies[COOKIE] != before
    assert (browser.accounts.who(before), browser.accounts.who(other)) == (None, None)
    assert browser.get("/account").status_code == 200


def test_a_session_is_ended_from_another_one() -> None:
    browser = logged_in()
    other = browser.accounts.log_in(EMAIL, GOOD, "192.0.2.1").word
    session = browser.accounts.session(other)
    assert session is not None
    assert f'name="session" value="{session.id}"' in browser.get("/account").text
    assert browser.post("/account", {"act": "end", "session": session.id}).status_code == 303
    assert browser.accounts.who(other) is None
    assert browser.get("/account").status_code == 200


def test_closing_ends_the_session_itself_not_its_cookie_only() -> None:
    browser = logged_in()
    word = browser.cookies[COOKIE]
    assert browser.post("/close", {}).status_code == 303
    assert browser.accounts.who(word) is None


@pytest.mark.parametrize("act", ["role", "disable", "reset", "remove"])
def test_whoever_loses_something_loses_their_sessions(act: str) -> None:
    owner, browser = logged_in(), Browser(ToldHouse(**ANSWERS), enters=False)
    bob, word = owner.accounts.add("Bob", "bob@example.com", "marketer")
    session = owner.accounts.accept(word, OTHER).word
    assert owner.post("/users", {"act": act, "user": bob.id, "role": "auditor"}).status_code == 200
    assert owner.accounts.who(session) is None
    assert owner.noted[-1][1].did == f"user.{act}"
    assert browser.get("/users").status_code == 401


def test_an_admin_neither_makes_nor_changes_an_owner() -> None:
    browser = logged_in("admin")
    owner, _ = browser.accounts.add("Olga", "olga@example.com", "owner")
    bob, _ = browser.accounts.add("Bob", "bob@example.com", "analyst")
    for form in (
        {"act": "add", "name": "Eve", "email": "eve@example.com", "role": "owner"},
        {"act": "role", "user": bob.id, "role": "owner"},
        {"act": "reset", "user": owner.id},
        {"act": "remove", "user": owner.id},
    ):
        assert browser.post("/users", form).status_code == 403
    roles = {one.name: one.role for one in browser.accounts.users.all()}
    assert roles == {"Ada": "admin", "Olga": "owner", "Bob": "analyst"}
    assert browser.post("/users", {"act": "role", "user": bob.id, "role": "marketer"}).status_code == 200


@pytest.mark.parametrize("role", ROLES)
def test_the_users_are_seen_and_changed_by_whom_the_rules_let(role: Role) -> None:
    browser = logged_in(role)
    rules = default_rules()
    sees, changes = role in rules.roles(SEES_USERS), role in rules.roles(CHANGES_USERS)
    page = browser.get("/users")
    assert (page.status_code == 200) == sees
    assert ('action="/users"' in page.text) == changes
    assert ('href="/users"' in browser.get("/account").text) == sees
    bob, _ = browser.accounts.add("Bob", "bob@example.com", "analyst")
    removed = browser.post("/users", {"act": "remove", "user": bob.id})
    assert (removed.status_code == 200) == changes


@pytest.mark.parametrize("role", ["marketer", "analyst", "developer", "privacy_officer", "auditor"])
def test_nobody_else_changes_the_users(role: str) -> None:
    browser = logged_in(role)
    assert browser.post("/users", {"act": "remove", "user": browser.user.id}).status_code == 403  # type: ignore[attr-defined]


def test_who_came_by_a_link_has_no_account_but_makes_one() -> None:
    browser = Browser(ToldHouse(**ANSWERS))
    assert "You came by a one-time link" in browser.get("/account").text
    assert browser.post("/account", {"act": "password", "old": GOOD, "new": OTHER}).status_code == 403
    assert browser.get("/users").status_code == 200


def test_the_cookie_over_tls_is_of_this_host_alone() -> None:
    browser = browser_of()
    form = {"email": EMAIL, "password": GOOD}
    answer = browser.post("https://console.example/login", form, origin="https://console.example")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"__Host-{COOKIE}=")
    assert {"Path=/", "Secure", "HttpOnly", "SameSite=strict"} <= set(cookie.split("; "))
    assert "omain" not in cookie


OWN = ["/login", "/login/code", "/account", "/users", "/welcome/nothing", "/console/nothing"]


@pytest.mark.parametrize("path", [*PATHS, *OWN])
def test_every_page_is_sent_with_the_same_strict_headers(path: str) -> None:
    browser = Browser(ToldHouse(**ANSWERS), enters=path != "/login")
    answer = browser.get(path)
    if path == "/console/nothing":
        assert answer.status_code == 404
        return
    policy = dict(part.partition(" ")[::2] for part in answer.headers["content-security-policy"].split("; "))
    assert (policy["default-src"], policy["script-src"], policy["style-src"]) == ("'none'", "'self'", "'self'")
    assert (policy["frame-ancestors"], policy["base-uri"], policy["form-action"]) == ("'none'", "'none'", "'self'")
    assert "unsafe" not in answer.headers["content-security-policy"]
    for name in set(HEADERS) - {"Content-Security-Policy"}:
        assert answer.headers[name] == HEADERS[name]
    assert "strict-transport-security" not in answer.headers
    body = answer.text
    assert not re.search(r"<script(?! src=)|<style|\son\w+=|javascript:", body)


def test_over_tls_a_public_host_is_asked_by_tls_only_from_then_on() -> None:
    browser = Browser(ToldHouse(**ANSWERS), enters=False)
    for host, said in (("shop.example", True), ("localhost:8300", False), ("127.0.0.1", False), ("[::1]", False)):
        answer = browser.get(f"https://{host}/login")
        assert ("strict-transport-security" in answer.headers) is said, host


def test_pages_of_the_entrance_are_none_of_the_tuple() -> None:
    assert not {"/login", "/account", "/users"} & {page.path for page in PAGES}


def test_a_live_page_ends_within_a_second_of_its_session() -> None:
    browser = logged_in()
    house_app = Starlette(routes=browser.console.routes())

    async def ends_after() -> float:
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/system",
            "query_string": b"",
            "http_version": "1.1",
            "scheme": "http",
            "server": ("console.example", 80),
            "headers": [
                (b"host", b"console.example"),
                (b"accept", b"text/event-stream"),
                (b"cookie", f"{COOKIE}={browser.cookies[COOKIE]}".encode()),
            ],
        }
        told = asyncio.Event()
        gone = asyncio.Event()

        async def send(message: dict[str, object]) -> None:
            if b"data: " in message.get("body", b""):  # type: ignore[operator]
                told.set()

        async def receive() -> dict[str, object]:
            await gone.wait()
            return {"type": "http.disconnect"}

        stream = asyncio.create_task(house_app(scope, receive, send))  # type: ignore[arg-type]
        await told.wait()
        began = asyncio.get_running_loop().time()
        browser.accounts.users.set_role(browser.user.id, "analyst")  # type: ignore[attr-defined]
        await asyncio.wait_for(stream, 5)
        return asyncio.get_running_loop().time() - began

    assert asyncio.run(ends_after()) < 1.0


def test_a_password_that_the_audit_cannot_take_is_not_set() -> None:
    browser = Browser(ToldHouse(**ANSWERS), enters=False)
    user, word = browser.accounts.add("Bob", "bob@example.com", "analyst")
    browser.audit_fails = True
    assert browser.post(f"/welcome/{word}", {"password": GOOD}).status_code == 503
    assert browser.accounts.users.get(user.id).password == ""
