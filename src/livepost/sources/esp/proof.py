"""How a provider proves that a request is its own: the schemes, and which provider has which.

In: a request, the secret, the time. Out: nothing, or RefusedError. Promised: what is checked is the raw body;
comparisons take as long whatever is wrong; a time that is signed is within its window.

Sources: Twilio SendGrid "Event Webhook security features", Mailgun "Securing webhooks", Standard Webhooks 1.0 (Resend
by way of Svix), Mandrill "Authenticating webhook requests", MailerSend "Validating a signature", Mailtrap "Verifying
the signature", Postal "Webhooks", Unisender Go "Callback format". Brevo, Mailjet, Postmark and SparkPost sign nothing
and are told a user and a password.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import parse_qsl

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from livepost.errors import SettingsError
from livepost.settings.mail_events import BY_URL, MailEvents
from livepost.sources.esp.posted import LoginError, Posted, RefusedError, UnreadableError

WINDOW_S = 300
"""How far a signed time may be from ours."""

MAILGUN_WINDOW_S = 9 * 3_600
"""Mailgun sends a failed request again for 8 hours, with the signature of the first time."""

KEY_BYTES_MIN = 16
_WHSEC = "whsec_"


class Proof(Protocol):
    """Checks a request."""

    def __call__(self, posted: Posted, now_s: int) -> None:
        """Raise RefusedError unless the request is the provider's."""
        ...


def proof_of(table: MailEvents, secret: str) -> Proof:
    """Return the check of a provider; raise SettingsError for a secret that cannot be its."""
    try:
        if table.provider == BY_URL:
            return Mandrill(secret, table.url)
        return _PROOFS[table.provider](secret)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SettingsError(f"the secret of the mail_events of {table.provider} is none: {error}") from None


class Basic:
    """A user and a password, as the address that was told to the provider holds them."""

    def __init__(self, secret: str) -> None:
        """Take `user:password`."""
        user, colon, password = secret.partition(":")
        if not (user and colon and len(password) >= KEY_BYTES_MIN):
            raise ValueError(f"expected user:password, with a password of at least {KEY_BYTES_MIN} characters")
        self._told = secret.encode()

    def __call__(self, posted: Posted, now_s: int) -> None:
        """Check the header Authorization."""
        scheme, _, told = posted.headers.get("authorization", "").partition(" ")
        login = _unpacked(told) if scheme.lower() == "basic" else b""
        if not hmac.compare_digest(login, self._told):
            raise LoginError("expected the user and password of the settings, got none or others")


class Hmac:
    """HMAC-SHA256 of the body, in hex, in a header."""

    def __init__(self, header: str, secret: str) -> None:
        """Take the header's name and the key."""
        self._header = header
        self._key = _long_enough(secret)

    def __call__(self, posted: Posted, now_s: int) -> None:
        """Check the header."""
        _require_same(posted.header(self._header), hmac.new(self._key, posted.body, "sha256").hexdigest())


class SendGrid:
    """ECDSA over time and body, by a key that SendGrid keeps; we know its public half."""

    def __init__(self, secret: str) -> None:
        """Take the public key: DER in base64, as SendGrid shows it."""
        key = load_der_public_key(_decoded(secret))
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise ValueError("expected the verification key that SendGrid shows, an ECDSA key in base64")
        self._key = key

    def __call__(self, posted: Posted, now_s: int) -> None:
        """Check the two headers."""
        at = posted.header("x-twilio-email-event-webhook-timestamp")
        signature = _unpacked(posted.header("x-twilio-email-event-webhook-signature"))
        _require_recent(at, now_s)
        try:
            self._key.verify(signature, at.encode() + posted.body, ec.ECDSA(SHA256()))
        except InvalidSignature:
            raise _wrong() from None


class Mailgun:
    """HMAC-SHA256 of a time and a token within the body.

    The rest of the body is not signed: that a token counts only once (it is the event's id) is what keeps a signature
    that somebody got hold of from being used for another event.
    """

    def __init__(self, secret: str) -> None:
        """Take the webhook signing key."""
        self._key = _long_enough(secret)

    def __call__(self, posted: Posted, now_s: int) -> None:
        """Check the signature within the body."""
        told = mailgun_signature(posted)
        content = (told["timestamp"] + told["token"]).encode()
        _require_same(told["signature"], hmac.new(self._key, content, "sha256").hexdigest())
        _require_recent(told["timestamp"], now_s, MAILGUN_WINDOW_S)


class Svix:
    """Standard Webhooks: HMAC-SHA256 over id, time and body; as Svix names the headers, or as the standard does."""

    def __init__(self, secret: str) -> None:
        """Take `whsec_` and a key in base64."""
        if not secret.startswith(_WHSEC):
            raise ValueError("expected whsec_ and a key in base64")
        self._key = _decoded(secret.removeprefix(_WHSEC))
        if len(self._key) < KEY_BYTES_MIN:
            raise ValueError(f"expected whsec_ and a key of at least {KEY_BYTES_MIN} bytes in base64")

    def __call__(self, posted: Posted, now_s: int) -> None:
        """Check the three headers; any of several signatures will do."""
        before = "svix-" if "svix-id" in posted.headers else "webhook-"
        id, at, signatures = (posted.header(before + name) for name in ("id", "timestamp", "signature"))
        _require_recent(at, now_s)
        content = b".".join((id.encode(), at.encode(), posted.body))
        wanted = "v1," + base64.b64encode(hmac.digest(self._key, content, "sha256")).decode()
        if not any([hmac.compare_digest(one.encode(), wanted.encode()) for one in signatures.split()]):
            raise _wrong()


