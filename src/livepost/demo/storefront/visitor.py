"""Visitors of the shop: who may be asked about, and who somebody becomes by signing in.

In: what a browser sends. Out: ids, and the call that tells the house who somebody is. Promised: nobody can name another
visitor. One is known by the id that their browser drew (122 random bits) and, signed in, by one that the shop's server
draws (128). The demo's made-up shoppers have ids that can be guessed: with the write key a browser may claim to be one.
"""

from __future__ import annotations

import re
import secrets
from typing import Annotated, Any

import msgspec
from msgspec import Meta

DOMAIN = "visitors.example"
"""Where visitors have their addresses: `.example` is reserved (RFC 2606), so no mail can reach anybody."""

ANONYMOUS_ID = r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z"
"""What a browser's `crypto.randomUUID` gives (RFC 9562, version 4). A subject's id is hex without dashes."""

_ANONYMOUS_ID = re.compile(ANONYMOUS_ID)


class SigningIn(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody says who signs in: the browser's id, a first name, and whether the shop may write."""

    visitor: Annotated[str, Meta(pattern=ANONYMOUS_ID)]
    first_name: Annotated[str, Meta(min_length=1, max_length=40)]
    may_write: bool


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """What they hear: the id they have from now on, and the log position from which the house knows it."""

    user_id: str
    first_name: str
    position: int


def is_anonymous_id(text: str) -> bool:
    """Say whether this may be the id that a browser drew."""
    return _ANONYMOUS_ID.match(text) is not None


def new_user_id() -> str:
    """Return an id that nobody can guess."""
    return f"visitor-{secrets.token_hex(16)}"


def identify_call(said: SigningIn, user_id: str) -> dict[str, Any]:
    """Return the call that makes one person of the browser and the user, and tells address and consent."""
    return {
        "userId": user_id,
        "anonymousId": said.visitor,
        "traits": {"email": f"{user_id}@{DOMAIN}", "firstName": said.first_name.strip()},
        "context": {"consent": {"categoryPreferences": {"Marketing": said.may_write}}},
    }
