"""Which rule each route of the front is under: one of `govern.access`, or none, which is then declared here with why.

In: routes of the front. Out: those that have neither. Promised: a front with such a route does not start.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from starlette.routing import BaseRoute, Route, WebSocketRoute

from livepost.api import opendsr, stream
from livepost.api.app import ACTIONS, OPERATIONS
from livepost.console.app import PAGES, PAPERS
from livepost.console.entrance import CHANGES_USERS, SEES_USERS
from livepost.govern.access.permission import Permission

WS = "WS"
"""Stands in the place of a method for a WebSocket."""

PUBLIC: dict[str, str] = {
    "/u/{token}": "the token of a mail is the right of who got it",
    "/c/{token}": "the token of a mail is the right of who got it",
    "/o/{token}.gif": "the token of a mail is the right of who got it",
    "/preferences/{token}": "the token of a mail is the right of who got it",
    "/confirm/{token}": "the token of a mail is the right of who got it",
    "/v1/subscribe": "a form of the shop's site, by write key",
    "/hooks/esp/{provider}": "a provider's signature",
    "/livez": "says whether it runs",
    "/readyz": "says whether it takes events",
    "/metrics": "counts, of nobody",
    "/openapi.json": "the API's description",
    "/open/{word}": "the way in: a one-time link",
    "/close": "the way out",
    "/login": "the way in: a password",
    "/login/code": "the way in: a second factor",
    "/login/oidc": "the way in: to the provider that the settings name",
    "/login/oidc/back": "the way in: from there, with a code",
    "/welcome/{word}": "the way in: the first password, by a one-time link",
    "/account": "one's own password, second factor and sessions",
    "/.well-known/gpc.json": "says that Global Privacy Control is heard",
    "/opendsr/cert.pem": "a public key",
    "/opendsr/results/{token}": "the token is the right of who asked",
    "/console/console.css": "how pages look",
    "/console/console.js": "how pages look",
}
"""Routes that no role is asked for, and why. The collector's are not among the routes: a write key may append.
OpenDSR's ask for a key that was made for them by its scope (`opendsr.NEEDS`)."""

Ruled = dict[tuple[str, str, str], Permission]
"""What is needed, by method, path and, of a page's forms, the act."""


def ruled() -> Ruled:
    """Return what each route of API and console needs."""
    return {(method, path, act): needs for method, path, act, needs in _ruled()}


def unruled(routes: Iterable[BaseRoute]) -> list[str]:
    """Return the routes, such as `GET /people`, that have no rule and are not declared public."""
    known = {(method, path) for method, path, _ in ruled()}
    return sorted(
        f"{method} {path}"
        for method, path in _methods(routes)
        if path not in PUBLIC and not opendsr.is_ours(path) and (method, path) not in known
    )


def _ruled() -> Iterator[tuple[str, str, str, Permission]]:
    for operation in OPERATIONS:
        yield "GET", operation.path, "", operation.needs
    for action in ACTIONS:
        yield "POST", action.path, "", action.needs
    yield WS, stream.PATH, "", stream.NEEDS
    for page in PAGES:
        yield "GET", page.path, "", page.needs
        for act, needs in page.form.needs.items() if page.form else ():
            yield "POST", page.path, act, needs
    yield "GET", "/users", "", SEES_USERS
    yield "POST", "/users", "", CHANGES_USERS
    for paper in PAPERS:
        yield "GET", paper.path, "", paper.needs


def _methods(routes: Iterable[BaseRoute]) -> Iterator[tuple[str, str]]:
    for route in routes:
        if isinstance(route, WebSocketRoute):
            yield WS, route.path
        elif isinstance(route, Route):
            for method in (route.methods or {"GET"}) - {"HEAD"}:
                yield method, route.path
        else:  # a mount could hold anything
            yield "ANY", getattr(route, "path", repr(route))
