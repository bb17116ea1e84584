"""Rights requests of other systems over HTTP, as the OpenDSR framework has them.

In: requests of controllers, under a secret key. Out: signed answers in the framework's form. Promised: the same
`subject_request_id` is one request however often it comes; results are made when they are fetched, by a link that ends.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from livepost.api.access import Keys, require_secret
from livepost.api.body import body_of
from livepost.api.operation import JSON
from livepost.audit.deed import Deed, Notary
from livepost.control.requests import RightsRequest
from livepost.errors import RejectedError, StoreError
from livepost.govern.access.permission import Permission
from livepost.govern.rights.opendsr import MAX_BODY_BYTES, DsrSigner, error_body

VERSIONS = ("", "/v1", "/v2")
OLD = "/v1"
"""The version before 2.0, whose routes and headers had another name."""

CERTIFICATE, RESULTS = "/opendsr/cert.pem", "/opendsr/results/{token}"
"""What is open to everybody, and to who has a link."""

NEEDS = Permission("change", "requests")
"""What a key has to be made for; no other opens these routes, whatever its role."""

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class DsrDesk(Protocol):
    """Who takes such requests; what blocks is done in threads."""

    signer: DsrSigner

    def discovery(self) -> dict[str, Any]:
        """Return what is supported."""
        ...

    async def enter(self, body: bytes, by: str) -> tuple[RightsRequest, dict[str, Any]]:
        """Enter a request, or find it; return it and the answer. Raises RejectedError (400)."""
        ...

    async def status(self, outside: str) -> tuple[RightsRequest, dict[str, Any]]:
        """Return how a request stands; raise RejectedError (404) for none."""
        ...

    async def cancel(self, outside: str, by: str) -> tuple[RightsRequest, dict[str, Any]]:
        """Cancel a request that is pending; raise RejectedError (404, or 400 where it is not pending)."""
        ...

    async def results(self, token: str) -> tuple[bytes, str]:
        """Return the results behind a link, and what to call them; raise RejectedError (404) where it opens nothing."""
        ...


def dsr_routes(desk: DsrDesk, keys: Keys, notary: Notary) -> list[Route]:
    """Return the routes, for a Starlette app."""
    serving = _Serving(desk, keys, notary)
    routes = [
        Route(CERTIFICATE, serving.certificate, methods=["GET"]),
        Route(RESULTS, serving.results, methods=["GET"]),
    ]
    for version in VERSIONS:
        old, at = version == OLD, f"/opendsr{version}"
        one = serving.answered(old, serving.one)
        for name in ("requests", "opengdpr_requests") if old else ("requests",):
            routes.append(Route(f"{at}/{name}", serving.answered(old, serving.requests), methods=["POST"]))
            routes.append(Route(f"{at}/{name}/{{id}}", one, methods=["GET", "DELETE"]))
        routes.append(Route(f"{at}/status/{{id}}", one, methods=["GET"]))
        routes.append(Route(f"{at}/discovery", serving.answered(old, serving.discovery), methods=["GET"]))
    return routes


def is_ours(path: str) -> bool:
    """Say whether a route's path is one of those which `dsr_routes` gives and a key opens."""
    return path.startswith("/opendsr/") and path not in (CERTIFICATE, RESULTS)


class _Serving:
    """The desk's endpoints."""

    def __init__(self, desk: DsrDesk, keys: Keys, notary: Notary) -> None:
        self._desk = desk
        self._keys = keys
        self._notary = notary

    def answered(self, old: bool, work: Callable[[Request], Any]) -> Callable[[Request], Any]:
        """Return an endpoint that signs what `work` answers, or why it refused; `old` is for before 2.0."""

        async def endpoint(request: Request) -> Response:
            try:
                status, told = await work(request)
            except RejectedError as error:
                status, told = error.status, error_body(error.status, str(error))
            except StoreError as error:
                status, told = 503, error_body(503, str(error))
            body = msgspec.json.encode(told)
            return Response(body, status, {**NO_STORE, **self._desk.signer.headers(body, old=old)}, JSON)

        return endpoint

    async def discovery(self, request: Request) -> tuple[int, dict[str, Any]]:
        return HTTPStatus.OK, self._desk.discovery()

    async def requests(self, request: Request) -> tuple[int, dict[str, Any]]:
        by = self._by(request)
        body = await body_of(request, MAX_BODY_BYTES)
        if body is None:
            raise RejectedError(f"expected at most {MAX_BODY_BYTES} bytes in time, got more or less", code="opendsr")
        entered, told = await self._desk.enter(body, by)
        await self._notary.note(by, Deed("request.entered", entered.subjects, entered.id))
        return HTTPStatus.CREATED, told

    async def one(self, request: Request) -> tuple[int, dict[str, Any]]:
        by = self._by(request)
        outside = request.path_params["id"]
        if request.method == "DELETE":
            found, told = await self._desk.cancel(outside, by)
            await self._notary.note(by, Deed("request.cancelled", found.subjects, found.id))
            return HTTPStatus.ACCEPTED, told
        found, told = await self._desk.status(outside)
        await self._notary.note(by, Deed("request.read", found.subjects, found.id))
        return HTTPStatus.OK, told

    def _by(self, request: Request) -> str:
        """Return who asks; raise RejectedError (401, 403) unless by a key that was made for it: it may erase people."""
        who = require_secret(self._keys, request)
        if NEEDS.scope not in who.scopes:
            raise RejectedError(
                f"expected a key with the scope {NEEDS.scope}, got one without; "
                f"`livepost keys new secret --scope {NEEDS.scope}` makes one",
                code="role",
                status=HTTPStatus.FORBIDDEN,
            )
        return who.by

    async def certificate(self, request: Request) -> Response:
        return Response(self._desk.signer.certificate, media_type="application/x-pem-file")

    async def results(self, request: Request) -> Response:
        try:
            body, name = await self._desk.results(request.path_params["token"])
        except RejectedError as error:
            return _refused(error.status, str(error))
        except StoreError as error:
            return _refused(503, str(error))
        disposition = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
        return Response(body, headers={**NO_STORE, **disposition}, media_type="application/zip")


def _refused(status: int, message: str) -> Response:
    return Response(msgspec.json.encode(error_body(status, message)), status, NO_STORE, JSON)
