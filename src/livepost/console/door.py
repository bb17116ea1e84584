"""The console's door: a one-time link gives a session, a session opens pages.

In: requests. Out: a cookie, or a page that says how to get in. Promised: without a session nothing of the house is
shown; a form is taken only from a page of our own (Origin), so that no other site can send one.
"""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response

from livepost.audit.deed import by_session
from livepost.clock import Clock
from livepost.errors import RejectedError
from livepost.govern.session import COOKIE, SESSION_MS, Links, Sessions
from livepost.model.principal import Principal

LINK_PATH = "/open/{word}"


class Door:
    """Who may come in. `clock` is the host's."""

    def __init__(self, sessions: Sessions, links: Links, clock: Clock) -> None:
        self._sessions = sessions
        self._links = links
        self._clock = clock

    def session(self, request: HTTPConnection) -> Principal | None:
        """Return who has the session that the request brings, if it holds; else None."""
        id = self._sessions.id_of(request.cookies.get(COOKIE, ""), self._clock.now_ms())
        return Principal(by=by_session(id), role="owner") if id else None

    def require(self, request: Request) -> Principal:
        """Return who has the session; raise RejectedError (401) without one, (403) for a form of no page of ours."""
        who = self.session(request)
        if who is None:
            raise RejectedError(
                "this browser has no session, or its session has ended",
                code="no_session",
                status=HTTPStatus.UNAUTHORIZED,
            )
        if request.method == "POST" and not _is_own(request):
            raise RejectedError(
                "expected a form of the console's own pages, got one from elsewhere; open the page and send it there",
                code="origin",
                status=HTTPStatus.FORBIDDEN,
            )
        return who

    def follow(self, request: Request) -> Response:
        """Answer a one-time link: begin a session. A browser that has one already is let through.

        Raises RejectedError (401) for a link that was followed before or waited too long.
        """
        now_ms = self._clock.now_ms()
        if self._links.take(request.path_params["word"], now_ms):
            answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
            secure = request.url.scheme == "https"
            answer.set_cookie(
                COOKIE,
                self._sessions.begin(now_ms),
                max_age=SESSION_MS // 1000,
                httponly=True,
                samesite="strict",
                secure=secure,
            )
            return answer
        if self.session(request):
            return RedirectResponse("/", HTTPStatus.SEE_OTHER)
        raise RejectedError(
            "this link was followed before, or it waited too long", code="link", status=HTTPStatus.UNAUTHORIZED
        )


def leave() -> Response:
    """Return the answer that ends the browser's session."""
    answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


def _is_own(request: Request) -> bool:
    """Say whether a form comes from a page of this origin; browsers send `Origin` with every POST."""
    origin = request.headers.get("origin", "")
    return origin in (f"http://{request.headers.get('host', '')}", f"https://{request.headers.get('host', '')}")
