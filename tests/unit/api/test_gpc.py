from __future__ import annotations

import asyncio

import httpx
from starlette.applications import Starlette

from livepost.api.gpc import PATH, gpc_routes


def test_the_site_says_that_it_honours_global_privacy_control() -> None:
    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=gpc_routes()))
        async with httpx.AsyncClient(transport=transport, base_url="http://shop.example") as browser:
            return await browser.get(PATH)

    reply = asyncio.run(asked())
    assert reply.json() == {"gpc": True, "lastUpdate": "2026-11-23"}
    assert reply.headers["content-type"] == "application/json"
