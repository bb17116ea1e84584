"""Sessions of the console: a signed word in a cookie, and one-time links that give one.

In: the workspace's secret for sessions; times of the host's clock (ms). Out: words a browser keeps. Promised: a word
that was not made here, was changed, or is past its end opens nothing; a link opens once.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import struct
from hashlib import sha256
from hmac import compare_digest

from livepost.clock import HOUR_MS
from livepost.ids import digest

COOKIE = "livepost_session"
"""The cookie that holds a session's word."""

SESSION_MS = 12 * HOUR_MS
"""How long a session lasts."""

LINK_MS = HOUR_MS
"""How long a link waits to be followed."""

LINKS_MAX = 100
"""Links that wait at a time; beyond it the oldest is forgotten."""

_NONCE_BYTES = 17  # 57 bytes in all: base64 without padding, so that a word has one form only
_MAC_BYTES = 32
_ID_BYTES = 8
_WORD_BYTES = 8 + _NONCE_BYTES + _MAC_BYTES
_WORD_CHARS_MAX = 200


class Sessions:
    """Makes and opens sessions under the workspace's secret (32 bytes, `vault.secret("sessions")`)."""

    def __init__(self, secret: bytes) -> None:
        self._key = secret

    def begin(self, now_ms: int) -> str:
        """Return the word of a new session, which ends `SESSION_MS` from now."""
        told = struct.pack(">q", now_ms + SESSION_MS) + secrets.token_bytes(_NONCE_BYTES)
        return base64.urlsafe_b64encode(told + self._mac(told)).decode()

    def holds(self, word: str, now_ms: int) -> bool:
        """Return whether a word is that of a session that has not ended."""
        try:
            raw = base64.b64decode(word[:_WORD_CHARS_MAX].encode(), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            return False
        told, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if len(raw) != _WORD_BYTES or not compare_digest(mac, self._mac(told)):
            return False
        (ends_ms,) = struct.unpack_from(">q", told)
        return bool(now_ms < ends_ms)

    def id_of(self, word: str, now_ms: int) -> str:
        """Return by what the audit knows a session that has not ended; "" for any other word."""
        return digest("session id", word, size=_ID_BYTES, key=self._key).hex() if self.holds(word, now_ms) else ""

    def _mac(self, told: bytes) -> bytes:
        return digest("session", told, size=_MAC_BYTES, key=self._key)


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
