"""django-anymail behind one class: the only module that knows it, Django and boto3.

In: mails as values. Out: what anymail read in the provider's answer. Promised: the provider's tracking is off where it
can be told to; the decision's id goes along; nothing personal but the mail itself does. Django is configured without a
database, templates or secrets, in the courier's process only; importing this takes a second.
"""

from __future__ import annotations

import warnings
from importlib import import_module
from io import BytesIO
from typing import Any
from uuid import UUID

import msgspec
from botocore.awsrequest import AWSResponse
from django.conf import settings as django_settings
from django.core.mail import EmailMultiAlternatives

from livepost.deliver.answer import TEXT_CHARS
from livepost.deliver.esp.answer import Answer
from livepost.deliver.esp.asking import DECISION
from livepost.deliver.esp.mail import Plain, plain, unsubscribe_url
from livepost.deliver.esp.provider import Provider
from livepost.deliver.esp.wire import Exchange, Session, exchanging
from livepost.ids import digest
from livepost.model.message import Message
from livepost.settings.provider import ProviderAddress

if not django_settings.configured:
    django_settings.configure(USE_I18N=False)

from anymail.exceptions import (
    AnymailError,
    AnymailInvalidAddress,
    AnymailSerializationError,
    AnymailUnsupportedFeature,
)

IMPOSSIBLE = (AnymailInvalidAddress, AnymailSerializationError, AnymailUnsupportedFeature)
"""Errors that say that this provider can never be told this mail."""


class Read(msgspec.Struct, frozen=True):
    """What anymail read in the answer: the recipient's status ("" for none), and the provider's id."""

    status: str = ""
    provider_id: str = ""


class Request(msgspec.Struct, frozen=True):
    """A question to the API: where, with which parameters and headers; posted, the parameters are a body of JSON."""

    url: str
    params: dict[str, str]
    headers: dict[str, str]
    is_posted: bool = False


class Carrier:
    """A provider's API, ready to be given mails by several threads."""

    def __init__(
        self, provider: Provider, address: ProviderAddress, secret: str, timeout_s: tuple[float, float]
    ) -> None:
        """Take the provider's row, its address and key, and how long to wait to connect and between bytes."""
        self._provider = provider
        self._session = Session(address.connections)
        self._timeout_s = timeout_s
        self._backend = _backend(provider, _told(provider, address, secret), timeout_s)
        if provider.name == "ses":
            self._backend.open()
            self._backend.client.meta.events.register("before-send.sesv2.SendEmail", self._send_signed)
        else:
            self._backend.session = self._session

    def exchange(self, message: Message) -> Exchange:
        """Return a new exchange for a mail."""
        key = {"Idempotency-Key": idempotency_key(message)} if self._provider.once == "header" else {}
        return Exchange(key)

    def carry(self, message: Message, exchange: Exchange) -> Read:
        """Write the mail; return what was read in the answer. Raises whatever went wrong: see the exchange."""
        mail = _mail(self._provider, message, plain(message))
        with exchanging(exchange):
            try:
                self._backend.send_messages([mail])
            except AnymailError:
                if not mail.anymail_status.recipients:  # else the answer was read, and what it said was the error
                    raise
        return _read(mail, self._provider, message.recipient, exchange)

    @property
    def api_url(self) -> str:
        """The API's address, below which mails are given to it."""
        return str(self._backend.api_url)

    def ask(self, request: Request, exchange: Exchange) -> Answer:
        """Return the answer to a question. Raises whatever went wrong."""
        told: dict[str, Any] = {"json": request.params} if request.is_posted else {"params": request.params}
        with exchanging(exchange):
            method = "POST" if request.is_posted else "GET"
            self._session.request(method, request.url, headers=request.headers, timeout=self._timeout_s, **told)
        return exchange.answer or Answer(status=0)

    def let_go(self) -> None:
        """End the connections; the next mail opens others."""
        self._session.close()

    def _send_signed(self, request: Any, **_: Any) -> Any:
        """Send what boto3 signed over our own connections: it asks for this before it would use its own."""
        response = self._session.request(
            method=request.method,
            url=request.url,
            data=request.body,
            headers={name: _text(value) for name, value in request.headers.items()},
            timeout=self._timeout_s,
        )
        return AWSResponse(request.url, response.status_code, response.headers, _Streamed(response.content))


def idempotency_key(message: Message) -> str:
    """Return the key under which a provider takes the mail only once: the Message-ID's local part."""
    return message.message_id.strip("<>").partition("@")[0]


