"""Keys of requests: headers and body in, the source and kind of key out.

SDKs send the key as the user of Basic authentication, browsers in the body as `writeKey`, Snowplow's trackers as their
app id. A Basic header decides alone.
"""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from typing import Protocol

from livepost.collect.limits import MAX_TOKEN_CHARS
from livepost.errors import RejectedError
from livepost.model.record import KeyKind

REMEMBERED_HEADERS = 1_024
MAX_REMEMBERED_BYTES = 512
"""Authorization headers whose reading is remembered, and how long one may be for that."""


class Keys(Protocol):
    """The workspace's keys."""

    def lookup(self, token: str) -> tuple[str, KeyKind] | None:
        """Return the source's name and the kind of a key, or None if it is unknown or revoked."""
        ...


def authenticate(keys: Keys, authorization: bytes | None, write_key: object) -> tuple[str, KeyKind]:
    """Return source and kind of the request's key; raise RejectedError (401) without a valid one."""
    token = _known_user(authorization) if authorization else None
    if token is None:
        token = write_key if isinstance(write_key, str) else ""
    found = keys.lookup(token) if 0 < len(token) <= MAX_TOKEN_CHARS else None
    if found is None:
        raise RejectedError(
            f"expected a write key or secret key of this workspace, got {'another' if token else 'none'}; "
            "send it as the user of Basic authentication, or as `writeKey` in the body (Snowplow: as the app id)",
            code="invalid_key",
            status=401,
        )
    return found


def _known_user(authorization: bytes) -> str | None:
    """Return `basic_user`, remembered: a workspace's SDKs send the same few headers with every request."""
    if len(authorization) > MAX_REMEMBERED_BYTES:
        return basic_user(authorization)
    return _remembered_user(authorization)


def basic_user(authorization: bytes) -> str | None:
    """Return the user of a Basic Authorization header (RFC 7617), "" if it is unreadable, None for other
    schemes.
    """
    scheme, _, credentials = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        decoded = base64.b64decode(credentials.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return decoded.partition(":")[0]


_remembered_user = lru_cache(REMEMBERED_HEADERS)(basic_user)
