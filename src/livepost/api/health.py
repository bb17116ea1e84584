"""`/livez` and `/readyz`: is the process alive, and does it take events."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """`trouble` says in a sentence why events are not taken just now, None if they are."""

    trouble: Callable[[], str | None]


def health_routes(health: Health) -> list[Route]:
    """Return the routes, for a Starlette app."""

    async def live(request: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def ready(request: Request) -> Response:
        trouble = health.trouble()
        return PlainTextResponse(f"{trouble}\n" if trouble else "ready\n", status_code=503 if trouble else 200)

    return [Route("/livez", live), Route("/readyz", ready)]
