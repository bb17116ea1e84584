"""Who may use the API: whoever has a secret key of the workspace; to read, a session of the console is enough.

In: a request's headers. Out: who asks, with a role. Promised: a write key, which is public, opens nothing; a
session, which a browser sends by itself, changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol

from starlette.requests import HTTPConnection

from livepost.audit.deed import by_key
from livepost.collect.limits import MAX_TOKEN_CHARS
from livepost.collect.token import basic_user
from livepost.errors import RejectedError
from livepost.model.principal import Holder, Principal


class Keys(Protocol):
    """The workspace's keys, as the API asks for them."""

    def holder(self, token: str) -> Holder | None:
        """Return who has a key, None if it is unknown, revoked or expired."""
        ...


HasSession = Callable[[HTTPConnection], Principal | None]
"""Returns who has the console's session that a request brings, if it holds; else None."""


def require_reader(keys: Keys, has_session: HasSession, request: HTTPConnection) -> Principal:
    """Return who reads; raise RejectedError (401, 403) unless the request brings a secret key, or a session and no key
    at all.
    """
    by_session = None if "authorization" in request.headers else has_session(request)
    return by_session or require_secret(keys, request)


def require_secret(keys: Keys, request: HTTPConnection) -> Principal:
    """Return whose secret key the request brings; raise RejectedError (401, 403) without one."""
    token = _token(request.headers.get("authorization", ""))
    found = keys.holder(token) if 0 < len(token) <= MAX_TOKEN_CHARS else None
    if found is None:
        raise RejectedError(
            f"expected a secret key of this workspace, got {'another' if token else 'none'}; send it as "
            "`Authorization: Bearer KEY` or as the user of Basic authentication",
            code="invalid_key",
            status=HTTPStatus.UNAUTHORIZED,
        )
    if not found.secret:
        raise RejectedError(
            "expected a secret key, got a write key, which may only send events; `livepost keys new secret` makes one",
            code="write_key",
            status=HTTPStatus.FORBIDDEN,
        )
    return Principal(by=by_key(found.source), role=found.role, scopes=found.scopes)


def _token(authorization: str) -> str:
    """Return the key of a Bearer or Basic header, "" if there is none that can be read."""
    scheme, _, credentials = authorization.strip().partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    return basic_user(authorization.encode("latin-1")) or ""
