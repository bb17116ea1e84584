"""The console's routes: its pages in one tuple, its door, its files.

In: a house and who may look at it. Out: routes for a Starlette app. Promised: strict CSP on everything; a page is
shown whole, or a page of trouble is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus
from importlib.resources import files
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from livepost.audit.deed import Notary
from livepost.console import state, words
from livepost.console.approvals import APPROVALS
from livepost.console.audit import AUDIT
from livepost.console.campaign import CAMPAIGN
from livepost.console.campaigns import CAMPAIGNS
from livepost.console.consents import CONSENTS
from livepost.console.dead import DEAD
from livepost.console.delivery import MAILS, STORY
from livepost.console.door import LINK_PATH, Door, is_secure
from livepost.console.entrance import Entrance
from livepost.console.flow import FLOW
from livepost.console.glass import GLASS
from livepost.console.holdings import HOLDINGS
from livepost.console.house import House
from livepost.console.keys import KEYS
from livepost.console.letter import LETTER
from livepost.console.live import MEDIA_TYPE, Live, Look
from livepost.console.mailbox import MAIL, MAIL_FILE, MAIL_HTML, MAILBOX
from livepost.console.page import Elsewhere, Form, Page, Paper, asked_of, need_of, told_of
from livepost.console.people import PEOPLE
from livepost.console.person import PERSON
from livepost.console.policies import POLICIES
from livepost.console.preview import PREVIEW, PREVIEW_HTML
from livepost.console.providers import PROVIDERS
from livepost.console.receipts import RECEIPT, RECEIPT_FILE, RECEIPTS
from livepost.console.requests import REQUEST, REQUESTS
from livepost.console.retention import RETENTION
from livepost.console.segment import SEGMENT
from livepost.console.segments import SEGMENTS
from livepost.console.suppressions import SUPPRESSIONS
from livepost.console.system import SYSTEM
from livepost.console.trouble import Trouble, still, trouble_of
from livepost.console.webhooks import WEBHOOKS
from livepost.errors import LivepostError
from livepost.govern.access.permission import Permission
from livepost.govern.access.rules import Rules
from livepost.govern.login.accounts import Accounts
from livepost.govern.login.oidc.provider import Provider
from livepost.model.principal import USER, Principal
from livepost.ops.seen import seen_by

PAGES: tuple[Page, ...] = (
    FLOW,
    PEOPLE,
    PERSON,
    HOLDINGS,
    REQUESTS,
    REQUEST,
    RECEIPTS,
    RECEIPT,
    SEGMENTS,
    SEGMENT,
    CAMPAIGNS,
    CAMPAIGN,
    MAILS,
    STORY,
    MAILBOX,
    MAIL,
    PREVIEW,
    DEAD,
    LETTER,
    SYSTEM,
    SUPPRESSIONS,
    CONSENTS,
    PROVIDERS,
    WEBHOOKS,
    KEYS,
    AUDIT,
    POLICIES,
    APPROVALS,
    RETENTION,
    GLASS,
)
"""All pages; those without a `rail` of their own stand in the rail, in this order."""

PAPERS: tuple[Paper, ...] = (MAIL_HTML, MAIL_FILE, PREVIEW_HTML, RECEIPT_FILE)
"""What pages show in frames or give to keep."""

FILES = {"console.css": "text/css; charset=utf-8", "console.js": "text/javascript; charset=utf-8"}
FILES_MAX_AGE_S = 3_600

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers say `Origin: null` in forms of our own, too
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""What everything is sent with; pages may show frames besides (`page_headers`)."""

STRICT_TRANSPORT = {"Strict-Transport-Security": "max-age=31536000"}
"""What a page that came over TLS is sent with: the browser asks this host by TLS only from then on (RFC 6797)."""

FRAMES = tuple(paper.path.partition("{")[0] for paper in PAPERS if paper.framed)
"""Where the addresses of frames begin."""

_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")


