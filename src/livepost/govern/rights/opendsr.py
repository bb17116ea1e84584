"""The OpenDSR framework (2.0, and 1.0 as OpenGDPR): what a request says, what is answered, how it is signed.

In: bodies as a controller sends them. Out: structs, JSON, signatures. Promised: a request that does not fit is refused
in the framework's own words without repeating whose it is; a signature is RSA (PKCS #1 v1.5) over the SHA-256 of the
body, by the key of the certificate that `/discovery` names.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import DNSName, ExtensionNotFound, SubjectAlternativeName, load_pem_x509_certificates
from msgspec import Meta

from livepost.control.requests import Regulation, RightsRequest
from livepost.errors import RejectedError, SettingsError
from livepost.vault.base import EMAIL, USER, ExternalId

VERSION = "2.0"
MAX_BODY_BYTES = 64 * 1024
IDENTITIES = {"controller_customer_id": USER, "email": EMAIL}
"""Identities that people are found by, each `raw`: of a plain hash nobody is found here, ids stand under keyed ones."""

Kind = Literal["access", "portability", "erasure"]
Guid = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z")]


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """By what a person is known to the controller."""

    identity_type: str
    identity_value: Annotated[str, Meta(min_length=1, max_length=1_000)]
    identity_format: str


class AskedDsr(msgspec.Struct, frozen=True, kw_only=True):
    """A request as a controller sends it; `regulation` is the GDPR where it is not said, as in the examples."""

    subject_request_id: Guid
    subject_request_type: Kind
    submitted_time: datetime
    regulation: Regulation = "gdpr"
    subject_identities: Annotated[tuple[Identity, ...], Meta(max_length=100)] = ()
    api_version: str = VERSION
    status_callback_urls: Annotated[tuple[Annotated[str, Meta(max_length=2_048)], ...], Meta(max_length=10)] = ()
    extensions: dict[str, Any] = {}

    @property
    def ids(self) -> list[ExternalId]:
        """The ids by which the person is looked for."""
        return [ExternalId(IDENTITIES[one.identity_type], one.identity_value) for one in self.subject_identities]


def read_request(body: bytes, kinds: tuple[str, ...]) -> AskedDsr:
    """Return what a body asks; raise RejectedError (400), with no word of whose it is, if it does not fit."""
    try:
        asked = msgspec.json.decode(body, type=AskedDsr)
    except (ValueError, RecursionError) as error:
        raise _bad(_without_values(str(error))) from None
    if asked.submitted_time.tzinfo is None:
        raise _bad("submitted_time must be an RFC 3339 time with its zone")
    if asked.subject_request_type not in kinds:
        raise _bad(f"expected a subject_request_type of {', '.join(kinds)}; see /discovery")
    if not asked.subject_identities:
        raise _bad("subject_identities field is required: no extension of ours names people")
    for one in asked.subject_identities:
        if one.identity_type not in IDENTITIES or one.identity_format != "raw":
            raise _bad(
                "an identity is of a type or format that is not supported; see supported_identities at /discovery"
            )
    return asked


def error_body(status: int, message: str) -> dict[str, Any]:
    """Return the framework's error object."""
    reason = "IllegalArgumentException" if status == HTTPStatus.BAD_REQUEST else HTTPStatus(status).phrase
    detail = {"domain": "Validation", "reason": reason, "message": message}
    return {"error": {"code": status, "message": message, "errors": [detail]}}


def time_of(at_ms: int) -> str:
    """Return an RFC 3339 time.

    >>> time_of(1538492401000)
    '2018-10-02T15:00:01Z'
    """
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def status_of(request: RightsRequest, controller: str, results_url: str) -> dict[str, Any]:
    """Return how a request stands, as it is answered and called back."""
    told: dict[str, Any] = {
        "controller_id": controller,
        "expected_completion_time": time_of(request.due_at),
        "subject_request_id": request.outside,
        "request_status": request.state,
        "api_version": VERSION,
    }
    if request.state == "completed":
        told["results_count"] = request.results
        if results_url:
            told["results_url"] = results_url
    return told


class DsrSigner:
    """Signs answers and callbacks with the key of a domain's certificate."""

    def __init__(self, domain: str, certificate: bytes, key: bytes) -> None:
        """Take a certificate with its chain, and its key, both PEM; raise SettingsError if they do not fit."""
        try:
            [own, *_] = load_pem_x509_certificates(certificate)
            private = load_pem_private_key(key, None)
        except (ValueError, TypeError) as error:
            raise SettingsError(f"certificate or key of opendsr cannot be read as PEM: {error}") from None
        if not isinstance(private, RSAPrivateKey) or private.public_key() != own.public_key():
            raise SettingsError("expected the RSA key of the certificate of opendsr, got another; name the right file")
        if own.issuer == own.subject:
            raise SettingsError("the certificate of opendsr is self-signed, which the framework forbids; name another")
        if domain not in _names(own):
            raise SettingsError(
                f"the certificate of opendsr is not of {domain}; name that domain, or another certificate"
            )
        self.domain = domain
        self.certificate = certificate
        self._key = private

    def sign(self, body: bytes) -> str:
        """Return the signature of a body, base64."""
        return base64.b64encode(self._key.sign(body, padding.PKCS1v15(), SHA256())).decode()

    def headers(self, body: bytes, *, old: bool = False) -> dict[str, str]:
        """Return what an answer or callback is sent with; `old` adds the names of before 2.0."""
        signature = self.sign(body)
        told = {"X-OpenDSR-Processor-Domain": self.domain, "X-OpenDSR-Signature": signature}
        if old:
            told |= {"X-OpenGDPR-Processor-Domain": self.domain, "X-OpenGDPR-Signature": signature}
        return told


def _names(certificate: Any) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(SubjectAlternativeName)
    except ExtensionNotFound:
        return []
    names: list[str] = found.value.get_values_for_type(DNSName)
    return names


def _without_values(said: str) -> str:
    """Return an error of a decoder, which names fields and types, cut before anything else could stand in it."""
    return f"the request does not fit: {said[:200]}"


def _bad(message: str) -> RejectedError:
    return RejectedError(message, code="opendsr", status=HTTPStatus.BAD_REQUEST)
