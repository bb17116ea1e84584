"""Signatures of Standard Webhooks (v1): HMAC-SHA256 over id, time and body.

In: secrets as text, a message. Out: three headers. Promised: no error tells a secret.
"""

from __future__ import annotations

import base64
import binascii
import hmac

from livepost.errors import SettingsError

PREFIX = "whsec_"
KEY_BYTES = range(24, 65)
"""How long a key may be."""

KEYS_MAX = 4
"""Secrets that sign at a time, while one takes another's place."""


def read_keys(name: str, text: str) -> tuple[bytes, ...]:
    """Return the keys of a secret, or of several with spaces between them; raise SettingsError for another text."""
    keys = tuple(_key(one) for one in text.split())
    if not 1 <= len(keys) <= KEYS_MAX or not all(len(key) in KEY_BYTES for key in keys):
        raise SettingsError(
            f"the secret of the webhook {name} is none: expected whsec_ and 24 to 64 random bytes as base64; "
            "`livepost webhooks secret` makes one"
        )
    return keys


def signed(id: str, at_s: int, body: bytes, keys: tuple[bytes, ...]) -> dict[str, str]:
    """Return the headers of a message; a signature each key.

    >>> key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    >>> signed("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', (key,))["webhook-signature"]
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    content = b".".join((id.encode(), str(at_s).encode(), body))
    signatures = (base64.b64encode(hmac.digest(key, content, "sha256")).decode() for key in keys)
    return {
        "webhook-id": id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(f"v1,{one}" for one in signatures),
    }


def new_secret(random: bytes) -> str:
    """Return a secret as text."""
    return PREFIX + base64.b64encode(random).decode()


def _key(text: str) -> bytes:
    try:
        return base64.b64decode(text.removeprefix(PREFIX), validate=True) if text.startswith(PREFIX) else b""
    except binascii.Error:
        return b""