class Console:
    """The console over one house."""

    def __init__(
        self,
        house: House,
        door: Door,
        accounts: Accounts,
        notary: Notary,
        shop_name: str,
        rules: Rules,
        provider: Provider | None = None,
    ) -> None:
        """Take the house, who may come in, who writes down what is seen and done, who decides who may, and where else
        people may sign in.
        """
        self._house = house
        self._door = door
        self._notary = notary
        self._rules = rules
        self._entrance = Entrance(
            door, accounts, notary, self._render, lambda error: self.trouble(trouble_of(error)), rules, provider
        )
        self._live = Live()
        folder = str(files("livepost.console") / "templates")
        # A template is looked up once: nobody edits them while a house runs.
        self._templates = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update({**words.FILTERS, **state.FILTERS})
        self._templates.globals.update(words.FUNCTIONS, shop_name=shop_name, rail=self._rail(None))

    def routes(self) -> list[Route]:
        """Return all routes."""
        pages = [Route(page.path, self._endpoint(page), methods=["GET"], name=page.name) for page in PAGES]
        forms = [Route(page.path, self._taking(page, page.form), methods=["POST"]) for page in PAGES if page.form]
        papers = [Route(paper.path, self._giving(paper), methods=["GET"]) for paper in PAPERS]
        own = [
            Route(LINK_PATH, self._follow, methods=["GET"]),
            Route("/close", self._leave, methods=["POST"]),
            *(Route(f"/console/{name}", _file(name, kind), methods=["GET"]) for name, kind in FILES.items()),
        ]
        return [*papers, *pages, *forms, *own, *self._entrance.routes()]

    def close(self) -> None:
        """End what is live."""
        self._live.close()

    def trouble(self, told: Trouble, page: Page | None = None, who: Principal | None = None) -> Response:
        """Return a page of trouble; that of a house which does not answer turns into the page as soon as it does."""
        context = {"title": told.title, "place": _place(page), "is_live": told.passes, "is_open": page is not None}
        context["rail"] = self._rail(who)
        html = self._templates.get_template("trouble.html").render(context, trouble=told)
        return HTMLResponse(html, told.status, HEADERS)

    def _endpoint(self, page: Page) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            who = self._door.session(request)
            try:
                who = self._allowed(request, page.needs)
                asked = asked_of(page, request)
                if page.live and MEDIA_TYPE in request.headers.get("accept", ""):
                    looking = self._looking(page, asked, who)
                    return self._live.answer(looking, page.every_s, self._door.holds(request, who))
                view = await run_in_threadpool(page.show, self._seen(who), asked)
                if page.sees is not None:
                    await self._notary.note(who.noted, page.sees(asked, view))
                return await run_in_threadpool(self._answer, page, asked, view, request, who)
            except LivepostError as error:
                told = trouble_of(error)
                return self.trouble(told if page.live else still(told), page, who)

        return endpoint

    def _taking(self, page: Page, form: Form) -> Callable[[Request], Any]:
        """Return what takes a page's forms; it answers with the page, which is not live then."""
        unmoving = msgspec.structs.replace(page, live=False)

        async def endpoint(request: Request) -> Response:
            who = self._door.session(request)
            try:
                who = self._allowed(request, page.needs)
                asked, told = asked_of(page, request), await told_of(form, request)
                self._rules.require(who, need_of(form, told))
                await self._notary.note(who.noted, form.does(asked, told))
                view = await run_in_threadpool(form.take, self._seen(who), asked, told)
                return await run_in_threadpool(self._answer, unmoving, asked, view, request, who)
            except LivepostError as error:
                return self.trouble(still(trouble_of(error)), page, who)

        return endpoint

    def _giving(self, paper: Paper) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            try:
                who = self._allowed(request, paper.needs)
                if paper.framed and request.headers.get("sec-fetch-dest") == "document":
                    return RedirectResponse(_above(request), HTTPStatus.SEE_OTHER)
                asked = asked_of(paper, request)
                await self._notary.note(who.noted, paper.sees(asked))
                given = await run_in_threadpool(paper.give, self._seen(who), asked)
                return Response(given.body, headers={**HEADERS, **given.headers}, media_type=given.kind)
            except LivepostError as error:
                return self.trouble(still(trouble_of(error)))

        return endpoint

    def _allowed(self, request: Request, needs: Permission) -> Principal:
        """Return who asks; raise RejectedError (401, 403) unless they have a session and a role that may."""
        who = self._door.require(request)
        self._rules.require(who, needs)
        return who

    def _seen(self, who: Principal) -> House:
        """Return the house as somebody sees it."""
        return seen_by(self._house, self._rules.sight(who), who.by if who.by.startswith(USER) else "")

    def _rail(self, who: Principal | None) -> list[Page]:
        """Return the rail's pages that somebody may be shown; all where it is not known who that is."""
        return [page for page in PAGES if not page.rail and (who is None or self._rules.may(who, page.needs))]

    def _context(self, page: Page, asked: msgspec.Struct, view: msgspec.Struct, who: Principal) -> dict[str, Any]:
        acts = page.form.needs if page.form else {}
        return {
            "view": view,
            "asked": asked,
            "title": page.title,
            "place": _place(page),
            "is_live": page.live,
            "is_open": True,
            "rail": self._rail(who),
            "glass": who.glass,
            "acts": {act for act, need in acts.items() if self._rules.may(who, need)},
        }

    def _answer(
        self, page: Page, asked: msgspec.Struct, view: msgspec.Struct, request: Request, who: Principal
    ) -> Response:
        """Return a page, or the way to where it is."""
        headers = page_headers(request)
        if isinstance(view, Elsewhere):
            return RedirectResponse(view.path, HTTPStatus.SEE_OTHER, headers)
        html = self._templates.get_template(f"{page.name}.html").render(self._context(page, asked, view, who))
        return HTMLResponse(html, headers=headers)

    def _looking(self, page: Page, asked: msgspec.Struct, who: Principal) -> Look:
        """Return what looks at a page's live part again and again; the audit is told of each person once."""
        noted: set[bytes] | None = None

        async def look() -> str:
            nonlocal noted
            try:
                view = await run_in_threadpool(page.show, self._seen(who), asked)
                if page.sees is not None:
                    deed = page.sees(asked, view)
                    if noted is None or not noted.issuperset(deed.people):
                        await self._notary.note(who.noted, deed)
                        noted = {*(noted or ()), *deed.people}
                return await run_in_threadpool(self._live_part, page, asked, view, who)
            except LivepostError as error:
                return self._templates.get_template("trouble_words.html").render(trouble=trouble_of(error))

        return look

    def _live_part(self, page: Page, asked: msgspec.Struct, view: msgspec.Struct, who: Principal) -> str:
        told = self._context(page, asked, view, who)
        if isinstance(view, Elsewhere):
            return self._templates.get_template("elsewhere.html").render(told)
        template = self._templates.get_template(f"{page.name}.html")
        return "".join(template.blocks["live"](template.new_context(told)))

    async def _follow(self, request: Request) -> Response:
        try:
            return await self._door.follow(request)
        except LivepostError as error:
            return self.trouble(trouble_of(error))

    async def _leave(self, request: Request) -> Response:
        try:
            return await self._door.leave(request)
        except LivepostError as error:
            return self.trouble(trouble_of(error))

    def _render(self, request: Request, name: str, title: str, view: Any, status: int, is_open: bool) -> Response:
        """Make a page that is none of `PAGES`."""
        told = {"view": view, "title": title, "place": "system", "is_live": False, "is_open": is_open}
        told["rail"] = self._rail(self._door.session(request))
        html = self._templates.get_template(f"{name}.html").render(told)
        return HTMLResponse(html, status, page_headers(request))


