"""The body of a form's request, within bounds of size and time."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request

BODY_S = 10.0
"""How long a form may take to arrive."""


async def body_of(request: Request, limit: int) -> bytes | None:
    """Return the body; None if it has more than `limit` bytes, takes longer than BODY_S, or its sender went away."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for piece in request.stream():
                body += piece
                if len(body) > limit:
                    return None
    except (TimeoutError, ClientDisconnect):
        return None
    return bytes(body)