def _told(provider: Provider, address: ProviderAddress, secret: str) -> dict[str, Any]:
    """Return anymail's settings for the provider, the key among them."""
    if provider.name == "ses":
        return _told_ses(address, secret)
    told: dict[str, Any] = {provider.credential: secret}
    told |= {anymails: address.options[ours] for ours, anymails in provider.named.items() if ours in address.options}
    url = address.url or provider.regions.get(address.options.get("region", ""), "")
    if url:
        told["api_url"] = url
    if provider.name in ("sendgrid", "unisender-go"):
        told["generate_message_id"] = False  # a number made anew at each try would make a repeated mail another one
    return told


def _told_ses(address: ProviderAddress, secret: str) -> dict[str, Any]:
    client: dict[str, Any] = {
        "region_name": address.options["region"],
        "config": {"retries": {"total_max_attempts": 1, "mode": "standard"}},
    }
    if address.url:
        client["endpoint_url"] = address.url
    if secret:
        client |= {"aws_access_key_id": address.options["user"], "aws_secret_access_key": secret}
    told: dict[str, Any] = {"client_params": client}
    if "set" in address.options:
        told["configuration_set_name"] = address.options["set"]
    return told


def _backend(provider: Provider, told: dict[str, Any], timeout_s: tuple[float, float]) -> Any:
    if provider.name != "ses":
        told = {**told, "timeout": timeout_s}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # anymail warns of SendGrid: untested by its makers; tests/real does that
        return import_module(f"anymail.backends.{provider.backend}").EmailBackend(**told)


class _Mail(EmailMultiAlternatives):  # type: ignore[misc]
    """Django's mail; where a provider takes whole mails, it gets the bytes as they are."""

    raw = b""

    def message(self, *_: Any, **__: Any) -> _Raw:
        return _Raw(self.raw)


class _Raw:
    """As much of an email.message.Message as anymail's SES backend asks for."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def __setitem__(self, name: str, value: str) -> None:
        self._raw = f"{name}: {value}\r\n".encode("ascii") + self._raw

    def walk(self) -> tuple[()]:
        """Return no parts: there is nothing to encode anew."""
        return ()

    def as_bytes(self) -> bytes:
        return self._raw


class _Streamed(BytesIO):
    """A body as botocore reads one."""

    def stream(self) -> list[bytes]:
        return [self.read()]


def _mail(provider: Provider, message: Message, values: Plain) -> _Mail:
    """Return the mail as anymail wants it."""
    mail = _Mail(
        subject=values.subject,
        body=values.text,
        from_email=values.sender,
        to=[values.recipient],
        headers={**values.headers, **provider.extra},
    )
    mail.raw = message.raw
    if values.html:
        mail.attach_alternative(values.html, "text/html")
    if provider.switches_tracking:
        mail.track_opens = mail.track_clicks = False
    _marked(mail, provider, message)
    _fitted(mail, provider, message)
    return mail


def _marked(mail: _Mail, provider: Provider, message: Message) -> None:
    """Let the decision's id go along."""
    decision = message.decision.hex()
    if provider.mark == "tag":
        mail.tags = [decision]
    elif provider.mark == "recipient":
        mail.merge_metadata = {message.recipient: {DECISION: decision}}
    else:
        mail.metadata = {DECISION: decision}


def _fitted(mail: _Mail, provider: Provider, message: Message) -> None:
    """Say what only one provider wants to be told, and as it wants it."""
    if provider.once == "mail header":  # Brevo's key has to be a UUID
        mail.extra_headers["Idempotency-Key"] = str(UUID(bytes=digest("idempotency", idempotency_key(message))))
    if provider.once == "body":
        mail.esp_extra = {"idempotence_key": idempotency_key(message)}
    if provider.name == "mailjet":  # metadata travels in events only; by this it can be asked
        mail.esp_extra = {"Globals": {"CustomID": message.decision.hex()}}
    if provider.name == "mailersend":  # headers are for its largest plan only, this is for more of them
        url = unsubscribe_url(mail.extra_headers)
        mail.extra_headers = {}
        mail.esp_extra = {"list_unsubscribe": url} if url else {}


def _read(mail: _Mail, provider: Provider, recipient: str, exchange: Exchange) -> Read:
    """Return the recipient's status, "" if the answer does not speak of them; SendGrid tells its id in a header."""
    by_address = {address.casefold(): found for address, found in mail.anymail_status.recipients.items()}
    found = by_address.get(recipient.casefold())
    if found is None or (found.status == "failed" and not provider.says_failed):
        return Read()
    told = found.message_id
    if told is None and exchange.answer is not None:
        told = exchange.answer.headers.get("x-message-id", "")
    provider_id = "".join(character for character in str(told or "") if character.isprintable())
    return Read(found.status or "", provider_id[:TEXT_CHARS])


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