def page_headers(request: Request) -> dict[str, str]:
    """Return what a page is sent with. Of this host its frames show mails, and nothing else: a link in a mail may lead
    to this host, where following it would count as a click.
    """
    host = request.headers.get("host", "")
    frames = " ".join(f"{host}{path}" for path in FRAMES) if _HOST.fullmatch(host) else "'none'"
    told = {**HEADERS, "Content-Security-Policy": f"{HEADERS['Content-Security-Policy']}; frame-src {frames}"}
    return {**told, **STRICT_TRANSPORT} if is_secure(request) and _is_public(request.url.hostname) else told


def _is_public(host: str | None) -> bool:
    """Return whether a host is a name that is this house's alone: `localhost` has other servers, on other ports."""
    return bool(host) and host != "localhost" and not str(host).replace(".", "").isdigit() and ":" not in str(host)


def _above(request: Request) -> str:
    """Return the address of the page that shows what the request asks for in a frame."""
    query = f"?{request.url.query}" if request.url.query else ""
    return request.url.path.rpartition("/")[0] + query


def _place(page: Page | None) -> str:
    """Return the name of the rail's page that a page belongs to."""
    return "" if page is None else page.rail or page.name


def _file(name: str, kind: str) -> Callable[[Request], Any]:
    body = (files("livepost.console") / "static" / name).read_bytes()
    headers = {"Cache-Control": f"max-age={FILES_MAX_AGE_S}", "X-Content-Type-Options": "nosniff"}

    async def endpoint(request: Request) -> Response:
        return Response(body, HTTPStatus.OK, headers, kind)

    return endpoint
