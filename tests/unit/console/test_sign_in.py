"""Signing in at a provider, as a browser sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from livepost.console.app import Console
from livepost.govern.access.rules import default_rules
from livepost.govern.login.oidc.attempts import ATTEMPT_MS
from livepost.govern.session import COOKIE, SIGN_IN_COOKIE
from livepost.model.principal import Role
from tests.unit.console.test_pages import ANSWERS
from tests.unit.console.told import Browser, ToldHouse
from tests.unit.govern.login.oidc.issuing import NOW_MS, Issuer, issuing, provider_at

EMAIL = "ada@example.com"
STATE, ISS = "state", "iss"


class Away:
    """A browser before a console whose users sign in at a provider."""

    def __init__(self, issuer: Issuer) -> None:
        house = ToldHouse(**ANSWERS)
        self.browser = Browser(house, enters=False)
        self.accounts = self.browser.accounts
        self.browser.clock.advance(max(0, NOW_MS - self.browser.clock.now_ms()))
        self.issuer = issuer
        provider = provider_at(issuer.issuer, self.browser.clock)
        self.browser.console = Console(
            house, self.browser.door, self.accounts, self.browser, "The corner shop", default_rules(), provider
        )

    def leaves(self) -> str:
        """Press the button; return where the browser is sent."""
        answer = self.browser.get("/login/oidc")
        assert answer.status_code == 303
        return answer.headers["location"]

    def back(self, way: str, **changed: Any) -> str:
        """Return the address that the provider sends the browser back to."""
        state = httpx.URL(way).params[STATE]
        return "/login/oidc/back?" + urlencode({"code": self.issuer.gives(way, **changed), STATE: state})

    def enters(self, **changed: Any) -> httpx.Response:
        """Go all the way; `changed` are claims."""
        return self.browser.get(self.back(self.leaves(), **changed))

    def deeds(self) -> list[str]:
        return [deed.did for _, deed in self.browser.noted]


@pytest.fixture
def away() -> Iterator[Away]:
    with issuing() as issuer:
        yield Away(issuer)


def add(away: Away, email: str = EMAIL, role: Role = "marketer") -> str:
    return away.accounts.add("Ada", email, role)[0].id


def test_who_was_added_comes_in_with_their_role_and_is_known_from_then_on(away: Away) -> None:
    id = add(away)
    assert "Sign in with Acme" in away.browser.get("/login").text
    answer = away.enters()
    assert (answer.status_code, answer.headers["refresh"]) == (200, "0; url=/")
    cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith(f"{COOKIE}="))
    assert {"HttpOnly", "SameSite=strict"} <= set(cookie.split("; "))
    assert away.accounts.who(away.browser.cookies[COOKIE]).role == "marketer"  # type: ignore[union-attr]
    assert away.deeds() == ["user.bound", "session.begun"]
    assert "You sign in with Acme" in away.browser.get("/account").text
    # Known by the provider's id from now on, whatever the address there becomes.
    assert away.enters(email="new@example.com").status_code == 200
    assert away.deeds()[2:] == ["session.begun"]
    assert away.accounts.users.is_bound(id)


def test_the_cookie_of_who_leaves_comes_back_from_another_site_and_is_gone_then(away: Away) -> None:
    add(away)
    cookie = away.browser.get("/login/oidc").headers["set-cookie"]
    assert cookie.startswith(f"{SIGN_IN_COOKIE}=")
    assert {"HttpOnly", "SameSite=lax"} <= set(cookie.split("; "))
    away.enters()
    assert SIGN_IN_COOKIE not in away.browser.cookies


@pytest.mark.parametrize(
    "changed",
    [
        {"nonce": "of another"},
        {"aud": "another"},
        {"iss": "https://another.example.com"},
        {"exp": 1},
        {"sub": None},
        {"email_verified": False},
        {"email": "eve@example.com"},
        {"token": "a.b.c"},
    ],
)
def test_whoever_proves_nothing_is_not_let_in(away: Away, changed: dict[str, Any]) -> None:
    add(away)
    away.issuer.told = {"userinfo_endpoint": ""}
    answer = away.enters(**changed)
    assert answer.status_code == 401
    assert COOKIE not in away.browser.cookies
    assert away.deeds() == ["login.failed"]
    assert not any(away.accounts.users.is_bound(one.id) for one in away.accounts.users.all())


def test_an_answer_is_taken_once_and_by_the_browser_that_asked(away: Away) -> None:
    add(away)
    way = away.leaves()
    back, mine = away.back(way), away.browser.cookies[SIGN_IN_COOKIE]
    away.browser.cookies.clear()
    assert away.browser.get(back).status_code == 401
    away.leaves()  # another attempt in another browser
    assert away.browser.get(back).status_code == 401
    away.browser.cookies.set(SIGN_IN_COOKIE, mine, "console.example")
    again = f"{SIGN_IN_COOKIE}={mine}"
    away.browser.cookies.clear()
    assert away.browser.get(back, cookie=again).status_code == 200
    away.browser.cookies.clear()
    assert away.browser.get(back, cookie=again).status_code == 401


def test_a_code_of_another_browsers_attempt_is_refused(away: Away) -> None:
    add(away)
    theirs = httpx.URL(away.back(away.leaves())).params["code"]
    state = httpx.URL(away.leaves()).params[STATE]
    answer = away.browser.get("/login/oidc/back?" + urlencode({"code": theirs, STATE: state}))
    assert answer.status_code == 401
    assert "refused (400)" in answer.text  # the verifier is not the one of that code


def test_an_attempt_ends_with_its_time(away: Away) -> None:
    add(away)
    back = away.back(away.leaves())
    away.browser.clock.advance(ATTEMPT_MS)
    assert away.browser.get(back).status_code == 401


def test_what_the_provider_says_is_not_repeated(away: Away) -> None:
    add(away)
    state = httpx.URL(away.leaves()).params[STATE]
    told = {STATE: state, "error": "<b>canary", "error_description": "canary"}
    answer = away.browser.get("/login/oidc/back?" + urlencode(told))
    assert (answer.status_code, "canary" in answer.text) == (401, False)
    state = httpx.URL(away.leaves()).params[STATE]
    answer = away.browser.get("/login/oidc/back?" + urlencode({STATE: state, "error": "access_denied"}))
    assert "access_denied" in answer.text


def test_an_answer_of_another_provider_is_refused(away: Away) -> None:
    add(away)
    back = away.back(away.leaves()) + "&" + urlencode({ISS: "https://mix.example.com"})
    assert away.browser.get(back).status_code == 401


def test_who_is_bound_to_one_id_is_not_taken_over_by_another(away: Away) -> None:
    id = add(away)
    assert away.enters().status_code == 200
    away.browser.cookies.clear()
    assert away.enters(sub="another").status_code == 401
    away.accounts.reset(id)
    assert away.enters(sub="another").status_code == 200


def test_who_is_disabled_or_removed_is_out_and_stays_out(away: Away) -> None:
    id = add(away)
    assert away.enters().status_code == 200
    away.accounts.users.disable(id, disabled=True)
    assert away.browser.get("/account").status_code == 401
    assert away.enters().status_code == 401
    away.accounts.users.remove(id)
    assert away.enters().status_code == 401


def test_too_many_tries_of_an_address_have_to_wait(away: Away) -> None:
    statuses = []
    for _ in range(200):
        state = httpx.URL(away.leaves()).params[STATE]
        statuses.append(away.browser.get("/login/oidc/back?" + urlencode({STATE: state, "error": "no"})).status_code)
    assert (statuses[0], statuses[-1]) == (401, 429)


def test_a_browser_that_was_not_sent_away_uses_up_nobodys_tries(away: Away) -> None:
    statuses = {away.browser.get("/login/oidc/back?state=guessed").status_code for _ in range(200)}
    add(away)
    assert (statuses, away.enters().status_code) == ({401}, 200)


def test_another_site_does_not_send_a_browser_away(away: Away) -> None:
    answer = away.browser.get("/login/oidc", **{"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert away.issuer.asked == []


def test_a_provider_that_does_not_answer_is_said(away: Away) -> None:
    away.issuer.told = {"issuer": "https://another.example.com"}
    answer = away.browser.get("/login/oidc")
    assert answer.status_code == 503
    assert "the provider cannot be asked" in answer.text.lower()


def test_without_a_provider_there_is_no_such_way_in() -> None:
    browser = Browser(ToldHouse(**ANSWERS), enters=False)
    assert "Sign in with" not in browser.get("/login").text
    assert browser.get("/login/oidc").status_code == 404
