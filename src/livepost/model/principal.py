"""Who asks: a person with a role, or a program with a key."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import msgspec

Role: TypeAlias = Literal["owner", "admin", "marketer", "analyst", "developer", "privacy_officer", "auditor"]
ROLES: tuple[Role, ...] = get_args(Role)


SEND_EVENTS = "send:events"
"""The scope by which a key may send events; other scopes are named as permissions are, like `read:people`."""

USER = "user:"
"""How the audit's names of those who logged in begin."""

SENDERS: frozenset[Role] = frozenset(("owner", "admin", "developer"))
"""Roles whose keys may send events."""


class Holder(msgspec.Struct, frozen=True):
    """Who has a key: the source that it names, the scopes it is held to (() for all that its kind may), its role."""

    source: str
    secret: bool
    scopes: tuple[str, ...] = ()
    role: Role = "developer"


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever asks, once it is proven who that is.

    by      as the audit names them: `user:ID`, `session:ID`, `key:SOURCE`, `command:USER`
    role    what they may do; a key of a program has the role it was made with
    scopes  of a key: the actions that it is held to; () for all that its role may
    glass   the id of the glass that they broke, while that holds; "" for none
    """

    by: str
    role: Role
    scopes: tuple[str, ...] = ()
    glass: str = ""

    @property
    def noted(self) -> str:
        """Who the audit says it was: with the glass, if it is broken.

        >>> Principal(by="user:1", role="analyst", glass="ab").noted
        'user:1/glass:ab'
        """
        return f"{self.by}/glass:{self.glass}" if self.glass else self.by
