"""The shop's pages and its server, as HTTP asks, before a house that is away; a real one is in tests/real."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from contextlib import closing
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from livepost.clock import SimulatedClock
from livepost.demo.storefront.catalogue import read_catalogue
from livepost.demo.storefront.line import HouseLine
from livepost.demo.storefront.pages import BODY_MAX, Storefront, storefront_routes

BROWSER = "4f489be9-e442-4d4f-9a8b-0123456789ab"
SIGNING_IN = {"visitor": BROWSER, "first_name": "Ada", "may_write": True}
JSON = {"content-type": "application/json"}


def ask(path: str, method: str = "GET", **more: Any) -> httpx.Response:
    """Ask a shop whose house is away."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return asyncio.run(_ask(path, method, free.getsockname()[1], more))


async def _ask(path: str, method: str, port: int, more: dict[str, Any]) -> httpx.Response:
    async with HouseLine(lambda: port, "lp_secret_x") as line:
        shop = Storefront(
            line=line,
            write_key="lp_write_x",
            clock=SimulatedClock(0),
            speed=600.0,
            shop_name="The <Shop>",
            sender="The <Shop> <a@b.example>",
            currency="USD",
        )
        transport = httpx.ASGITransport(app=Starlette(routes=storefront_routes(shop)))
        async with httpx.AsyncClient(transport=transport, base_url="http://shop.example") as client:
            return await client.request(method, path, **more)


def test_the_shop_shows_every_product_with_name_price_picture_and_a_page_of_its_own() -> None:
    page = ask("/shop").text
    for product in read_catalogue():
        assert f'href="/shop/product/{product.product_id}"' in page
        assert f"/shop/picture/{product.product_id}.svg" in page
        assert product.name in page and f"${product.price}" in page
        assert product.name in ask(f"/shop/product/{product.product_id}").text


def test_a_shelf_shows_its_own_products_only() -> None:
    page = ask("/shop?shelf=Bakery").text
    assert "Doughnuts" in page and "Bananas" not in page


@pytest.mark.parametrize("path", ["/shop?shelf=Moon", "/shop/product/0", "/shop/picture/0.svg", "/shop/static/no.js"])
def test_what_is_not_there_is_not_found(path: str) -> None:
    assert ask(path).status_code == 404


def test_no_page_has_inline_script_or_style_or_sets_a_cookie() -> None:
    reply = ask("/shop")
    assert re.findall(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|javascript:", reply.text) == []
    assert "set-cookie" not in reply.headers
    policy = reply.headers["content-security-policy"]
    assert "script-src 'self';" in policy and "style-src 'self';" in policy and "unsafe" not in policy


def test_what_settings_say_stands_on_the_page_as_text() -> None:
    assert "The &lt;Shop&gt;" in ask("/shop").text and "<Shop>" not in ask("/shop").text


def test_the_letters_frame_may_run_no_script_and_load_nothing() -> None:
    policy = ask("/shop/letter").headers["content-security-policy"]
    assert policy.startswith("sandbox allow-same-origin; default-src 'none'")
    assert "allow-scripts" not in policy and "script-src" not in policy


@pytest.mark.parametrize("visitor", ["h0900", "h0900@example.com", "browser-of-h0900", "0" * 32, "../status", ""])
def test_the_desk_tells_nobody_of_somebody_else(visitor: str) -> None:
    assert ask("/shop/desk", params={"visitor": visitor}).status_code == 400


@pytest.mark.parametrize("wait", ["-2", "x", "1e3", "9" * 16, "٣", ""])
def test_a_position_is_a_number_or_not_waited_for(wait: str) -> None:
    assert ask("/shop/desk", params={"visitor": BROWSER, "wait": wait}).status_code == 400


def test_where_the_house_is_away_the_shop_says_so_and_still_sells() -> None:
    assert ask("/shop/desk", params={"visitor": BROWSER}).status_code == 503
    assert ask("/shop/visitor", "POST", json=SIGNING_IN).status_code == 503
    assert ask("/shop").status_code == 200


@pytest.mark.parametrize(
    "changed", [{"visitor": "h0900"}, {"first_name": " "}, {"first_name": "a\u202eb"}, {"may_write": 1}]
)
def test_signing_in_takes_what_the_form_can_say_and_nothing_else(changed: dict[str, Any]) -> None:
    assert ask("/shop/visitor", "POST", json=SIGNING_IN | changed).status_code == 400


def test_a_form_of_another_site_signs_nobody_in() -> None:
    body = json.dumps(SIGNING_IN)
    assert ask("/shop/visitor", "POST", content=body, headers={"content-type": "text/plain"}).status_code == 415


def test_a_body_is_bounded() -> None:
    body = json.dumps(SIGNING_IN).encode()
    fits, large = body.ljust(BODY_MAX), body.ljust(BODY_MAX + 1)
    assert ask("/shop/visitor", "POST", content=fits, headers=JSON).status_code == 503  # read, and told to nobody there
    assert ask("/shop/visitor", "POST", content=large, headers=JSON).status_code == 400
