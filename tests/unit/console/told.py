"""A house that answers what a test gives it, and a browser with a session that looks at its console."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request

from livepost.audit.deed import Deed
from livepost.clock import SimulatedClock
from livepost.console.app import Console
from livepost.console.door import Door
from livepost.control.sqlite import ControlStore
from livepost.errors import StoreError
from livepost.govern.access.rules import default_rules
from livepost.govern.login.accounts import Accounts
from livepost.govern.login.password import Passwords
from livepost.govern.session import Links
from livepost.model.principal import Principal, Role

START = 1_767_603_600_000
PASSWORDS = Passwords(memory_kib=64, rounds=1)
ORIGIN = "http://console.example"


class ToldHouse:
    """Answers each question with what the test says: a value, an error to raise, or a function to ask."""

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = {"comparison": None, **answers}

    def __getattr__(self, question: str) -> Callable[..., Any]:
        answer = self.answers[question]

        def told(*asked: Any, **named: Any) -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer(*asked, **named) if callable(answer) else answer

        return told


class Roled(Door):
    """A door that lets everybody in as one role, if it has one."""

    role: Role | None = None

    def session(self, request: HTTPConnection) -> Principal | None:
        """Return who has the session that the request brings, with the role."""
        who = super().session(request)
        return None if who is None else self._roled(who)

    def require(self, request: Request) -> Principal:
        """Return them, or raise as the door does."""
        return self._roled(super().require(request))

    def _roled(self, who: Principal) -> Principal:
        return who if self.role is None else msgspec.structs.replace(who, role=self.role)


class Browser:
    """A browser in front of a console; it follows a link first unless told not to."""

    def __init__(self, house: ToldHouse, *, enters: bool = True, role: Role | None = None) -> None:
        self.noted: list[tuple[str, Deed]] = []
        self.audit_fails = False
        self.clock = SimulatedClock(START)
        self.links = Links()
        self.accounts = Accounts(ControlStore(Path(":memory:")), bytes(32), self.clock, PASSWORDS, "The corner shop")
        self.door = Roled(self.accounts, self.links)
        self.door.role = role
        self.console = Console(house, self.door, self.accounts, self, "The corner shop", default_rules())
        self.cookies = httpx.Cookies()
        if enters:
            self.enter()

    async def note(self, by: str, deed: Deed) -> None:
        """Write down what the audit is told."""
        if self.audit_fails:
            raise StoreError("the audit cannot be written")
        self.noted.append((by, deed))

    def enter(self) -> httpx.Response:
        """Follow a new one-time link."""
        return self.get(f"/open/{self.links.new(self.clock.now_ms())}")

    def get(self, path: str, params: dict[str, str] | None = None, **headers: str) -> httpx.Response:
        """Ask for a page."""
        asked = str(httpx.URL(path, params=params)) if params else path
        return asyncio.run(self._send("GET", asked, headers, None))

    def post(self, path: str, form: dict[str, str], **headers: str) -> httpx.Response:
        """Send a form as a page of the console does."""
        return asyncio.run(self._send("POST", path, {"origin": ORIGIN, **headers}, form))

    async def _send(
        self, method: str, path: str, headers: dict[str, str], form: dict[str, str] | None
    ) -> httpx.Response:
        app = Starlette(routes=self.console.routes())
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, cookies=self.cookies) as client:
            answer = await client.request(method, path, headers=headers, data=form)
            self.cookies = client.cookies
            return answer
