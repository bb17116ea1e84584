"""Browsers that were sent to the provider and have not come back.

In: who is sent. Out: what the provider is told and what it has to answer. Promised: an attempt is taken up once, by the
browser that began it, within ATTEMPT_MS; nobody pushes others' attempts out by many of their own.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256
from threading import Lock

import msgspec

from livepost.clock import MINUTE_MS

ATTEMPT_MS = 10 * MINUTE_MS
"""How long a browser may take at the provider."""

ATTEMPTS_MAX = 2_000
OF_ADDRESS_MAX = 20
"""Attempts that wait at a time, of all and of one address; beyond it the oldest is forgotten."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One browser's attempt: `word` is in its cookie, `state` and `nonce` come back, `verifier` proves who asked."""

    word: str
    state: str
    nonce: str
    verifier: str
    address: str
    ends_ms: int

    @property
    def challenge(self) -> str:
        """The verifier's hash, by the method S256 (RFC 7636, 4.2)."""
        return challenge_of(self.verifier)


class Attempts:
    """The attempts of a house, in memory: one that starts again knows none. From any thread."""

    def __init__(self) -> None:
        self._waiting: dict[str, Attempt] = {}
        self._lock = Lock()

    def begin(self, address: str, now_ms: int) -> Attempt:
        """Return a new attempt of who asks from an address."""
        begun = Attempt(
            word=secrets.token_urlsafe(24),
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            address=address,
            ends_ms=now_ms + ATTEMPT_MS,
        )
        with self._lock:
            held = {state: one for state, one in self._waiting.items() if one.ends_ms > now_ms}
            own = [state for state, one in held.items() if one.address == address]
            for state in own[: max(0, len(own) - OF_ADDRESS_MAX + 1)] or list(held)[: len(held) - ATTEMPTS_MAX + 1]:
                del held[state]
            self._waiting = {**held, begun.state: begun}
        return begun

    def take(self, state: str, word: str, now_ms: int) -> Attempt | None:
        """Return the attempt of a state, if it is this browser's and waits still; it is over by this."""
        with self._lock:
            found = self._waiting.get(state)
            if found is None or not hmac.compare_digest(found.word.encode(), word.encode("utf-8", "replace")):
                return None  # another browser ends nobody's attempt
            del self._waiting[state]
        return found if now_ms < found.ends_ms else None


def challenge_of(verifier: str) -> str:
    """Return the challenge of a verifier (RFC 7636, appendix B).

    >>> challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
    """
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
