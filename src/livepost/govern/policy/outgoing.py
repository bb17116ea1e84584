"""Whom a workspace's settings send data to, or ask: audiences, webhooks, senders, stores elsewhere.

In: settings. Out: each by name, with its host. Promised: no name is looked up, no secret is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

import msgspec

from livepost.settings.kek import read_kek_reference
from livepost.settings.postgres import SCHEME, read_postgres
from livepost.settings.provider import PROVIDER_SCHEMES, read_provider
from livepost.settings.sender import SenderTable
from livepost.settings.settings import KEEP, Settings
from livepost.settings.smtp import SCHEMES, read_smtp

Kind: TypeAlias = Literal["audience", "webhook", "sender", "store", "stream"]

SETTING = {"audience": "audiences", "webhook": "webhooks", "sender": "senders", "store": "", "stream": ""}
"""Where each is in `livepost.toml`."""

LISTENS = "localhost"
"""The host of who listens to the stream: nobody is asked, they come here."""

ONLY = "mail"
"""The name of the sender that the setting `mail` names."""

HOSTS = {
    "brevo": "api.brevo.com",
    "mailersend": "api.mailersend.com",
    "mailgun": "api.mailgun.net",
    "mailjet": "api.mailjet.com",
    "mailtrap": "send.api.mailtrap.io",
    "mandrill": "mandrillapp.com",
    "postmark": "api.postmarkapp.com",
    "resend": "api.resend.com",
    "scaleway": "api.scaleway.com",
    "sendgrid": "api.sendgrid.com",
    "sparkpost": "api.sparkpost.com",
}
"""Where providers answer that have one address for everybody."""

OF_REGION = {
    ("mailgun", "eu"): "api.eu.mailgun.net",
    ("sendgrid", "eu"): "api.eu.sendgrid.com",
    ("sparkpost", "eu"): "api.eu.sparkpost.com",
}


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is asked: `host` is "" where it cannot be told from the settings."""

    kind: Kind
    name: str
    host: str

    @property
    def takes_people(self) -> bool:
        """Whether data of people goes there by its own name in the policy; the stores of the house are the house."""
        return self.kind != "store"


def outgoing(settings: Settings) -> list[Outgoing]:
    """Return everybody, in the settings' order; whoever is on this machine is nobody else."""
    return [*_destinations(settings), *_stores(settings)]


def is_here(host: str) -> bool:
    """Say whether a host is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _destinations(settings: Settings) -> Iterator[Outgoing]:
    for audience in settings.audiences:
        yield Outgoing(kind="audience", name=audience.name, host=_host(audience.base_url))
    for webhook in settings.webhooks:
        yield Outgoing(kind="webhook", name=webhook.name, host=_host(webhook.url))
    for table in settings.senders or [SenderTable(name=ONLY, mail=settings.mail)]:
        if table.mail != KEEP:
            yield Outgoing(kind="sender", name=table.name, host=_sender_host(table.mail))


def _stores(settings: Settings) -> Iterator[Outgoing]:
    if settings.ledger.startswith(SCHEME):
        yield Outgoing(kind="store", name="ledger", host=read_postgres(settings.ledger, "ledger").host)
    kek = read_kek_reference(settings.kek, "kek")
    if kek.place == "aws-kms":
        region = kek.name.split(":")[3] if kek.name.count(":") >= 5 else ""
        yield Outgoing(kind="store", name="kek", host=f"kms.{region}.amazonaws.com" if region else "kms.amazonaws.com")
    for allowance in settings.allow_outgoing:
        yield Outgoing(kind="store", name="allow_outgoing", host=allowance.rpartition(":")[0].strip("[]"))


def _sender_host(mail: str) -> str:
    if mail.startswith(SCHEMES):
        return read_smtp(mail, "mail").host
    if not mail.startswith(PROVIDER_SCHEMES):
        return ""
    provider = read_provider(mail, "mail")
    region = provider.options.get("region", "")
    if provider.name == "ses":
        return f"email.{region}.amazonaws.com"
    usual = OF_REGION.get((provider.name, region)) or HOSTS.get(provider.name, "")
    return _host(provider.url) or usual


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
