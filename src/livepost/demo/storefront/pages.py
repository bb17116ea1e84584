"""The routes below `/shop`: pages that read well without a script, and what the page's own script asks for.

In: a browser's requests. Out: pages, pictures, the desk as JSON. Promised: no cookie, no inline script or style on a
page; a body is at most BODY_MAX bytes; the letter stands in a frame that runs no script and leads nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from livepost.clock import HOUR_MS, SECOND_MS, Clock
from livepost.demo.storefront.catalogue import Product, read_catalogue
from livepost.demo.storefront.desk import desk_of
from livepost.demo.storefront.line import HouseAwayError, HouseLine, NobodyError
from livepost.demo.storefront.pictures import picture
from livepost.demo.storefront.visitor import SignedIn, SigningIn, identify_call, is_anonymous_id, new_user_id

BODY_MAX = 2_000
_FOLDER = Path(__file__).parent
_WAIT = re.compile(r"-1|\d{1,15}", re.ASCII)
_JSON = "application/json"
_SAFE = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
_PAGE = _SAFE | {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
}
_LETTER = _SAFE | {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "sandbox allow-same-origin; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'",
}
_PICTURE = _SAFE | {"Cache-Control": "public, max-age=3600", "Content-Security-Policy": "default-src 'none'"}
_ANSWER = _SAFE | {"Cache-Control": "no-store"}
_BLANK = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Letter</title></head><body></body></html>'


class Storefront(msgspec.Struct, frozen=True, kw_only=True):
    """What the shop needs: its line to the house, its write key for browsers, its clock and how fast that goes.

    `sender` is whom its letters are from, as a person reads it.
    """

    line: HouseLine
    write_key: str
    clock: Clock
    speed: float
    shop_name: str
    sender: str
    currency: str


def storefront_routes(shop: Storefront) -> list[Route | Mount]:
    """Return the routes, for a Starlette app."""
    products = read_catalogue()
    shown = _Shown(shop, products)
    return [
        Route("/shop", shown.shelf, methods=["GET"]),
        Route("/shop/product/{id}", shown.product, methods=["GET"]),
        Route("/shop/picture/{id}.svg", shown.picture, methods=["GET"]),
        Route("/shop/letter", _letter, methods=["GET"]),
        Route("/shop/desk", _with(shop, _desk), methods=["GET"]),
        Route("/shop/visitor", _with(shop, _sign_in), methods=["POST"]),
        Mount("/shop/static", StaticFiles(directory=_FOLDER / "static")),
    ]


class _Shown:
    """The pages of one shop."""

    def __init__(self, shop: Storefront, products: tuple[Product, ...]) -> None:
        self._products = {one.product_id: one for one in products}
        self._pictures = {one.product_id: picture(one) for one in products}
        loader = FileSystemLoader(_FOLDER / "templates")
        pages = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        self._page = pages.get_template("shop.html")
        self._given = {
            "shop": shop,
            "shelves": list(dict.fromkeys(one.category for one in products)),
            "hour_s": HOUR_MS / SECOND_MS / shop.speed,
        }

    def shelf(self, request: Request) -> Response:
        category = request.query_params.get("shelf", "")
        products = [one for one in self._products.values() if category in ("", one.category)]
        if not products:
            return PlainTextResponse("There is no such shelf. All of them: /shop\n", HTTPStatus.NOT_FOUND, _PAGE)
        return self._html(products=products, category=category, product=None)

    def product(self, request: Request) -> Response:
        found = self._products.get(request.path_params["id"])
        if found is None:
            return PlainTextResponse("There is no such product. All of them: /shop\n", HTTPStatus.NOT_FOUND, _PAGE)
        beside = [one for one in self._products.values() if one.category == found.category and one is not found]
        return self._html(products=beside, category=found.category, product=found)

    def picture(self, request: Request) -> Response:
        found = self._pictures.get(request.path_params["id"])
        if found is None:
            return PlainTextResponse("There is no such picture.\n", HTTPStatus.NOT_FOUND, _PICTURE)
        return Response(found, headers=_PICTURE, media_type="image/svg+xml")

    def _html(self, **given: object) -> Response:
        return HTMLResponse(self._page.render(self._given | given), headers=_PAGE)


def _with(
    shop: Storefront, answer: Callable[[Storefront, Request], Awaitable[Response]]
) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint that knows the shop, and what it answers where the house does not."""

    async def endpoint(request: Request) -> Response:
        try:
            return await answer(shop, request)
        except NobodyError:
            return _problem(HTTPStatus.NOT_FOUND, "nobody is known by this id yet")
        except HouseAwayError:
            return _problem(HTTPStatus.SERVICE_UNAVAILABLE, "the house does not answer just now; ask again")

    return endpoint


async def _letter(request: Request) -> Response:
    return HTMLResponse(_BLANK, headers=_LETTER)


async def _desk(shop: Storefront, request: Request) -> Response:
    visitor, wait = request.query_params.get("visitor", ""), request.query_params.get("wait", "-1")
    if not is_anonymous_id(visitor):
        return _problem(HTTPStatus.BAD_REQUEST, "expected the id that the snippet drew in this browser, got another")
    if not _WAIT.fullmatch(wait):
        return _problem(HTTPStatus.BAD_REQUEST, "expected a log position as `wait`, got another word")
    told = await shop.line.told(visitor, int(wait))
    return _json(desk_of(told, now_ms=shop.clock.now_ms(), speed=shop.speed))


async def _sign_in(shop: Storefront, request: Request) -> Response:
    """Make somebody known: only JSON is read, which a form of another site cannot send."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != _JSON:
        return _problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"expected {_JSON}")
    try:
        said = msgspec.json.decode(await _body(request), type=SigningIn)
    except (ValueError, RecursionError, ClientDisconnect):
        return _problem(HTTPStatus.BAD_REQUEST, "expected a first name of 1 to 40 characters, and a yes or no")
    if not said.first_name.isprintable() or not said.first_name.strip():
        return _problem(HTTPStatus.BAD_REQUEST, "expected a first name that can be read")
    user_id = new_user_id()
    position = await shop.line.identify(identify_call(said, user_id))
    return _json(SignedIn(user_id=user_id, first_name=said.first_name.strip(), position=position))


async def _body(request: Request) -> bytes:
    """Return a body of at most BODY_MAX bytes, or nothing of a larger one."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > BODY_MAX:
            return b""
    return body


def _json(told: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(told), headers=_ANSWER, media_type=_JSON)


def _problem(status: int, detail: str) -> Response:
    return Response(msgspec.json.encode({"detail": detail}), status, _ANSWER, _JSON)
