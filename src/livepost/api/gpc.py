"""`/.well-known/gpc.json`: that this site honours Global Privacy Control (W3C, "GPC Support Resource")."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

PATH = "/.well-known/gpc.json"
SINCE = "2026-11-23"
"""Since when it does."""

_MAX_AGE_S = 86_400


def gpc_routes() -> list[Route]:
    """Return the route, for a Starlette app."""

    async def told(request: Request) -> Response:
        headers = {"Cache-Control": f"public, max-age={_MAX_AGE_S}", "Access-Control-Allow-Origin": "*"}
        return JSONResponse({"gpc": True, "lastUpdate": SINCE}, headers=headers)

    return [Route(PATH, told)]
