"""`/livez`, `/readyz`, `/metrics`: is the process alive, does it take events, and how does the house fare."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from livepost.errors import StoreError
from livepost.observe.exposition import CONTENT_TYPE, Family, exposition


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """`trouble` says in a sentence why events are not taken just now, None if they are; `metrics` tells the house's."""

    trouble: Callable[[], str | None]
    metrics: Callable[[], list[Family]]


def health_routes(health: Health) -> list[Route]:
    """Return the routes, for a Starlette app."""

    async def live(request: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def ready(request: Request) -> Response:
        trouble = health.trouble()
        return PlainTextResponse(f"{trouble}\n" if trouble else "ready\n", status_code=503 if trouble else 200)

    async def metrics(request: Request) -> Response:
        try:
            families = await run_in_threadpool(health.metrics)
        except StoreError as error:
            return PlainTextResponse(f"{error}\n", status_code=503)
        return Response(exposition(families), media_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})

    return [Route("/livez", live), Route("/readyz", ready), Route("/metrics", metrics)]
