"""Requests as providers sign them, by keys of the tests' own, and a certificate authority that signs as SNS's."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from livepost.fetch.address import OutgoingError
from livepost.fetch.fetcher import Answer
from livepost.settings.mail_events import MailEvents
from livepost.sources.esp.posted import Posted
from livepost.sources.esp.sns import string_to_sign

KEY = "0123456789abcdef0123456789abcdef"
LOGIN = f"events:{KEY}"
WHSEC = "whsec_" + base64.b64encode(KEY.encode()).decode()
URL = "https://mail.shop.example/hooks/esp/mandrill"
TOPIC = "arn:aws:sns:us-east-1:123456789012:SES_Events"
CERTIFICATE = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"

ELLIPTIC = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


def shown(key: Any) -> str:
    """Return a public key as providers show it: DER in base64."""
    return base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


SECRETS: dict[str, str] = {
    "brevo": LOGIN,
    "mailersend": KEY,
    "mailgun": KEY,
    "mailjet": LOGIN,
    "mailtrap": KEY,
    "mandrill": KEY,
    "postal": shown(RSA),
    "postmark": LOGIN,
    "resend": WHSEC,
    "sendgrid": shown(ELLIPTIC),
    "sparkpost": LOGIN,
    "unisender-go": KEY,
}


def table(provider: str) -> MailEvents:
    """Return a provider's settings."""
    return MailEvents(
        provider=provider,
        secret="" if provider == "ses" else "env:SECRET",
        topics=(TOPIC,) if provider == "ses" else (),
        url=URL if provider == "mandrill" else "",
    )


def signed(provider: str, told: Any, now_s: int) -> Posted:
    """Return a provider's request with what it tells (JSON; a form for Mandrill's), as of a time."""
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    match provider:
        case "sendgrid":
            return sendgrid(body, now_s)
        case "resend":
            return svix(body, now_s)
        case "mailgun":
            return mailgun(told, now_s)
        case "mandrill":
            return mandrill({"mandrill_events": body.decode()})
        case "postal":
            signature = RSA.sign(body, padding.PKCS1v15(), hashes.SHA1())
            return _json(body, {"x-postal-signature": base64.b64encode(signature).decode()})
        case "mailersend":
            return _json(body, {"signature": hmac.new(KEY.encode(), body, "sha256").hexdigest()})
        case "mailtrap":
            return _json(body, {"mailtrap-signature": hmac.new(KEY.encode(), body, "sha256").hexdigest()})
        case "unisender-go":
            return unisender(told)
        case "ses":
            return sns(told, now_s)
    login = base64.b64encode(LOGIN.encode()).decode()
    return _json(body, {"authorization": f"Basic {login}"})


def sendgrid(body: bytes, now_s: int) -> Posted:
    signature = ELLIPTIC.sign(str(now_s).encode() + body, ec.ECDSA(hashes.SHA256()))
    return _json(
        body,
        {
            "x-twilio-email-event-webhook-timestamp": str(now_s),
            "x-twilio-email-event-webhook-signature": base64.b64encode(signature).decode(),
        },
    )


def svix(body: bytes, now_s: int, id: str = "msg_1") -> Posted:
    content = b".".join((id.encode(), str(now_s).encode(), body))
    signature = base64.b64encode(hmac.digest(KEY.encode(), content, "sha256")).decode()
    return _json(
        body, {"svix-id": id, "svix-timestamp": str(now_s), "svix-signature": f"v1,{'A' * 43}= v1,{signature}"}
    )


def mailgun(told: Mapping[str, Any], now_s: int) -> Posted:
    """Return Mailgun's request, its signature in the place of the blanked one; the token stays if there is one."""
    token = told.get("signature", {}).get("token", hashlib.sha256(json.dumps(told).encode()).hexdigest())
    content = f"{now_s}{token}".encode()
    signature = hmac.new(KEY.encode(), content, "sha256").hexdigest()
    block = {"timestamp": str(now_s), "token": token, "signature": signature}
    return _json(json.dumps({**told, "signature": block}).encode(), {})


def mailgun_form(told: Mapping[str, Any], now_s: int) -> Posted:
    """Return a request of Mailgun's from before 2018."""
    token = told.get("token", "token")
    signature = hmac.new(KEY.encode(), f"{now_s}{token}".encode(), "sha256").hexdigest()
    fields = {**told, "timestamp": str(now_s), "token": token, "signature": signature}
    return _form(urlencode(fields, doseq=True).encode(), {})


def mandrill(fields: Mapping[str, str]) -> Posted:
    body = urlencode(fields).encode()
    content = URL + "".join(name + value for name, value in sorted(parse_qsl(body.decode())))
    signature = base64.b64encode(hmac.new(KEY.encode(), content.encode(), "sha1").digest()).decode()
    return _form(body, {"x-mandrill-signature": signature})


def unisender(told: Mapping[str, Any]) -> Posted:
    body = json.dumps({"auth": KEY, **told}).encode()
    auth = hashlib.md5(body).hexdigest()
    return _json(body.replace(KEY.encode(), auth.encode()), {})


class Sns:
    """SNS's certificates by an authority of the tests' own, and what is asked of them: a `Get` for `sns.Sns`."""

    def __init__(self, *, now_s: int = 1_700_000_000, days: int = 30) -> None:
        self.asked: list[str] = []
        self.answers: dict[str, Answer] = {}
        self.away = False
        pem = certificate(RSA, now_s, days).public_bytes(Encoding.PEM)
        self.answers[CERTIFICATE] = Answer(status=200, body=pem)

    def get(self, url: str) -> Answer:
        self.asked.append(url)
        if self.away:
            raise OutgoingError("nobody is there")
        return self.answers.get(url, Answer(status=200))


def certificate(key: rsa.RSAPrivateKey, now_s: int, days: int) -> x509.Certificate:
    """Return a certificate for a key, signed by an authority made for it."""
    authority = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    now = datetime.fromtimestamp(now_s, UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - timedelta(days=30))
    return builder.not_valid_after(now + timedelta(days=days)).sign(authority, hashes.SHA256())


def sns(told: Any, now_s: int, version: str = "2", key: rsa.RSAPrivateKey = RSA, **also: str) -> Posted:
    """Return a message of SNS: a notification of what SES tells, unless `also` says otherwise."""
    message = {
        "Type": "Notification",
        "MessageId": "19ba9823-d7f2-53c1-860e-cb10e0d13dfc",
        "TopicArn": TOPIC,
        "Subject": "Amazon SES Email Event Notification",
        "Message": told if isinstance(told, str) else json.dumps(told),
        "Timestamp": datetime.fromtimestamp(now_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.675Z"),
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE,
        **also,
    }
    hash_ = hashes.SHA1() if version == "1" else hashes.SHA256()
    signature = key.sign(string_to_sign(message), padding.PKCS1v15(), hash_)
    message["Signature"] = base64.b64encode(signature).decode()
    headers = {"x-amz-sns-message-type": message["Type"], "x-amz-sns-message-id": message["MessageId"]}
    return Posted(headers={**headers, "content-type": "text/plain; charset=UTF-8"}, body=json.dumps(message).encode())


def _json(body: bytes, headers: Mapping[str, str]) -> Posted:
    return Posted(headers={"content-type": "application/json", **headers}, body=body)


def _form(body: bytes, headers: Mapping[str, str]) -> Posted:
    return Posted(headers={"content-type": "application/x-www-form-urlencoded", **headers}, body=body)
