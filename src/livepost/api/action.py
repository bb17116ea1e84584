"""An action of the API: a POST that does something once, however often it is sent again.

In: an `Idempotency-Key` and a JSON body. Out: JSON of the action's answer (202 the first time, 200 for a repeat), or a
problem. Promised: no body reaches an action that its struct does not allow; bodies are bounded in size, depth and time.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from livepost.api.access import Keys, require_secret
from livepost.api.operation import JSON
from livepost.api.problem import overloaded, refused, unavailable
from livepost.audit.deed import Deed, Notary, source_of
from livepost.collect.body import BodyReader, ClientGoneError, UnfinishedBodyError, drain
from livepost.errors import OverloadedError, RejectedError, StoreError
from livepost.govern.access.permission import Permission
from livepost.govern.access.rules import Rules
from livepost.intake.call import MAX_DEPTH, depth, read_json
from livepost.model.principal import Principal

MAX_ACTION_BYTES = 128 * 1024
"""Of a body: above it 413."""

MAX_LENGTH_DIGITS = 18
"""Of a Content-Length: a longer one is not even read."""

KEY_HEADER = "Idempotency-Key"
MAX_KEY_CHARS = 255
KEY = "^[!-~]([ -~]{0,253}[!-~])?$"
"""What a key looks like: printable ASCII, a space neither first nor last."""

_KEY = re.compile(KEY[1:-1])


class Done(msgspec.Struct, frozen=True):
    """What an action answers; `first` unless it was done before."""

    answer: Any
    first: bool


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """A POST. `wish` is a struct of its JSON body; `answers` the type of what `run` answers.

    needs      what one must be allowed
    run        called with who does it, the source of the secret key, the idempotency key, and the wish
    does       returns what the audit is told before it is done, from the wish; None for what the ledger tells of
    refusals   statuses it may refuse with, besides those that all actions have, and when
    """

    path: str
    needs: Permission
    name: str
    summary: str
    wish: type[msgspec.Struct]
    answers: Any
    run: Callable[[Any, str, str, Any], Awaitable[Done]]
    does: Callable[[Any], Deed] | None
    refusals: dict[int, str] = {}


def action_route(
    action: Action,
    doer: Callable[[Principal], Any],
    keys: Keys,
    bodies: BodyReader,
    notary: Notary,
    rules: Rules,
) -> Route:
    """Return the action as a route, for a Starlette app; `doer` returns whom its `run` asks, for who does it."""

    async def endpoint(request: Request) -> Response:
        try:
            who = require_secret(keys, request)
            rules.require(who, action.needs)
            key = _key(request)
            wish = _wish(action, await _body(request, bodies))
            if action.does is not None:
                await notary.note(who.by, action.does(wish))
            done = await action.run(doer(who), source_of(who.by), key, wish)
        except UnfinishedBodyError as error:
            return refused(error, BackgroundTask(drain, request.receive))
        except RejectedError as error:
            return refused(error)
        except OverloadedError as error:
            return overloaded(error)
        except StoreError as error:
            return unavailable(str(error))
        except ClientGoneError:
            return Response(status_code=HTTPStatus.BAD_REQUEST)  # nobody reads it
        status = HTTPStatus.ACCEPTED if done.first else HTTPStatus.OK
        return Response(msgspec.json.encode(done.answer), status, {"Cache-Control": "no-store"}, JSON)

    return Route(action.path, endpoint, methods=["POST"], name=action.name)


def _key(request: Request) -> str:
    """Return the idempotency key; raise RejectedError (400) for none, several, or one that is no key."""
    given = request.headers.getlist(KEY_HEADER)
    if len(given) != 1 or not _KEY.fullmatch(given[0]):
        raise RejectedError(
            f"expected one `{KEY_HEADER}` of 1 to {MAX_KEY_CHARS} printable ASCII characters, got "
            f"{'another' if given else 'none'}; send a new one with each new wish and the same with each retry",
            code="idempotency_key",
        )
    return given[0]


async def _body(request: Request, bodies: BodyReader) -> bytes:
    """Return the body; raise RejectedError (400, 408, 413), OverloadedError or ClientGoneError."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and (len(declared) > MAX_LENGTH_DIGITS or int(declared) > MAX_ACTION_BYTES):
        raise _too_large(UnfinishedBodyError)
    body = await bodies.read(request.receive, None)
    if len(body) > MAX_ACTION_BYTES:
        raise _too_large(RejectedError)
    return body


def _too_large(kind: type[RejectedError]) -> RejectedError:
    return kind(
        f"expected a body of at most {MAX_ACTION_BYTES} bytes, got more; send less",
        code="too_large",
        status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    )


def _wish(action: Action, body: bytes) -> msgspec.Struct:
    """Return a body as the action's struct; raise RejectedError (400) if it is none."""
    told = read_json(body)
    if depth(told) > MAX_DEPTH:
        raise RejectedError(f"expected at most {MAX_DEPTH} levels of nesting, got more; nest less", code="body")
    try:
        return msgspec.convert(told, action.wish)
    except msgspec.ValidationError as error:
        raise RejectedError(f"the body does not fit: {str(error)[:200]}", code="body") from None
