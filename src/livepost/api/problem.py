"""Errors of the API as problem JSON (RFC 9457): what was expected, what came, what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from livepost.errors import OverloadedError, RejectedError

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="livepost"'}


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """An error as RFC 9457 has it: `title` is the status in words, `detail` one sentence a person can act on.

    `code` is a short word for programs, the same for the same trouble.
    """

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str


def refused(error: RejectedError, background: BackgroundTask | None = None) -> Response:
    """Return the answer for a request that has to be changed; `background` is done once it is sent."""
    headers = _CHALLENGE if error.status == HTTPStatus.UNAUTHORIZED else {}
    answer = problem(error.status, error.code, str(error), headers)
    answer.background = background
    return answer


def problem(status: int, code: str, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return the answer for any error."""
    told = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, code=code)
    return Response(msgspec.json.encode(told), status, {"Cache-Control": "no-store", **(headers or {})}, MEDIA_TYPE)


def unavailable(detail: str) -> Response:
    """Return the answer for a store or process that does not answer just now."""
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", detail, {"Retry-After": str(RETRY_AFTER_S)})


def overloaded(error: OverloadedError) -> Response:
    """Return the answer for a request that there is no room for just now."""
    headers = {"Retry-After": str(error.retry_after_s)}
    return problem(HTTPStatus.TOO_MANY_REQUESTS, "overloaded", str(error), headers)


async def http_error(request: Request, error: Exception) -> Response:
    """Answer what Starlette refuses (no such path, another method): a problem below `/api`, else a plain sentence."""
    assert isinstance(error, HTTPException)
    allowed = (error.headers or {}).get("Allow", "")
    detail = f"expected {allowed or 'a path that is in /openapi.json'}, got {request.method} {request.url.path[:200]}"
    if request.url.path.startswith("/api/"):
        code = "method" if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED else "path"
        return problem(error.status_code, code, detail, error.headers)
    return PlainTextResponse(f"{error.detail}\n", error.status_code, dict(error.headers or {}))
