"""The console's door: a login or a one-time link gives a session, a session opens pages.

In: requests. Out: who asks, cookies, or an error that says how to get in. Promised: without a session nothing of the
house is shown; a form is taken only from a page of our own, so that no other site can send one: its `Origin` is this
one, and a browser that says where a request comes from (`Sec-Fetch-Site`) says that it is this very origin.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from http import HTTPStatus
from typing import Literal

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response

from livepost.control.sessions import Session
from livepost.errors import RejectedError, StoreError
from livepost.govern.login.accounts import SECOND_MS, SESSION_MS, Accounts, principal_of
from livepost.govern.login.oidc.attempts import ATTEMPT_MS
from livepost.govern.session import COOKIE, SECOND_COOKIE, SIGN_IN_COOKIE, Links, cookie_name
from livepost.model.principal import Principal

LINK_PATH = "/open/{word}"


class Door:
    """Who may come in."""

    def __init__(self, accounts: Accounts, links: Links) -> None:
        self._accounts = accounts
        self._links = links

    def session(self, request: HTTPConnection) -> Principal | None:
        """Return who has the session that the request brings, if it holds; else None."""
        found = self.found(request)
        return None if found is None else principal_of(found)

    def found(self, request: HTTPConnection) -> Session | None:
        """Return the session that the request brings, if it holds; else None."""
        return self._accounts.session(_word(request, COOKIE))

    def require(self, request: Request) -> Principal:
        """Return who has the session; raise RejectedError (401) without one, (403) for a form of no page of ours."""
        return principal_of(self.require_session(request))

    def require_session(self, request: Request) -> Session:
        """Do what `require` does and return the session; that it is used is noted meanwhile."""
        found = self.found(request)
        if found is None:
            raise RejectedError(
                "this browser has no session, or its session has ended",
                code="no_session",
                status=HTTPStatus.UNAUTHORIZED,
            )
        require_own(request)
        if self._accounts.is_stale(found):
            asyncio.get_running_loop().run_in_executor(None, self._touch, found)
        return found

    def holds(self, request: HTTPConnection, who: Principal) -> Callable[[], bool]:
        """Return what says whether the request's session is still that of somebody with the same role."""
        word = _word(request, COOKIE)

        def holds() -> bool:
            with contextlib.suppress(StoreError):
                return self._accounts.who(word) == who
            return False

        return holds

    async def follow(self, request: Request) -> Response:
        """Answer a one-time link: begin a session. A browser that has one already is let through.

        Raises RejectedError (401) for a link that was followed before or waited too long.
        """
        if self._links.take(request.path_params["word"], self._accounts.now_ms()):
            word = await run_in_threadpool(self._accounts.begin_by_link)
            return let_in(request, RedirectResponse("/", HTTPStatus.SEE_OTHER), word)
        if self.session(request):
            return RedirectResponse("/", HTTPStatus.SEE_OTHER)
        raise RejectedError(
            "this link was followed before, or it waited too long", code="link", status=HTTPStatus.UNAUTHORIZED
        )

    async def leave(self, request: Request) -> Response:
        """End the session that a form of ours brings; raise RejectedError as `require` does."""
        found = self.require_session(request)
        await run_in_threadpool(self._accounts.sessions.end, found.id)
        answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        _drop(request, answer, COOKIE)
        return answer

    def _touch(self, session: Session) -> None:
        with contextlib.suppress(StoreError):  # it ends a little early then
            self._accounts.touch(session)


def let_in(request: Request, answer: Response, word: str) -> Response:
    """Give the browser a session's word; what waited for a second factor is over."""
    _keep(request, answer, COOKIE, word, SESSION_MS)
    for name in (SECOND_COOKIE, SIGN_IN_COOKIE):
        if _word(request, name):
            _drop(request, answer, name)
    return answer


def ask_for_code(request: Request, answer: Response, word: str) -> Response:
    """Give the browser the word of a wait for a second factor."""
    _keep(request, answer, SECOND_COOKIE, word, SECOND_MS)
    return answer


def waiting_word(request: Request) -> str:
    """Return the word of the wait for a second factor that a browser is in, "" for none."""
    return _word(request, SECOND_COOKIE)


def send_away(request: Request, answer: Response, word: str) -> Response:
    """Give the browser the word of an attempt to sign in at a provider."""
    _keep(request, answer, SIGN_IN_COOKIE, word, ATTEMPT_MS, samesite="lax")
    return answer


def attempt_word(request: Request) -> str:
    """Return the word of the attempt to sign in that a browser is in, "" for none."""
    return _word(request, SIGN_IN_COOKIE)


def require_own(request: Request) -> None:
    """Raise RejectedError (403) for a form of no page of this origin; browsers send `Origin` with every POST, and most
    say besides whether it is the same origin: another port of this host is the same site only.
    """
    if request.method != "POST":
        return
    host = request.headers.get("host", "")
    is_own = request.headers.get("origin", "") in (f"http://{host}", f"https://{host}")
    if not is_own or request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise RejectedError(
            "expected a form of the console's own pages, got one from elsewhere; open the page and send it there",
            code="origin",
            status=HTTPStatus.FORBIDDEN,
        )


def is_secure(request: HTTPConnection) -> bool:
    """Return whether a request came over TLS."""
    return request.scope.get("scheme") in ("https", "wss")


def _word(request: HTTPConnection, name: str) -> str:
    return request.cookies.get(cookie_name(name, secure=is_secure(request)), "")


def _keep(
    request: Request, answer: Response, name: str, word: str, for_ms: int, samesite: Literal["strict", "lax"] = "strict"
) -> None:
    secure = is_secure(request)
    answer.set_cookie(
        cookie_name(name, secure=secure),
        word,
        max_age=for_ms // 1000,
        httponly=True,
        samesite=samesite,
        secure=secure,
    )


def _drop(request: Request, answer: Response, name: str) -> None:
    secure = is_secure(request)
    answer.delete_cookie(cookie_name(name, secure=secure), httponly=True, samesite="strict", secure=secure)
