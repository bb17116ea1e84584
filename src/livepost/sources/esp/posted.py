"""A request of a provider as it came, and why it may not be believed."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from livepost.errors import LivepostError


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """A request: `body` are the bytes that came, names of `headers` are in lower case."""

    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        """Return a header's value; raise RefusedError if it is not there."""
        value = self.headers.get(name)
        if value is None:
            raise RefusedError(f"expected the header {name}, got none")
        return value


class RefusedError(LivepostError):
    """A request is not proven to be the provider's; the message repeats nothing of it."""


class LoginError(RefusedError):
    """A request has no login, or a wrong one: it may be sent again with the right one."""


class UnreadableError(LivepostError):
    """A request is the provider's, and cannot be read."""
