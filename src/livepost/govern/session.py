"""One-time links to the console, and the names of the cookies by which a browser is known.

In: times of the host's clock (ms). Out: words. Promised: a link opens once, within an hour.
"""

from __future__ import annotations

import secrets
from hashlib import sha256

from livepost.clock import HOUR_MS

COOKIE = "livepost_session"
"""The cookie that holds a session's word; over TLS `__Host-` stands before it, which no other host can set."""

SECOND_COOKIE = "livepost_second"
"""The cookie of who has said a password and is asked for a code."""

SIGN_IN_COOKIE = "livepost_sign_in"
"""The cookie of who was sent to a provider; it comes back from another site, so it is no strict one."""

LINK_MS = HOUR_MS
"""How long a link waits to be followed."""

LINKS_MAX = 100
"""Links that wait at a time; beyond it the oldest is forgotten."""


def cookie_name(name: str, *, secure: bool) -> str:
    """Return a cookie's name on a line that is secure or is not (RFC 6265bis, 4.1.3.2).

    >>> cookie_name(COOKIE, secure=True)
    '__Host-livepost_session'
    """
    return f"__Host-{name}" if secure else name


class Links:
    """One-time links, in memory: a front that starts again knows none of those it gave out."""

    def __init__(self) -> None:
        self._ends_ms: dict[bytes, int] = {}

    def new(self, now_ms: int) -> str:
        """Return the secret word of a new link."""
        self._ends_ms = {key: end for key, end in self._ends_ms.items() if end > now_ms}
        while len(self._ends_ms) >= LINKS_MAX:
            del self._ends_ms[next(iter(self._ends_ms))]
        word = secrets.token_urlsafe(24)
        self._ends_ms[_hash(word)] = now_ms + LINK_MS
        return word

    def take(self, word: str, now_ms: int) -> bool:
        """Return whether a word is that of a link not yet followed; it is followed by this."""
        end = self._ends_ms.pop(_hash(word), 0)
        return now_ms < end


def _hash(word: str) -> bytes:
    return sha256(word.encode("utf-8", "surrogatepass")).digest()
