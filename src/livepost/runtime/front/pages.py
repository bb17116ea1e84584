"""What the front answers besides events: the links of mails, health, the API, the console, and the routes of whoever
starts it.

In: the house's parts. Out: an ASGI app. Promised: a path that nobody has is answered as who asked can read it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import closing
from http import HTTPStatus
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from livepost.api.app import api_routes
from livepost.api.feed import Feed
from livepost.api.gpc import gpc_routes
from livepost.api.health import Health, health_routes
from livepost.api.hits import hit_routes
from livepost.api.mail import MailDesk, mail_routes
from livepost.api.preferences import preference_routes
from livepost.api.problem import http_error
from livepost.api.subscribe import SubscribeDesk, subscribe_routes
from livepost.audit.deed import Notary
from livepost.clock import WallClock
from livepost.console.app import Console
from livepost.console.door import Door
from livepost.console.trouble import missing
from livepost.govern.access.rules import PSEUDONYMS, load_rules
from livepost.govern.login.accounts import Accounts
from livepost.govern.login.oidc.provider import BACK_PATH, provider_of
from livepost.govern.login.password import Passwords
from livepost.govern.session import Links
from livepost.ledger.base import Ledger
from livepost.runtime.courier.targets import allowed_of
from livepost.runtime.data.accounts import PURPOSE
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.client import EngineClient
from livepost.runtime.engine.happened import Happened
from livepost.runtime.front.broadcasting import Broadcasting
from livepost.runtime.front.ruled import unruled
from livepost.runtime.front.sending import Sending
from livepost.runtime.front.telling import Telling
from livepost.runtime.front.tending import Tending
from livepost.settings.secret import read_secret
from livepost.vault.base import Vault


class Pages:
    """The front's pages; `more` are routes of whoever starts it, behind the house's own."""

    def __init__(
        self,
        folder: DataFolder,
        vault: Vault,
        ledger: Ledger,
        house: Tending,
        sending: Sending,
        broadcasting: Broadcasting,
        desk: MailDesk,
        subscribing: SubscribeDesk,
        notary: Notary,
        trouble: Callable[[], str | None],
        home: Path,
        more: Sequence[BaseRoute],
    ) -> None:
        """Take the parts; `notary` writes down who saw and changed what, `trouble` says why no events are taken now.
        `home` is the author's folder, whose policies are read once.
        """
        self._folder = folder
        self._links = Links()
        rules = load_rules(home, vault.secret(PSEUDONYMS), folder.path)
        self._control = folder.control()
        accounts = Accounts(self._control, vault.secret(PURPOSE), WallClock(), Passwords(), folder.settings.shop_name)
        door = Door(accounts, self._links)
        settings = folder.settings
        provider = provider_of(
            settings.oidc,
            lambda: f"{settings.oidc.console.rstrip('/') or folder.console_url}{BACK_PATH}",
            allowed_of(settings),
            WallClock(),
            lambda key, reference: read_secret(key, reference, os.environ),
        )
        self._console = Console(house, door, accounts, notary, folder.settings.shop_name, rules, provider)
        self._engine = EngineClient(folder)
        self._people = EngineClient(folder)
        telling = Telling(lambda: house.gate, self._people, ledger, folder.clock)
        feed = Feed(Happened(self._engine, ledger), telling)
        routes = [
            *mail_routes(desk),
            *hit_routes(desk),
            *preference_routes(desk),
            *subscribe_routes(subscribing),
            *gpc_routes(),
            *health_routes(Health(trouble=trouble, metrics=house.metrics)),
            *api_routes(house, folder.keys, sending, broadcasting, feed, door.session, notary, rules),
            *self._console.routes(),
        ]
        if without := unruled(routes):
            raise ValueError(f"expected a rule for each route, got none for {', '.join(without)}; say what it needs")
        self.app = Starlette(routes=[*routes, *more], exception_handlers={HTTPException: self._lost})

    def new_link(self) -> str:
        """Return a new one-time link to the console."""
        return f"{self._folder.console_url}/open/{self._links.new(WallClock().now_ms())}"

    def end_streams(self) -> None:
        """End what is live, so that the server can stop."""
        self._console.close()

    def close(self) -> None:
        """Release what the pages have open."""
        with closing(self._engine), closing(self._people), closing(self._control):
            self.end_streams()

    async def _lost(self, request: Request, error: Exception) -> Response:
        """Answer what Starlette refuses: a page for a browser that asks for one, else what the API says."""
        if isinstance(error, HTTPException) and error.status_code == HTTPStatus.NOT_FOUND and _wants_page(request):
            return self._console.trouble(missing(request.url.path))
        return await http_error(request, error)


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")