class Mandrill:
    """HMAC-SHA1 over the address it was told and the fields of the form, sorted by name."""

    def __init__(self, secret: str, url: str) -> None:
        """Take the webhook's key, and its address as Mandrill knows it."""
        self._key = _long_enough(secret)
        self._url = url

    def __call__(self, posted: Posted, now_s: int) -> None:
        """Check the header."""
        fields = form(posted)
        signed = self._url + "".join(name + fields[name] for name in sorted(fields))
        wanted = base64.b64encode(hmac.new(self._key, signed.encode(), "sha1").digest()).decode()
        _require_same(posted.header("x-mandrill-signature"), wanted)


class Postal:
    """RSA (PKCS #1 v1.5, SHA-1) over the body, by the server's own key; we know its public half."""

    def __init__(self, secret: str) -> None:
        """Take the public key: DER in base64, as `p=` of Postal's DKIM record holds it."""
        key = load_der_public_key(_decoded(secret))
        if not isinstance(key, rsa.RSAPublicKey):
            raise ValueError("expected the public key of Postal, an RSA key in base64")
        self._key = key

    def __call__(self, posted: Posted, now_s: int) -> None:
        """Check the header."""
        signature = _unpacked(posted.header("x-postal-signature"))
        try:
            self._key.verify(signature, posted.body, padding.PKCS1v15(), SHA1())  # noqa: S303 - Postal has no other
        except InvalidSignature:
            raise _wrong() from None


class Unisender:
    """MD5 over the body, in which the field `auth` has the API key in its own place."""

    def __init__(self, secret: str) -> None:
        """Take the API key."""
        self._key = _long_enough(secret)

    def __call__(self, posted: Posted, now_s: int) -> None:
        """Check the field."""
        told = json_object(posted.body).get("auth")
        if not isinstance(told, str) or len(told) != 32 or posted.body.count(told.encode()) != 1:
            raise _wrong()
        signed = posted.body.replace(told.encode(), self._key)
        _require_same(told, hashlib.md5(signed, usedforsecurity=False).hexdigest())


def form(posted: Posted) -> dict[str, str]:
    """Return the fields of a form; raise UnreadableError for another body."""
    try:
        return dict(parse_qsl(posted.body.decode(), keep_blank_values=True, max_num_fields=100))
    except ValueError:
        raise UnreadableError("expected the fields of a form, got another body") from None


def json_object(body: bytes) -> Mapping[str, object]:
    """Return a JSON object; raise UnreadableError for another body."""
    try:
        return msgspec.json.decode(body, type=dict[str, object])
    except (ValueError, RecursionError):
        raise UnreadableError("expected a JSON object, got another body") from None


def mailgun_signature(posted: Posted) -> dict[str, str]:
    """Return Mailgun's `timestamp`, `token` and `signature`, of its events of today or from before 2018."""
    is_json = posted.headers.get("content-type", "").startswith("application/json")
    told = json_object(posted.body).get("signature") if is_json else form(posted)
    names = ("timestamp", "token", "signature")
    if not isinstance(told, dict) or not all(isinstance(told.get(name), str | int) for name in names):
        raise RefusedError("expected a timestamp, a token and a signature, got others")
    return {name: str(told[name]) for name in names}


def _require_same(told: str, wanted: str) -> None:
    if not hmac.compare_digest(told.encode(), wanted.encode()):
        raise _wrong()


def _require_recent(told: str, now_s: int, back_s: int = WINDOW_S) -> None:
    if not (told.isascii() and told.isdigit() and len(told) <= 12 and -WINDOW_S <= now_s - int(told) <= back_s):
        raise RefusedError(f"expected a time of the last {back_s} s, got another: an old request, or a wrong clock")


def _wrong() -> RefusedError:
    return RefusedError("expected a signature by the secret of the settings, got another")


def _unpacked(told: str) -> bytes:
    """Return what base64 says; nothing for what is no base64, which is no signature of anything."""
    try:
        return base64.b64decode(told, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _decoded(secret: str) -> bytes:
    raw = _unpacked(secret)
    if not raw:
        raise ValueError("expected a key in base64")
    return raw


def _long_enough(secret: str) -> bytes:
    if len(secret) < KEY_BYTES_MIN:
        raise ValueError(f"expected at least {KEY_BYTES_MIN} characters")
    return secret.encode()


_PROOFS: dict[str, Callable[[str], Proof]] = {
    "brevo": Basic,
    "mailersend": lambda secret: Hmac("signature", secret),
    "mailgun": Mailgun,
    "mailjet": Basic,
    "mailtrap": lambda secret: Hmac("mailtrap-signature", secret),
    "postal": Postal,
    "postmark": Basic,
    "resend": Svix,
    "sendgrid": SendGrid,
    "sparkpost": Basic,
    "unisender-go": Unisender,
}
