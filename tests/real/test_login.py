"""A running house over TLS, beside commands that change users: logins, live pages and streams that end with a right."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync import client as websocket

from livepost.clock import WallClock
from livepost.govern.login.accounts import Accounts
from livepost.govern.login.password import Passwords
from livepost.govern.session import COOKIE
from livepost.runtime.data.accounts import accounts_of
from tests.crash.house import House
from tests.unit.runtime.front.test_tls import Made

GOOD = "seven orange ladders"
EMAIL = "ada@example.com"


class Shop:
    """A house that serves TLS, with one user, and what trusts its certificate."""

    def __init__(self, folder: Path) -> None:
        self.certificate = Made(folder)
        files = {"LIVEPOST_TLS_CERT": str(self.certificate.cert), "LIVEPOST_TLS_KEY": str(self.certificate.key)}
        self.house = House(folder / "data", settings=files)
        self.origin = f"https://localhost:{self.house.folder.port}"
        self.trusting = ssl.create_default_context(cafile=str(self.certificate.cert))
        self.beside(lambda accounts: accounts.set_password(accounts.add("Ada", EMAIL, "owner")[0].id, GOOD))

    def beside(self, work: Callable[[Accounts], object]) -> None:
        """Do what a command does, in this process beside the house's."""
        with accounts_of(self.house.folder, WallClock(), Passwords()) as accounts:
            work(accounts)

    def browser(self) -> httpx.Client:
        return httpx.Client(base_url=self.origin, verify=self.trusting, trust_env=False)

    def enters(self, browser: httpx.Client, password: str = GOOD) -> int:
        form = {"email": EMAIL, "password": password}
        return browser.post("/login", data=form, headers={"Origin": self.origin}).status_code


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    made = Shop(tmp_path_factory.mktemp("login"))
    made.house.start()
    yield made
    made.house.stop()


def test_events_are_taken_and_people_let_in_over_tls(shop: Shop) -> None:
    with shop.browser() as browser:
        call = {"event": "Looked", "userId": "ada"}
        assert browser.post("/v1/track", json=call, auth=(shop.house.write_key, "")).json() == {"success": True}
        assert shop.enters(browser, "another password") == 401
        assert shop.enters(browser) == 303
        assert f"__Host-{COOKIE}" in browser.cookies
        page = browser.get("/users")
        assert (page.status_code, EMAIL in page.text) == (200, True)
        assert browser.get("/api/status").status_code == 200


def test_a_live_page_ends_within_a_second_of_a_command_that_takes_the_right(shop: Shop) -> None:
    with shop.browser() as browser:
        assert shop.enters(browser) == 303
        with browser.stream("GET", "/system", headers={"Accept": "text/event-stream"}, timeout=20) as stream:
            lines = stream.iter_lines()
            assert any(line.startswith("data: ") for line in lines)
            shop.beside(lambda accounts: accounts.set_password(_ada(accounts), GOOD))
            began = time.monotonic()
            assert list(lines) is not None
            assert time.monotonic() - began < 1.5  # one second, and what this machine is busy with
        assert browser.get("/system").status_code == 401


def test_a_stream_ends_within_a_second_of_its_key(shop: Shop) -> None:
    made = shop.house.folder.keys.new("secret", "till", WallClock().now_ms())
    headers = {"Authorization": f"Bearer {made.key}"}
    url = f"wss://localhost:{shop.house.folder.port}/api/stream"
    with websocket.connect(url, additional_headers=headers, ssl=shop.trusting, proxy=None) as stream:
        shop.house.folder.keys.revoke(made.stored.id, WallClock().now_ms())
        began = time.monotonic()
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                stream.recv(timeout=10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
        assert time.monotonic() - began < 1.5


def _ada(accounts: Accounts) -> str:
    user = accounts.users.by_email(EMAIL)
    assert user is not None
    return user.id
