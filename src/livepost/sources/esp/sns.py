"""Messages of Amazon SNS, by which SES tells its events: whose they are, and the one question SNS asks of us.

In: requests. Out: nothing, or RefusedError. Promised: a certificate is fetched from sns.<region>.amazonaws.com only, by
TLS, and kept; a topic that the settings do not name is refused before anything is fetched for it; a subscription is
confirmed at SNS's own address, made of what was signed, never at an address that a message names.

Source: AWS, "Verifying the signatures of Amazon SNS messages".
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import quote

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm

from livepost.errors import StoreError
from livepost.fetch.address import OutgoingError
from livepost.fetch.fetcher import Answer
from livepost.sources.esp.posted import Posted, RefusedError
from livepost.sources.esp.proof import WINDOW_S, json_object

RETRIES_S = 3_600
"""For how long SNS sends a message again, at most; its time is that of the first try."""

CERTIFICATES_MAX = 8

NOTIFICATION = "Notification"
CONFIRMATION = "SubscriptionConfirmation"
GOODBYE = "UnsubscribeConfirmation"

_SIGNED: dict[str, tuple[str, ...]] = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    CONFIRMATION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    GOODBYE: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_OPTIONAL = frozenset(("Subject",))
_HASHES: dict[str, type[HashAlgorithm]] = {"1": SHA1, "2": SHA256}
_CERTIFICATE = re.compile(
    r"https://sns\.[a-z0-9-]{1,32}\.amazonaws\.com(?:\.cn)?/SimpleNotificationService-[A-Za-z0-9]+\.pem"
)
_TOKEN = re.compile(r"[A-Za-z0-9]{1,1024}")


class Get(Protocol):
    """Asks a host, as `Fetcher` does."""

    def get(self, url: str) -> Answer:
        """Return a host's answer; raise OutgoingError if there is none."""
        ...


class Sns:
    """Checks messages of the topics that the settings name; a body of `proof.Proof`. For one thread at a time."""

    def __init__(self, topics: tuple[str, ...], fetch: Get) -> None:
        """Take the topics' ARNs, and the way out."""
        self._topics = frozenset(topics)
        self._fetch = fetch
        self._certificates: OrderedDict[str, x509.Certificate] = OrderedDict()

    def __call__(self, posted: Posted, now_s: int) -> None:
        """Check a message: its topic, its time, its certificate, its signature."""
        message = read_message(posted)
        if message["TopicArn"] not in self._topics:
            raise RefusedError("expected a topic of the settings, got another")
        _require_recent(message["Timestamp"], now_s)
        certificate = self._certificate(message.get("SigningCertURL", ""), now_s)
        _verify(message, certificate)

    def answer(self, posted: Posted) -> str:
        """Confirm a subscription, if a message that was checked asks for it; return its type.

        Raises StoreError if SNS does not take it now: it asks again.
        """
        message = read_message(posted)
        if message["Type"] == CONFIRMATION:
            self._confirm(message["TopicArn"], message["Token"])
        return message["Type"]

    def _confirm(self, topic: str, token: str) -> None:
        if not _TOKEN.fullmatch(token):
            raise RefusedError("expected a token of letters and digits, got another")
        partition, region = topic.split(":")[1], topic.split(":")[3]
        end = ".cn" if partition == "aws-cn" else ""
        query = f"Action=ConfirmSubscription&TopicArn={quote(topic, safe='')}&Token={token}"
        try:
            answer = self._fetch.get(f"https://sns.{region}.amazonaws.com{end}/?{query}")
        except OutgoingError as error:
            raise StoreError(f"the subscription could not be confirmed: {error}") from error
        if answer.status != 200:
            raise StoreError(f"the subscription could not be confirmed: SNS answered {answer.status}")

    def _certificate(self, url: str, now_s: int) -> x509.Certificate:
        if not _CERTIFICATE.fullmatch(url):
            raise RefusedError("expected a certificate of SNS, by its address, got another address")
        certificate = self._certificates.get(url) or self._fetched(url)
        now = datetime.fromtimestamp(now_s, UTC)
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            self._certificates.pop(url, None)
            raise RefusedError("expected a certificate that is valid now, got another")
        return certificate

    def _fetched(self, url: str) -> x509.Certificate:
        try:
            answer = self._fetch.get(url)
        except OutgoingError as error:
            raise StoreError(f"SNS's certificate could not be had: {error}") from error
        if answer.status != 200:
            raise StoreError(f"SNS's certificate could not be had: the answer was {answer.status}")
        try:
            certificate = x509.load_pem_x509_certificate(answer.body)
        except ValueError:
            raise StoreError("SNS's certificate could not be had: the answer is none") from None
        self._certificates[url] = certificate
        while len(self._certificates) > CERTIFICATES_MAX:
            self._certificates.popitem(last=False)
        return certificate


def read_message(posted: Posted) -> dict[str, str]:
    """Return the fields of a message; raise RefusedError for what is none."""
    told = json_object(posted.body)
    type_ = told.get("Type")
    if type_ not in _SIGNED or posted.headers.get("x-amz-sns-message-type", type_) != type_:
        raise RefusedError("expected a message of SNS, got another body")
    message = {name: value for name, value in told.items() if isinstance(value, str)}
    if any(name not in message for name in _SIGNED[type_] if name not in _OPTIONAL):
        raise RefusedError("expected all that a message of SNS signs, got less")
    return message


def string_to_sign(message: Mapping[str, str]) -> bytes:
    """Return what SNS signs: each field's name and value, a line each."""
    names = [name for name in _SIGNED[message["Type"]] if name in message]
    return "".join(f"{name}\n{message[name]}\n" for name in names).encode()


def _verify(message: Mapping[str, str], certificate: x509.Certificate) -> None:
    key = certificate.public_key()
    hash_ = _HASHES.get(message.get("SignatureVersion", ""))
    if hash_ is None or not isinstance(key, rsa.RSAPublicKey):
        raise RefusedError("expected a signature of version 1 or 2 by an RSA key, got another")
    try:
        signature = base64.b64decode(message.get("Signature", ""), validate=True)
        key.verify(signature, string_to_sign(message), padding.PKCS1v15(), hash_())
    except (InvalidSignature, binascii.Error, ValueError):
        raise RefusedError("expected SNS's signature, got another") from None


def _require_recent(told: str, now_s: int) -> None:
    try:
        age_s = now_s - int(datetime.fromisoformat(told).timestamp())
    except ValueError:
        raise RefusedError("expected a time, got another text") from None
    if not -WINDOW_S <= age_s <= RETRIES_S + WINDOW_S:
        raise RefusedError(f"expected a message of the last {RETRIES_S + WINDOW_S} s, got another")
