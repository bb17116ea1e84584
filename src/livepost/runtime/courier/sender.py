"""Which sender a workspace's settings name, and whether it could send.

In: settings and what they refer to. Out: a sender, or one sentence saying what is wrong with them. Promised: a password
is read where it is needed, and told to nobody.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from typing import Protocol

from livepost.deliver.keep import Keep
from livepost.deliver.sender import Sender
from livepost.deliver.smtp import Route, SmtpSender, route_to
from livepost.errors import SettingsError
from livepost.runtime.data.folder import DataFolder
from livepost.settings.provider import PROVIDER_SCHEMES, ProviderAddress, read_provider
from livepost.settings.secret import read_secret
from livepost.settings.settings import Settings
from livepost.settings.smtp import SCHEMES, read_smtp
from livepost.vault.base import Vault

EXTRA = ("anymail", "boto3", "requests", "urllib3")
"""What senders to providers import."""


class OpenSender(Sender, Protocol):
    """A sender that holds files or connections."""

    def close(self) -> None:
        """Give them back."""
        ...


def check_sender(settings: Settings) -> None:
    """Raise SettingsError if mails could not be sent as `mail` says: a password, certificate or package not there.

    No server is asked.
    """
    if settings.mail.startswith(SCHEMES):
        _route(settings)
    if settings.mail.startswith(PROVIDER_SCHEMES):
        _provider(settings)


def sender_of(folder: DataFolder, vault: Vault) -> OpenSender:
    """Return the sender that `mail` names; raise SettingsError or StoreError if it cannot be had."""
    settings = folder.settings
    if settings.mail.startswith(SCHEMES):
        return SmtpSender(_route(settings))
    if settings.mail.startswith(PROVIDER_SCHEMES):
        return _esp_sender(*_provider(settings))
    return Keep(folder.mailbox, vault, settings.workspace)


def _route(settings: Settings) -> Route:
    """Return the way to the server."""
    return route_to(read_smtp(settings.mail, "settings"), settings.sender.rpartition("@")[2], _password(settings))


def _provider(settings: Settings) -> tuple[ProviderAddress, str]:
    """Return the provider's address and key."""
    address = read_provider(settings.mail, "settings")
    if any(importlib.util.find_spec(package) is None for package in EXTRA):
        raise SettingsError(f"mail names {address.name}, which needs an extra; say pip install 'livepost[esp]'")
    return address, _password(settings)


def _esp_sender(address: ProviderAddress, secret: str) -> OpenSender:
    """Return the sender, imported only now: it is an extra, and takes a second."""
    sender: OpenSender = importlib.import_module("livepost.deliver.esp.sender").EspSender(address, secret)
    return sender


def _password(settings: Settings) -> str:
    told = settings.mail_password
    return read_secret("mail_password", told, os.environ) if told else ""
