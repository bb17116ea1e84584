"""Tokens in a mail's links, and in the address that it bounces to: opaque, the same for the same mail.

In: the workspace's secret for tokens; what a link means. Out: base64url text, and back. Promised: at most 400
characters; nobody without the secret makes or reads one; a click leads to the http(s) address it was made
for.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import struct
from urllib.parse import urlsplit

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from livepost.errors import SealError
from livepost.ids import digest

MAX_TOKEN_CHARS = 400
"""Longer ones do not fit the links and headers that E1 tests."""

_NONCE = 12
_TAG = 16
_IDS = 32
_MAX_PLAIN = MAX_TOKEN_CHARS * 3 // 4 - _NONCE - _TAG
_BOUNCE_MAC = 10
_BOUNCE_CHARS = 42
"""Of base32, which mail servers that change the case of letters leave alone; with the 16 bytes of a decision."""

_UNSUBSCRIBE = b"livepost/u/1"
_PREFERENCES = b"livepost/preferences/1"
_CONFIRM = b"livepost/confirm/1"
_CLICK = b"livepost/c/1"
_OPEN = b"livepost/o/1"


class Unsubscribe(msgspec.Struct, frozen=True):
    """The link that takes back a person's consent for a purpose; `decision` is the mail it came in."""

    decision: bytes
    person: bytes
    purpose: str


class Preferences(msgspec.Struct, frozen=True):
    """The link to what a person may choose; it came in the mail `decision`, which was sent for `purpose`."""

    decision: bytes
    person: bytes
    purpose: str


class Confirm(msgspec.Struct, frozen=True):
    """The link that confirms an address: what it was asked for stands behind `decision`, the mail that asks."""

    decision: bytes
    person: bytes


class Click(msgspec.Struct, frozen=True):
    """The `link`-th link (from 0) of a mail; `target` is where it leads."""

    decision: bytes
    person: bytes
    link: int
    target: str


class Open(msgspec.Struct, frozen=True):
    """The picture by which a mail's opening is seen."""

    decision: bytes
    person: bytes


class Tokens:
    """Makes and opens tokens under the workspace's secret (32 bytes, `vault.secret("tokens")`)."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(digest("token cipher", size=32, key=secret))
        self._nonce_key = digest("token nonce", size=32, key=secret)

    def unsubscribe(self, link: Unsubscribe) -> str:
        """Return the token; raise ValueError if the purpose is too long for one."""
        return self._for_purpose(_UNSUBSCRIBE, link)

    def preferences(self, link: Preferences) -> str:
        """Return the token; raise ValueError if the purpose is too long for one."""
        return self._for_purpose(_PREFERENCES, link)

    def confirm(self, link: Confirm) -> str:
        """Return the token."""
        token = self._seal(_CONFIRM, link.decision + link.person)
        assert token is not None
        return token

    def click(self, link: Click) -> str | None:
        """Return the token, or None if the target is not http(s) or too long: then the link stays as it is."""
        if not is_web_address(link.target):
            return None
        head = link.decision + link.person + struct.pack(">H", link.link)
        return self._seal(_CLICK, head + link.target.encode())

    def picture(self, link: Open) -> str:
        """Return the token of a mail's picture."""
        token = self._seal(_OPEN, link.decision + link.person)
        assert token is not None
        return token

    def open_picture(self, token: str) -> Open:
        """Return what the token means; raise SealError if it is not one of ours."""
        plain = self._open(_OPEN, token)
        return Open(plain[:16], plain[16:_IDS])

    def open_unsubscribe(self, token: str) -> Unsubscribe:
        """Return what the token means; raise SealError if it is not one of ours."""
        plain = self._open(_UNSUBSCRIBE, token)
        return Unsubscribe(plain[:16], plain[16:_IDS], plain[_IDS:].decode())

    def open_preferences(self, token: str) -> Preferences:
        """Return what the token means; raise SealError if it is not one of ours."""
        plain = self._open(_PREFERENCES, token)
        return Preferences(plain[:16], plain[16:_IDS], plain[_IDS:].decode())

    def open_confirm(self, token: str) -> Confirm:
        """Return what the token means; raise SealError if it is not one of ours."""
        plain = self._open(_CONFIRM, token)
        return Confirm(plain[:16], plain[16:_IDS])

    def open_click(self, token: str) -> Click:
        """Return what the token means; raise SealError if it is not one of ours."""
        plain = self._open(_CLICK, token)
        (link,) = struct.unpack_from(">H", plain, _IDS)
        return Click(plain[:16], plain[16:_IDS], link, plain[_IDS + 2 :].decode())

    def _for_purpose(self, kind: bytes, link: Unsubscribe | Preferences) -> str:
        token = self._seal(kind, link.decision + link.person + link.purpose.encode())
        if token is None:
            raise ValueError(
                f"expected a purpose of at most {_MAX_PLAIN - _IDS} bytes, got {len(link.purpose.encode())}"
            )
        return token

    def _seal(self, kind: bytes, plain: bytes) -> str | None:
        if len(plain) > _MAX_PLAIN:
            return None
        # The nonce is a keyed hash of what it is used for: a mail made again has the same links, and one nonce
        # never meets two plaintexts.
        nonce = digest(kind, plain, size=_NONCE, key=self._nonce_key)
        return base64.urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, plain, kind)).decode().rstrip("=")

    def _open(self, kind: bytes, token: str) -> bytes:
        try:
            if len(token) > MAX_TOKEN_CHARS:
                raise ValueError("too long")
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            return self._cipher.decrypt(raw[:_NONCE], raw[_NONCE:], kind)
        except (ValueError, binascii.Error, InvalidTag) as error:
            raise SealError("expected a link from one of our mails, got another; use the mail's own link") from error


class Bounces:
    """Makes the address that one mail bounces to, and knows it again (VERP): nobody without the secret makes one.

    `address` is what the setting `bounces` says; the secret is `vault.secret("bounces")`.
    """

    def __init__(self, address: str, secret: bytes) -> None:
        local, _, domain = address.rpartition("@")
        self._form = f"{local}+{{}}@{domain}"
        self._known = re.compile(
            rf"{re.escape(local)}\+([a-z2-7]{{{_BOUNCE_CHARS}}})@{re.escape(domain)}", re.IGNORECASE
        )
        self._key = digest("bounce token", size=32, key=secret)

    def address(self, decision: bytes) -> str:
        """Return the address of a decision's mail; the same at each try."""
        raw = decision + self._mac(decision)
        return self._form.format(base64.b32encode(raw).decode().rstrip("=").lower())

    def decision(self, address: str) -> bytes | None:
        """Return the decision whose mail bounces to an address; None for an address that is none of ours."""
        found = self._known.fullmatch(address)
        if found is None:
            return None
        raw = base64.b32decode(found[1].upper() + "=" * (-_BOUNCE_CHARS % 8))
        decision, mac = raw[:16], raw[16:]
        return decision if hmac.compare_digest(mac, self._mac(decision)) else None

    def _mac(self, decision: bytes) -> bytes:
        return digest(decision, size=_BOUNCE_MAC, key=self._key)


def is_web_address(address: str) -> bool:
    """Return whether an address is http(s) with a host, and of printable ASCII only."""
    if not address.isascii() or not address.isprintable() or " " in address or "\\" in address:
        return False
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False
