"""An operation of the API: what is asked, by which parameters, what is answered. Endpoints and OpenAPI come of it.

In: a request. Out: JSON of the operation's answer, or a problem. Promised: no parameter reaches an operation that its
struct does not allow; an operation runs in a thread, so that a slow store holds up nobody else, but for one that is
asked often and waits for nothing but a reply: a thread would cost it as much as all the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route

from livepost.api.access import HasSession, Keys, require_reader
from livepost.api.house import House
from livepost.api.problem import refused, unavailable
from livepost.audit.deed import Deed, Notary
from livepost.errors import RejectedError, StoreError
from livepost.govern.access.permission import Permission
from livepost.govern.access.rules import Rules
from livepost.ops.seen import seen_by

JSON = "application/json"
T = TypeVar("T", bound=msgspec.Struct)


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """A GET. `asked` is a struct of its path and query parameters; `answers` the type of what `run` returns.

    needs      what one must be allowed
    shows      returns what the audit is told, from what was asked and answered; None where it is about no people
    in_loop    `run` is a coroutine and runs in the server's event loop
    refusals   statuses it may refuse with, besides those that all have (400, 401, 403, 503), and when
    """

    path: str
    needs: Permission
    name: str
    summary: str
    asked: type[msgspec.Struct]
    answers: Any
    run: Callable[[House, Any], Any]
    shows: Callable[[Any, Any], Deed] | None
    in_loop: bool = False
    refusals: dict[int, str] = {}


def route_of(
    operation: Operation, house: House, keys: Keys, has_session: HasSession, notary: Notary, rules: Rules
) -> Route:
    """Return the operation as a route, for a Starlette app."""

    async def endpoint(request: Request) -> Response:
        try:
            who = require_reader(keys, has_session, request)
            rules.require(who, operation.needs)
            asked = parameters(operation.asked, request)
            answer = await _answer(operation, seen_by(house, rules.sight(who)), asked)
            if operation.shows is not None:
                await notary.note(who.noted, operation.shows(asked, answer))
        except RejectedError as error:
            return refused(error)
        except StoreError as error:
            return unavailable(str(error))
        return Response(msgspec.json.encode(answer), headers={"Cache-Control": "no-store"}, media_type=JSON)

    return Route(operation.path, endpoint, methods=["GET"], name=operation.name)


def parameters(asked: type[T], request: HTTPConnection) -> T:
    """Return a request's parameters; raise RejectedError (400) for one that is unknown, given twice or unfit."""
    known = asked.__struct_fields__
    pairs = request.query_params.multi_items()
    given = dict(pairs)
    for name in given:
        if name not in known or name in request.path_params:
            raise _bad(f"expected {_listed(known, request)}, got `{name[:40]}`; leave it out")
    if len(given) < len(pairs):
        raise _bad("expected each parameter once, got one twice; give it once")
    try:
        return msgspec.convert({**given, **request.path_params}, asked, strict=False)
    except msgspec.ValidationError as error:
        raise _bad(f"a parameter does not fit: {str(error)[:200]}") from None


async def _answer(operation: Operation, house: House, asked: msgspec.Struct) -> Any:
    if operation.in_loop:
        return await operation.run(house, asked)
    return await run_in_threadpool(operation.run, house, asked)


def _listed(known: tuple[str, ...], request: HTTPConnection) -> str:
    names = [f"`{name}`" for name in known if name not in request.path_params]
    return f"only {', '.join(names)} in the query" if names else "no parameters in the query"


def _bad(detail: str) -> RejectedError:
    return RejectedError(detail, code="parameter")
